"""What the stake ledger tells of one operator's stake on one day.

Source: WP V.E (t_i = own and delegated), WP V.G (delegators).
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.economy.tasks import Hardware, Role
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId


@dataclass(frozen=True, slots=True)
class OperatorStake:
    """An operator at the start of a day, planck.

    `covered`: of the least stake, what a lock stands in for; it counts for limits, never for pay.
    """

    account: AccountId
    role: Role
    own: int
    delegated: int
    hardware: Hardware
    covered: int = 0

    @property
    def total(self) -> int:
        """Own and delegated: the stake that counts."""
        return self.own + self.delegated

    @property
    def limiting(self) -> int:
        """What limits by stake are computed from."""
        return self.total + self.covered


@dataclass(frozen=True, slots=True)
class StakeShares:
    """What a reward of an operator is divided by: own stake, delegations by account, ratio.

    Amounts are a day's snapshot, or sums of snapshots: only their proportions matter.
    """

    own: int
    delegations: tuple[tuple[AccountId, int], ...]
    ratio: Rational
