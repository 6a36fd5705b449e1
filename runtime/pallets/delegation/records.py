"""The stake ledger's records, events and errors.

Source: WP II.D (stakes and delegation), WP V.G.
"""

from __future__ import annotations

from dataclasses import replace

from runtime import frame
from runtime.economy.tasks import Hardware, Role
from runtime.pallets.delegation.position import Position
from runtime.pallets.delegation.ratio import ShareRatio
from runtime.primitives.rational import Rational
from runtime.primitives.types import U32, AccountId, Balance


@frame.scale_type
class Operator:
    """Someone with a role in a task. `delegated` is the sum of all delegations to it.

    `ratio`: what delegators as a group get of their pro-rata part of its rewards. `minimum` is the
    least own stake; below it stands only who was slashed or left. `covered` more would be needed
    if the operator's lock did not stand in for it until the task ends.
    """

    role: Role
    own: Position
    delegated: Position
    ratio: ShareRatio
    minimum: Balance
    hardware: Hardware
    delegators: U32 = 0
    covered: Balance = 0

    def with_own(self, own: Position) -> Operator:
        """The same operator with another stake of its own."""
        return replace(self, own=own)

    def with_delegated(self, delegated: Position, delegators: int) -> Operator:
        """The same operator with other delegations."""
        return replace(self, delegated=delegated, delegators=delegators)


@frame.scale_type
class OperatorKey:
    """An operator in a task."""

    task: U32
    operator: AccountId


@frame.scale_type
class StakerKey:
    """Somebody with stake behind others in a task."""

    task: U32
    staker: AccountId


@frame.scale_type
class Places:
    """Of a role in a task: `taken` by who has own stake, `known` with those who have left.

    Whoever left may still earn, by its ranked days or its shares, and is known until the end.
    """

    taken: U32 = 0
    known: U32 = 0


@frame.scale_type
class Unbonding:
    """Stake on its way out: it counts in no weight and stays slashable. Free from `free_day` on."""

    amount: Balance
    free_day: U32


@frame.scale_type
class Ties:
    """How many nodes, and validators, of a task an account delegates to."""

    nodes: U32 = 0
    validators: U32 = 0

    def changed(self, role: Role, delta: int) -> Ties:
        """One more or less of the role; creators tie nobody."""
        return Ties(
            self.nodes + (delta if role is Role.TRAINING_NODE else 0),
            self.validators + (delta if role is Role.TASK_VALIDATOR else 0),
        )

    def forbids(self, role: Role) -> bool:
        """Whether an account with these ties may not have the role itself."""
        return (role is Role.TASK_VALIDATOR and self.nodes > 0) or (
            role is Role.TRAINING_NODE and self.validators > 0
        )


@frame.event(0)
class Staked:
    """`staker` put `amount` behind `operator` (itself, or as its delegator)."""

    task: U32
    operator: AccountId
    staker: AccountId
    role: Role
    amount: Balance


@frame.event(1)
class UnbondingBegan:
    """`amount` leaves the operator's stake and is free from `free_day` on."""

    task: U32
    operator: AccountId
    staker: AccountId
    amount: Balance
    free_day: U32


@frame.event(2)
class Freed:
    """`amount` is the staker's to spend again."""

    task: U32
    operator: AccountId
    staker: AccountId
    amount: Balance


@frame.event(3)
class Slashed:
    """`amount` was taken from what `staker` has behind `operator`; burned if `to` is none."""

    task: U32
    operator: AccountId
    staker: AccountId
    amount: Balance
    to: AccountId | None


@frame.event(4)
class TaskStakesFreed:
    """The task ended and no stake is held for it any longer."""

    task: U32


@frame.event(5)
class ShareRatioScheduled:
    """From `from_day` on the operator's delegators get `ratio` of their pro-rata part."""

    task: U32
    operator: AccountId
    ratio: Rational
    from_day: U32


class AlreadyRegistered(frame.ModuleError, index=0):
    """The account has a role in this task. One account has one role in a task."""


class NotRegistered(frame.ModuleError, index=1):
    """No such operator in this task."""


class StakeTooLow(frame.ModuleError, index=2):
    """The own stake would be below the role's minimum. Stake more, or take out everything."""


class TaskClosed(frame.ModuleError, index=3):
    """The task does not take or has no stakes: it is unknown or has ended."""


class TaskFull(frame.ModuleError, index=4):
    """All places of this role are taken, or twice as many operators were there. Wait for one."""


class TiedAccount(frame.ModuleError, index=5):
    """The account would be a node and back a validator of the same task, or the reverse."""


class TooManyDelegators(frame.ModuleError, index=6):
    """The operator has as many delegators as it may have."""


class NothingToFree(frame.ModuleError, index=7):
    """No unbonding stake of the account has matured."""


class InsufficientStake(frame.ModuleError, index=8):
    """More is asked for than is staked."""


class CreatorStakeLocked(frame.ModuleError, index=9):
    """A creator's stake is locked until its task ends."""


class DelegationTooSmall(frame.ModuleError, index=10):
    """The delegation is, or would be left, below the least delegation."""


class SelfDelegation(frame.ModuleError, index=11):
    """An operator adds to its own stake by `bond_extra`, not by delegating to itself."""


class TooManyUnbondings(frame.ModuleError, index=12):
    """Too many pieces are on their way out. Free the matured ones first."""


class RatioAboveOne(frame.ModuleError, index=13):
    """A share ratio lies between 0 and 1."""


class RatioCutTooSoon(frame.ModuleError, index=14):
    """A share ratio is cut at most once in an interval. Wait for it to pass; a rise is free."""


class RatioUnchanged(frame.ModuleError, index=15):
    """The share ratio is this already, and nothing else is announced."""


class LeastStays(frame.ModuleError, index=16):
    """The delegation has counted for a day: rewards vest in it. Leave the least until the end."""
