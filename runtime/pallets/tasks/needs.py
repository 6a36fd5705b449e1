"""What tasks ask of the stake ledger.

Source: WP V.A, V.B (stakes of creators, nodes and validators).
"""

from __future__ import annotations

from typing import Protocol

from runtime.economy.tasks import Hardware, Role
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId, Balance


class StakeLedger(Protocol):
    """Who keeps the stakes."""

    def open_task(self, task: int, start_day: int) -> None:
        """Take stakes for a task."""

    def close_task(self, task: int) -> None:
        """Free all its stakes."""

    def ensure_can_register(
        self, task: int, who: AccountId, role: Role, stake: int, minimum: int, ratio: Rational
    ) -> None:
        """Raises why `register` would fail, but for missing funds."""

    def register(
        self,
        task: int,
        who: AccountId,
        role: Role,
        stake: int,
        minimum: int,
        ratio: Rational,
        hardware: Hardware,
    ) -> None:
        """Give `who` a role with its own stake, held."""

    def least_stake(self, who: AccountId, minimum: int) -> int:
        """What of a minimum the lock of `who` does not cover, planck."""

    def change_ratio(self, task: int, who: AccountId, ratio: Rational) -> None:
        """Announce another share ratio: a rise for tomorrow, a cut after its notice."""

    def slash(self, task: int, who: AccountId, rate: Rational, to: AccountId | None) -> Balance:
        """Take a part of all that is at stake behind an operator; burned if `to` is None."""
