"""What the arena asks of other pallets.

Source: WP IV.A (emission and tasks), WP V.E (stakes), WP V.H (the finished model).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from runtime.economy.bounty import Contribution
from runtime.economy.market import HostClaim
from runtime.economy.parameters import ArenaParameters
from runtime.economy.stakes import OperatorStake, StakeShares
from runtime.economy.tasks import Role, Task, TaskStatus
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId, Balance


class TaskBook(Protocol):
    """Who keeps the tasks."""

    def get_task(self, task: int) -> Task:
        """The record. Raises a ModuleError for an unknown task."""

    def tasks_on(self, day: int) -> list[int]:
        """Live tasks that have `day` among their days."""

    def parameters_on(self, day: int) -> ArenaParameters:
        """The reward rules of a day."""

    def daily_budget(self, task: int, day: int) -> Balance:
        """What a self-funded task pays that day."""

    def pay_from_escrow(self, task: int, to: AccountId, amount: Balance) -> None:
        """Move a part of a self-funded day's budget."""

    def contributions_of(self, task: int) -> list[Contribution]:
        """What others paid for a live task's result."""

    def pay_from_bounty(self, task: int, to: AccountId, amount: Balance) -> None:
        """Move a part of the bounty."""

    def note_rewarded(self, who: AccountId) -> None:
        """Training or validation paid an operator."""

    def note_reveal(self, task: int) -> None:
        """A submission was revealed."""

    def note_key_missing(self, task: int) -> None:
        """Dataset B stays closed: burn S_c."""

    def note_wrong_data(self, task: int) -> None:
        """Dataset B is not what the task names: burn S_c."""

    def return_to_creator(self, task: int, pot: AccountId, amount: Balance) -> None:
        """Give a self-funding creator its own back."""

    def end_task(self, task: int, status: TaskStatus) -> None:
        """Return the escrow's rest, free all stakes."""


class Stakes(Protocol):
    """Who keeps the stakes. Days are today and the two before; amounts in planck."""

    def operators_after(
        self, task: int, day: int, after: AccountId | None
    ) -> Iterator[OperatorStake]:
        """Everyone with a role, with the day's stakes, in the state's order, after an account."""

    def known_of(self, task: int, role: Role) -> int:
        """How many of a role a task remembers. O(1)."""

    def stake_of(self, task: int, who: AccountId, day: int) -> OperatorStake | None:
        """One operator's stake at the start of the day."""

    def total_of(self, task: int, role: Role, day: int) -> int:
        """All stake of a role."""

    def task_stake(self, task: int, day: int) -> int:
        """Everybody's stake in the task."""

    def shares_on(self, task: int, who: AccountId, day: int) -> StakeShares:
        """What the operator's reward of the day is divided by."""

    def shares_through(self, task: int, who: AccountId, day: int) -> StakeShares:
        """The same, summed over all days up to `day`."""

    def stake_days_of(self, task: int, who: AccountId, day: int) -> int:
        """An operator's own and delegated stake, summed over all days up to `day`. O(1)."""

    def role_days_of(self, task: int, role: Role, day: int) -> int:
        """All stake of a role, summed over all days up to `day`. O(1)."""

    def backers_of(self, task: int, who: AccountId) -> int:
        """How many accounts a slash of the operator reaches at most, itself included."""

    def slash(self, task: int, who: AccountId, rate: Rational, to: AccountId | None) -> Balance:
        """Take a part of all that is at stake behind an operator."""


class EmissionSource(Protocol):
    """Who mints."""

    def allot(
        self,
        day: int,
        arena: Sequence[tuple[int, int]],
        alliance: Sequence[tuple[int, int]],
        hosts: Sequence[HostClaim],
    ) -> None:
        """Divide the day's emission among hosts and verified tasks, given as (task, stake)."""

    def reward_of(self, day: int, task: int) -> Balance:
        """The task's part of the day."""

    def mint(self, day: int, task: int, who: AccountId, amount: Balance) -> None:
        """Mint of the task's part of the day."""


class AllianceStakes(Protocol):
    """Verified tasks of the FL Alliance, which share the day's emission with the arena's."""

    def verified_stakes(self, day: int) -> list[tuple[int, int]]:
        """(task, stake) of the active ones."""


class NoAlliance:
    """A chain whose only tasks are the arena's."""

    def verified_stakes(self, day: int) -> list[tuple[int, int]]:
        """No tasks."""
        return []


class HostRewards(Protocol):
    """Model hosts, who share in the day's emission before tasks do."""

    def begin_day(self, day: int) -> list[HostClaim]:
        """What they may claim, for what they were paid the day before. Once a day."""


class NoHosts:
    """A chain without a marketplace."""

    def begin_day(self, day: int) -> list[HostClaim]:
        """No claims."""
        return []


class ModelRegistry(Protocol):
    """Who records consensus models."""

    def record_model(
        self,
        task: int,
        content: bytes,
        submission: int,
        owner: AccountId,
        score: tuple[int, int],
        parents: list[bytes],
    ) -> None:
        """Enter the consensus model of a completed task; the score as numerator, denominator."""
