"""Staking, delegating and leaving: the moves of the stake ledger while a task lives.

Source: WP II.D (delegation), WP V.G.
"""

from __future__ import annotations

from dataclasses import replace

from runtime import frame
from runtime.economy.tasks import Hardware, Role
from runtime.frame.weights import Weight
from runtime.pallets.delegation.ledger import UNBONDINGS_MAX, Config, reason_of
from runtime.pallets.delegation.ratio import ShareRatio
from runtime.pallets.delegation.records import (
    AlreadyRegistered,
    CreatorStakeLocked,
    DelegationTooSmall,
    Freed,
    InsufficientStake,
    LeastStays,
    NothingToFree,
    Operator,
    OperatorKey,
    RatioAboveOne,
    RatioCutTooSoon,
    RatioUnchanged,
    SelfDelegation,
    ShareRatioScheduled,
    Staked,
    StakeTooLow,
    TiedAccount,
    Ties,
    TooManyDelegators,
    TooManyUnbondings,
    Unbonding,
    UnbondingBegan,
)
from runtime.pallets.delegation.slashing import Slashing
from runtime.primitives.rational import Rational
from runtime.primitives.types import U32, AccountId, CompactBalance

STAKE = Weight(150_000_000)

__all__ = ["Config", "Delegation"]


class Delegation(Slashing, index=31):
    # -- calls

    @frame.call(0, weight=STAKE)
    def bond_extra(self, origin: frame.Origin, task: U32, amount: CompactBalance) -> None:
        """Add to one's own stake in a task; it counts from the next day. Signed. Emits Staked.

        Who had left takes a place again. Raises StakeTooLow, TaskFull.
        """
        who = frame.ensure_signed(origin)
        self._ensure_open(task)
        operator = self._operator(task, who)
        if operator.own.amount + amount < operator.minimum:
            raise StakeTooLow
        if not operator.own.amount:
            self._ensure_place(task, operator.role, is_new=False)
        self.currency.hold(reason_of(operator.role, is_own=True), who, amount)
        self._change_own(task, who, operator, amount)
        self.deposit_event(Staked(task, who, who, operator.role, amount))

    @frame.call(1, weight=STAKE)
    def unbond(self, origin: frame.Origin, task: U32, amount: CompactBalance) -> None:
        """Take out own stake: all, or so much that the minimum stays. Signed.

        Emits UnbondingBegan. Raises CreatorStakeLocked, StakeTooLow, InsufficientStake.
        """
        who = frame.ensure_signed(origin)
        self._ensure_open(task)
        operator = self._operator(task, who)
        if operator.role is Role.CREATOR:
            raise CreatorStakeLocked
        left = operator.own.amount - amount
        if left < 0 or amount == 0:
            raise InsufficientStake
        if 0 < left < operator.minimum:
            raise StakeTooLow
        self._begin_unbonding(OperatorKey(task, who), who, amount)
        self._change_own(task, who, operator, -amount)

    @frame.call(2, weight=STAKE)
    def free_unbonded(self, origin: frame.Origin, task: U32, operator: AccountId) -> None:
        """Get back what has matured behind `operator`. Signed by the staker. Emits Freed."""
        who = frame.ensure_signed(origin)
        key, role = OperatorKey(task, operator), self._operator(task, operator).role
        chunks, today = self.unbonding.get((key, who)), self.today()
        amount = sum(chunk.amount for chunk in chunks if chunk.free_day <= today)
        if not amount:
            raise NothingToFree
        self.currency.release(reason_of(role, is_own=who == operator), who, amount)
        left = [chunk for chunk in chunks if chunk.free_day > today]
        self._put_unbonding(key, who, left)
        self.deposit_event(Freed(task, operator, who, amount))
        position = self.delegations.find((key, who))
        if position is None or left:
            return
        if not position.amount and not position.stake_days_through(today):
            self._drop_delegation(key, who)

    @frame.call(3, weight=STAKE)
    def delegate(
        self, origin: frame.Origin, task: U32, operator: AccountId, amount: CompactBalance
    ) -> None:
        """Put stake behind an operator; it counts from the next day. Signed. Emits Staked.

        Raises TiedAccount, SelfDelegation, DelegationTooSmall, TooManyDelegators.
        """
        who = frame.ensure_signed(origin)
        start = self._ensure_open(task)
        target, key = self._operator(task, operator), OperatorKey(task, operator)
        if who == operator:
            raise SelfDelegation
        position = self.delegations.find((key, who))
        self._ensure_untied(task, who, target.role)
        if (position.amount if position else 0) + amount < self.config.delegation_min:
            raise DelegationTooSmall
        if position is None and target.delegators >= self.config.delegators_max:
            raise TooManyDelegators
        self.currency.hold(reason_of(target.role, is_own=False), who, amount)
        if position is None:
            position = self._new_position(start, amount)
        else:
            position = position.changed(self.today(), amount)
        self._put_delegation(key, who, position, amount)
        self.deposit_event(Staked(task, operator, who, target.role, amount))

    @frame.call(4, weight=STAKE)
    def undelegate(
        self, origin: frame.Origin, task: U32, operator: AccountId, amount: CompactBalance
    ) -> None:
        """Begin to take a delegation back, or all but the least of it. Signed by the delegator.

        Once it has counted for a day the least stays until the task ends: a place is never held for
        nothing, and what vests needs it. Emits UnbondingBegan. Raises InsufficientStake,
        DelegationTooSmall, LeastStays, TooManyUnbondings.
        """
        who = frame.ensure_signed(origin)
        self._ensure_open(task)
        key = OperatorKey(task, operator)
        position = self.delegations.find((key, who))
        left = (position.amount if position else 0) - amount
        if position is None or left < 0 or amount == 0:
            raise InsufficientStake
        if 0 < left < self.config.delegation_min:
            raise DelegationTooSmall
        if not left and position.stake_days_through(self.today()):
            raise LeastStays
        self._begin_unbonding(key, who, amount)
        self._put_delegation(key, who, position.changed(self.today(), -amount), -amount)

    def _ensure_untied(self, task: int, who: AccountId, backed: Role) -> None:
        own = self.operators.find((task, who))
        if own is not None and Ties().changed(backed, 1).forbids(own.role):
            raise TiedAccount

    # -- the ledger of the other pallets

    def open_task(self, task: int, start_day: int) -> None:
        """Take stakes for a task whose first day is `start_day`, a later one than today."""
        self.starts.put(task, start_day)
        for role in Role:
            self.totals.put((task, role), self._new_position(start_day, 0))

    def ensure_can_register(
        self, task: int, who: AccountId, role: Role, stake: int, minimum: int, ratio: Rational
    ) -> None:
        """Raises why `register` would fail, but for missing funds."""
        self._ensure_open(task)
        if self.operators.contains((task, who)):
            raise AlreadyRegistered
        if stake < minimum and not self._is_covered(who, role, stake, minimum):
            raise StakeTooLow
        if not ratio.is_at_most_one():
            raise RatioAboveOne
        self._ensure_place(task, role, is_new=True)
        if self.ties.get((task, who)).forbids(role):
            raise TiedAccount

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
        """Give `who` a role with its own stake, held; `ensure_can_register` came before.

        What is missing to the minimum its lock covers until the task ends.
        """
        covered = max(minimum - stake, 0)
        if covered:
            self.locks.cover(who, covered)
        self.currency.hold(reason_of(role, is_own=True), who, stake)
        start = self._ensure_open(task)
        own, none = self._new_position(start, stake), self._new_position(start, 0)
        shared = ShareRatio.starting(own.day + 1, ratio)
        self.operators.put(
            (task, who),
            Operator(role, own, none, shared, minimum - covered, hardware, covered=covered),
        )
        self._change_places(task, role, int(stake > 0), 1)
        self._change_total(task, role, stake)
        self.deposit_event(Staked(task, who, who, role, stake))

    def least_stake(self, who: AccountId, minimum: int) -> int:
        """What of a minimum the lock of `who` does not cover, planck."""
        return max(minimum - self.locks.spare(who), 0)

    def _is_covered(self, who: AccountId, role: Role, stake: int, minimum: int) -> bool:
        """Whether a lock makes up for what a node or a creator stakes too little."""
        if role is Role.TASK_VALIDATOR or (role is Role.TRAINING_NODE and not stake):
            return False  # a validator's word weighs by real tokens, a node's model as well
        return stake >= self.least_stake(who, minimum)

    def change_ratio(self, task: int, who: AccountId, ratio: Rational) -> None:
        """A rise acts the next day and takes an announced cut back; a cut acts after its notice.

        Emits ShareRatioScheduled. Raises TaskClosed, NotRegistered, RatioAboveOne,
        RatioCutTooSoon, RatioUnchanged.
        """
        self._ensure_open(task)
        operator, today = self._operator(task, who), self.today()
        if not ratio.is_at_most_one():
            raise RatioAboveOne
        shared, tomorrow = operator.ratio, today + 1
        now = shared.at(tomorrow)
        if ratio == now and shared.entries[-1].from_day <= tomorrow:
            raise RatioUnchanged
        is_cut, from_day = ratio < now, tomorrow
        if is_cut:
            # Never two cuts under way at once, whatever the sizes of a network.
            interval = max(self.config.ratio_interval_days, self.config.unbonding_days)
            if shared.last_cut is not None and today < shared.last_cut + interval:
                raise RatioCutTooSoon
            from_day = today + max(self.config.unbonding_days, 1)
        from_day = max(from_day, shared.first_day)
        changed = shared.changed(today, from_day, ratio, is_cut=is_cut)
        self.operators.put((task, who), replace(operator, ratio=changed))
        self.deposit_event(ShareRatioScheduled(task, who, ratio, from_day))

    # -- unbonding

    def _begin_unbonding(self, key: OperatorKey, staker: AccountId, amount: int) -> None:
        free_day = self.today() + self.config.unbonding_days
        chunks = self.unbonding.get((key, staker))
        if chunks and chunks[-1].free_day == free_day:
            chunks = [*chunks[:-1], Unbonding(chunks[-1].amount + amount, free_day)]
        elif len(chunks) < UNBONDINGS_MAX:
            chunks = [*chunks, Unbonding(amount, free_day)]
        else:
            raise TooManyUnbondings
        self.unbonding.put((key, staker), chunks)
        self.deposit_event(UnbondingBegan(key.task, key.operator, staker, amount, free_day))
