"""The events and errors of tasks, and the checks of what a creator declares.

Source: WP V.A (task creation), WP IV.A (self-funded tasks), WP V.H (two validation sets).
"""

from __future__ import annotations

from typing import Final

from runtime import frame
from runtime.economy.parameters import SCORE_MAX, ArenaParameters
from runtime.economy.tasks import DUPLICATE_DISTANCE_MAX, Role, TaskStatus, TaskTerms
from runtime.primitives.types import U32, AccountId, Balance, Bytes32

NAME_BYTES_MAX: Final = 64
DAYS_MIN: Final = 2  # the last-but-one day freezes submissions, the last scores them on set B
DAYS_MAX: Final = 365
SEATS_MAX: Final = 50


@frame.event(0)
class TaskCreated:
    """A task was created; registration is open, its first day is `start_day`.

    `budget` planck are escrowed; 0 for a verified task, which emission pays for.
    """

    task: U32
    creator: AccountId
    spec: Bytes32
    start_day: U32
    budget: Balance


@frame.event(1)
class Registered:
    """`who` takes part in the task."""

    task: U32
    who: AccountId
    role: Role
    stake: Balance


@frame.event(2)
class DayStarted:
    """A day of the arena began."""

    day: U32


@frame.event(3)
class TaskStarted:
    """The task's first day began: nodes may submit."""

    task: U32
    day: U32


@frame.event(4)
class KeyRevealed:
    """The creator opened Dataset B; the final day is scored on it."""

    task: U32
    key: Bytes32


@frame.event(5)
class KeyMissing:
    """The key of Dataset B did not come in time: `burned` planck of the creator's stake."""

    task: U32
    burned: Balance


@frame.event(6)
class TaskEnded:
    """The task is over; `returned` planck of its escrow went back to the creator."""

    task: U32
    status: TaskStatus
    returned: Balance


@frame.event(7)
class ParametersScheduled:
    """New reward rules act from `from_day` on."""

    from_day: U32
    parameters: ArenaParameters


@frame.event(8)
class VerificationChanged:
    """From `from_day` on emission pays for the task, or no longer does."""

    task: U32
    from_day: U32
    is_verified: bool


@frame.event(9)
class CreatorAttested:
    """The DAO attests that `who` may create tasks, or takes that back."""

    who: AccountId
    is_attested: bool


@frame.event(10)
class BountyAdded:
    """`payer` put `amount` into the task's bounty, which is `total` planck now."""

    task: U32
    payer: AccountId
    amount: Balance
    total: Balance


@frame.event(11)
class BountyReturned:
    """`amount` of a bounty went back: `to` is its payer, or the treasury if that was reaped."""

    task: U32
    payer: AccountId
    to: AccountId
    amount: Balance


@frame.event(12)
class DatasetMismatched:
    """Dataset B is not what the task names, validators found: `burned` planck of the creator's."""

    task: U32
    burned: Balance


class UnknownTask(frame.ModuleError, index=0):
    """There is no task of this number."""


class TaskNotLive(frame.ModuleError, index=1):
    """The task has ended."""


class TooManyTasks(frame.ModuleError, index=2):
    """As many tasks are live as the chain settles in a day. Wait for one to end."""


class BadName(frame.ModuleError, index=3):
    """A task's name has 1 to 64 bytes of UTF-8."""


class BadDays(frame.ModuleError, index=4):
    """A task runs for 2 to 365 days."""


class BadBaseline(frame.ModuleError, index=5):
    """The baseline is a score: at most 10^9."""


class BadSeats(frame.ModuleError, index=6):
    """A committee has 1 to 50 seats; both numbers are 0 for a task without committees."""


class BudgetTooSmall(frame.ModuleError, index=7):
    """A self-funded task escrows at least one planck a day."""


class InsufficientFunds(frame.ModuleError, index=8):
    """Too little is spendable for the stake with fee, budget or deposit."""


class NotTheCreator(frame.ModuleError, index=9):
    """Only the task's creator may do this."""


class TooLateToCancel(frame.ModuleError, index=10):
    """A submission was revealed: others have worked for the task."""


class KeyTooEarly(frame.ModuleError, index=11):
    """Submissions are not frozen yet: revealed now, Dataset B would leak into training."""


class KeyTooLate(frame.ModuleError, index=12):
    """The final day's seats are drawn."""


class WrongKey(frame.ModuleError, index=13):
    """The key does not have the hash that was fixed at creation."""


class KeyAlreadyRevealed(frame.ModuleError, index=14):
    """The key is known."""


class ParametersOutOfBounds(frame.ModuleError, index=15):
    """A parameter lies outside of its hard bounds."""


class VerificationUnchanged(frame.ModuleError, index=18):
    """The task is, or will be tomorrow, what it shall become."""


class TooManyVerifications(frame.ModuleError, index=19):
    """The task was verified and unverified as often as its record remembers."""


class RatioOutOfBounds(frame.ModuleError, index=17):
    """The share ratio lies outside of the bounds that the DAO set."""


class BountyTooSmall(frame.ModuleError, index=20):
    """At least 1 FML is taken at once. Pay more."""


class BountyTooLate(frame.ModuleError, index=21):
    """The final day's seats are drawn: the task's last work began without this bounty."""


class TooManyPayers(frame.ModuleError, index=22):
    """64 accounts pay for this task already. Let one of them pay."""


class BadDuplicateDistance(frame.ModuleError, index=23):
    """At most 16 of 64 bits: further apart, models that have nothing in common would be copies."""


class CreatorsRole(frame.ModuleError, index=16):
    """Creating a task gives the creator's role; others register as node or validator."""


def ensure_valid_terms(terms: TaskTerms) -> None:
    """Raises the rule that the terms break."""
    if not 1 <= len(terms.name.encode()) <= NAME_BYTES_MAX:
        raise BadName
    if not DAYS_MIN <= terms.days <= DAYS_MAX:
        raise BadDays
    if terms.baseline > SCORE_MAX:
        raise BadBaseline
    if max(terms.seats, terms.final_seats) > SEATS_MAX or (terms.seats == 0) != (
        terms.final_seats == 0
    ):
        raise BadSeats
    if (terms.duplicate_distance or 0) > DUPLICATE_DISTANCE_MAX:
        raise BadDuplicateDistance
