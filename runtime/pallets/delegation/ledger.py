"""The ledger's storage, what it tells of a day's stakes, and the writes that keep its sums.

Owns the items; `pallet` adds calls and moves. Invariant (`try_state`): for every
account and reason what is held equals what the ledger knows of it, and the sums by role and by
operator equal their parts.
Source: WP V.E (t_i, s_j: own and delegated), WP IV.A (S_i: everyone's stake in a task).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from runtime import frame
from runtime.economy.calendar import Calendar
from runtime.economy.stakes import OperatorStake, StakeShares
from runtime.economy.tasks import Role
from runtime.frame.traits import BlockInfo, Currency, HoldReason
from runtime.pallets.delegation.needs import Locks
from runtime.pallets.delegation.position import Position
from runtime.pallets.delegation.records import (
    NotRegistered,
    Operator,
    OperatorKey,
    Places,
    StakerKey,
    TaskClosed,
    TaskFull,
    Ties,
    Unbonding,
)
from runtime.primitives.scale import Limit
from runtime.primitives.types import FML, U32, AccountId, Balance

T = TypeVar("T")

UNBONDINGS_MAX: Final = 16  # pieces of one staker behind one operator
KNOWN_PER_PLACE: Final = 2  # operators of a role that a task remembers, those who left included


@dataclass(frozen=True)
class Config:
    """Sizes of the ledger; `unbonding_days` from leaving to free, `delegation_min` in planck."""

    calendar: Calendar
    unbonding_days: U32
    nodes_max: U32 = 1_000
    validators_max: U32 = 200
    delegators_max: U32 = 1_000
    delegation_min: Balance = FML
    ratio_interval_days: U32 = 30  # between two cuts of a share ratio
    releases_per_block: U32 = 200  # stakers freed in a block once a task has ended


def reason_of(role: Role, *, is_own: bool) -> HoldReason:
    """What stakes of this kind are held for."""
    return HoldReason.TASK_CREATION if is_own and role is Role.CREATOR else HoldReason.STAKE


class Delegation(frame.Pallet[Config], index=31):
    """Storage and reads."""

    starts = frame.StorageMap[int, int](U32, U32, docs="First day of each task with stakes.")
    operators = frame.StorageDoubleMap[tuple[int, AccountId], Operator](
        U32, AccountId, Operator, docs="Everyone with a role in a task."
    )
    delegations = frame.StorageDoubleMap[tuple[OperatorKey, AccountId], Position](
        OperatorKey, AccountId, Position, docs="Delegations to an operator in a task."
    )
    unbonding = frame.StorageDoubleMap[tuple[OperatorKey, AccountId], list[Unbonding]](
        OperatorKey,
        AccountId,
        Annotated[list[Unbonding], Limit(UNBONDINGS_MAX)],
        default=[],
        docs="Stake on its way out from behind an operator, by staker.",
    )
    backed = frame.StorageDoubleMap[tuple[StakerKey, AccountId], Role](
        StakerKey, AccountId, Role, docs="Whom an account has delegated to in a task."
    )
    ties = frame.StorageDoubleMap[tuple[int, AccountId], Ties](
        U32, AccountId, Ties, default=Ties(), docs="Whom a delegator backs in a task, by role."
    )
    totals = frame.StorageDoubleMap[tuple[int, Role], Position](
        U32, Role, Position, default=Position(), docs="All stake of a role in a task."
    )
    places = frame.StorageDoubleMap[tuple[int, Role], Places](
        U32, Role, Places, default=Places(), docs="Operators of a role in a task."
    )
    closing = frame.StorageValue[list[int]](
        list[U32], default=[], docs="Ended tasks whose stakes are being freed."
    )

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        currency: Currency,
        block: BlockInfo,
        locks: Locks,
    ) -> None:
        super().__init__(ext, config)
        self.currency = currency
        self.block = block
        self.locks = locks

    def today(self) -> int:
        """The current day."""
        return self.config.calendar.day_of(self.block.block_number())

    # -- what the days' settlement asks

    def operators_after(
        self, task: int, day: int, after: AccountId | None
    ) -> Iterator[OperatorStake]:
        """Everyone with a role, with the stake at the start of the day, in the state's order.

        Those that come after an account, if it is given. Cost: a read for each that is taken.
        """
        for who, operator in self.operators.items_of(task, after):
            yield self._stake_of(who, operator, day)

    def known_of(self, task: int, role: Role) -> int:
        """How many of a role a task remembers, those who left included. O(1)."""
        return self.places.get((task, role)).known

    def stake_of(self, task: int, who: AccountId, day: int) -> OperatorStake | None:
        """An operator's stake at the start of the day; None without a role in the task."""
        operator = self.operators.find((task, who))
        return None if operator is None else self._stake_of(who, operator, day)

    def _stake_of(self, who: AccountId, operator: Operator, day: int) -> OperatorStake:
        own, delegated = operator.own.at(day), operator.delegated.at(day)
        covered = operator.covered if own else 0
        return OperatorStake(who, operator.role, own, delegated, operator.hardware, covered)

    def total_of(self, task: int, role: Role, day: int) -> int:
        """T or S: all stake of a role at the start of the day, planck."""
        return self.totals.get((task, role)).at(day)

    def task_stake(self, task: int, day: int) -> int:
        """S_i: everybody's stake in the task at the start of the day, planck."""
        return sum(self.total_of(task, role, day) for role in Role)

    def shares_on(self, task: int, who: AccountId, day: int) -> StakeShares:
        """What the operator's reward of the day is divided by."""
        operator = self._operator(task, who)
        parts = self._delegations_of(task, who)
        return StakeShares(
            operator.own.at(day),
            tuple((delegator, part.at(day)) for delegator, part in parts),
            operator.ratio.at(day),
        )

    def shares_through(self, task: int, who: AccountId, day: int) -> StakeShares:
        """The same with the sums of all days' snapshots up to `day`, for Reward B."""
        operator = self._operator(task, who)
        parts = self._delegations_of(task, who)
        return StakeShares(
            operator.own.stake_days_through(day),
            tuple((delegator, part.stake_days_through(day)) for delegator, part in parts),
            operator.ratio.mean_through(day),
        )

    def stake_days_of(self, task: int, who: AccountId, day: int) -> int:
        """An operator's own and delegated stake, summed over all days' snapshots up to `day`."""
        operator = self._operator(task, who)
        own, delegated = operator.own, operator.delegated
        return own.stake_days_through(day) + delegated.stake_days_through(day)

    def role_days_of(self, task: int, role: Role, day: int) -> int:
        """All stake of a role, summed over all days' snapshots up to `day`, planck days."""
        return self.totals.get((task, role)).stake_days_through(day)

    def backers_of(self, task: int, who: AccountId) -> int:
        """How many accounts stand behind an operator, itself included."""
        return 1 + self._operator(task, who).delegators

    # -- writes

    def _operator(self, task: int, who: AccountId) -> Operator:
        found = self.operators.find((task, who))
        if found is None:
            raise NotRegistered
        return found

    def _delegations_of(self, task: int, who: AccountId) -> list[tuple[AccountId, Position]]:
        return sorted(self.delegations.items_of(OperatorKey(task, who)))

    def _ensure_open(self, task: int) -> int:
        start = self.starts.find(task)
        if start is None or task in self.closing.get():
            raise TaskClosed
        return start

    def _new_position(self, start_day: int, amount: int) -> Position:
        # A position of before the task's first day enters it with that day's snapshot.
        return Position(amount, day=max(self.today(), start_day - 1))

    def _ensure_place(self, task: int, role: Role, *, is_new: bool) -> None:
        """Raises TaskFull. A place is free as soon as its operator's own stake has left."""
        limit = {
            Role.CREATOR: 1,
            Role.TRAINING_NODE: self.config.nodes_max,
            Role.TASK_VALIDATOR: self.config.validators_max,
        }[role]
        places = self.places.get((task, role))
        if places.taken >= limit or (is_new and places.known >= KNOWN_PER_PLACE * limit):
            raise TaskFull

    def _change_own(self, task: int, who: AccountId, operator: Operator, delta: int) -> None:
        own = operator.own.changed(self.today(), delta)
        self.operators.put((task, who), operator.with_own(own))
        self._change_total(task, operator.role, delta)
        self._change_places(task, operator.role, (own.amount > 0) - (operator.own.amount > 0), 0)

    def _change_places(self, task: int, role: Role, taken: int, known: int) -> None:
        if taken or known:
            places = self.places.get((task, role))
            self.places.put((task, role), Places(places.taken + taken, places.known + known))

    def _change_total(self, task: int, role: Role, delta: int) -> None:
        total = self.totals.get((task, role)).changed(self.today(), delta)
        self.totals.put((task, role), total)

    def _put_delegation(
        self, key: OperatorKey, delegator: AccountId, position: Position, delta: int
    ) -> None:
        """Store a delegator's position, which changed by `delta`, and the sums above it."""
        operator = self._operator(key.task, key.operator)
        is_new = not self.delegations.contains((key, delegator))
        delegated = operator.delegated.changed(self.today(), delta)
        self.operators.put(
            (key.task, key.operator),
            operator.with_delegated(delegated, operator.delegators + is_new),
        )
        self.delegations.put((key, delegator), position)
        self._change_total(key.task, operator.role, delta)
        if is_new:
            self.backed.put((StakerKey(key.task, delegator), key.operator), operator.role)
            self._change_ties(key.task, delegator, operator.role, 1)

    def _drop_delegation(self, key: OperatorKey, delegator: AccountId) -> None:
        """Forget a position of 0 planck that never counted: it holds a place for nothing."""
        operator = self._operator(key.task, key.operator)
        self.operators.put(
            (key.task, key.operator),
            operator.with_delegated(operator.delegated, operator.delegators - 1),
        )
        self.delegations.remove((key, delegator))
        self.backed.remove((StakerKey(key.task, delegator), key.operator))
        self._change_ties(key.task, delegator, operator.role, -1)

    def _change_ties(self, task: int, who: AccountId, role: Role, delta: int) -> None:
        ties = self.ties.get((task, who)).changed(role, delta)
        if ties == Ties():
            self.ties.remove((task, who))
        else:
            self.ties.put((task, who), ties)

    def _put_unbonding(self, key: OperatorKey, staker: AccountId, chunks: list[Unbonding]) -> None:
        if chunks:
            self.unbonding.put((key, staker), chunks)
        else:
            self.unbonding.remove((key, staker))

    # -- invariants

    def try_state(self) -> None:
        parts = _by_operator(self.delegations.items())
        chunks = _by_operator(self.unbonding.items())
        held: dict[tuple[AccountId, HoldReason], int] = {}
        sums: dict[tuple[int, Role], int] = {}
        known: dict[tuple[int, Role], Places] = {}
        closing = self.closing.get()
        for (task, who), operator in self.operators.items():
            place, key = (task, operator.role), OperatorKey(task, who)
            own, positions = operator.own.amount, parts.pop(key, {})
            sums[place] = sums.get(place, 0) + own + operator.delegated.amount
            places = known.get(place, Places())
            known[place] = Places(places.taken + (own > 0), places.known + 1)
            if task not in closing:
                self._try_operator(key, operator, positions)
            pieces = [(who, own), *((each, part.amount) for each, part in positions.items())]
            pieces += [(who, c.amount) for who, all_ in chunks.pop(key, {}).items() for c in all_]
            for staker, amount in pieces:
                reason = reason_of(operator.role, is_own=staker == who)
                held[staker, reason] = held.get((staker, reason), 0) + amount
        assert not parts, f"delegations to nobody: {parts}"
        assert not chunks, f"unbonding from nobody: {chunks}"
        for (who, reason), amount in held.items():
            assert self.currency.held(reason, who) == amount, f"holds of {who.hex()} for {reason}"
        open_ = [task for task, _ in self.starts.items() if task not in closing]
        for task in open_:
            for role in Role:
                assert self.totals.get((task, role)).amount == sums.get((task, role), 0)
                assert self.places.get((task, role)) == known.get((task, role), Places())

    def _try_operator(
        self, key: OperatorKey, operator: Operator, parts: dict[AccountId, Position]
    ) -> None:
        delegated, today = operator.delegated, self.today()
        assert sum(part.amount for part in parts.values()) == delegated.amount
        days = sum(part.stake_days_through(today) for part in parts.values())
        assert days == delegated.stake_days_through(today)
        assert operator.delegators == len(parts)
        for who in parts:
            assert self.backed.get((StakerKey(key.task, who), key.operator)) is operator.role


def _by_operator(
    items: Iterable[tuple[tuple[OperatorKey, AccountId], T]],
) -> dict[OperatorKey, dict[AccountId, T]]:
    grouped: dict[OperatorKey, dict[AccountId, T]] = {}
    for (key, staker), value in items:
        grouped.setdefault(key, {})[staker] = value
    return grouped
