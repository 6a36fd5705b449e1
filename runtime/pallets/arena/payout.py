"""Payments of a settled day, operator by operator down to delegators; then the day's end.

Invariant: after a day's last payment its pot holds what vests and nothing else of that day.
Source: WP V.E to V.G (operators and delegators), WP V.H (completion), WP II.D.3 (stakes are freed).
"""

from __future__ import annotations

from typing import Final

from runtime.economy.stakes import StakeShares
from runtime.economy.tasks import TaskStatus
from runtime.pallets.arena import events
from runtime.pallets.arena.cursor import Cursor, next_task
from runtime.pallets.arena.records import (
    OF_ALL_DAYS,
    DayKey,
    Payment,
    PaymentKind,
)
from runtime.pallets.arena.split import split_delegation
from runtime.pallets.arena.storage import Arena, pot_of
from runtime.primitives.types import AccountId

EARNED: Final = (PaymentKind.REWARD_A, PaymentKind.VALIDATION, *OF_ALL_DAYS)


class Payout:
    """Pays, and ends days and tasks."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def pay(self, key: DayKey, index: int, budget: int) -> tuple[int, bool, int]:
        """Pay operators from payment `index` on; a step is one receiver.

        Returns the index of what comes next, whether all is paid, and the steps used.
        """
        payments, used = self.arena.payments.get(key), 0
        while index < len(payments) and used < budget:
            used += self._pay_operator(key, payments[index])
            index += 1
        return index, index == len(payments), used + 1

    def _pay_operator(self, key: DayKey, payment: Payment) -> int:
        """Pay out of the pot. What an account that was reaped cannot take goes to the treasury."""
        arena, pot, receivers = self.arena, pot_of(key.task), self.receivers(key, payment)
        if payment.kind in EARNED:
            arena.tasks.note_rewarded(payment.operator)
        parts = [part for part in receivers if part[1]]
        refused = arena.currency.pay_out(pot, parts)
        for who, amount in parts:
            if (who, amount) in refused:
                arena.currency.transfer(pot, arena.config.treasury, amount, keep_alive=False)
                arena.deposit_event(events.Undeliverable(key.task, key.day, who, amount))
                continue
            arena.deposit_event(
                events.Paid(
                    key.task, key.day, who, payment.operator, payment.role, payment.kind, amount
                )
            )
        return len(receivers)

    def receivers(self, key: DayKey, payment: Payment) -> list[tuple[AccountId, int]]:
        """Operator and delegators with their parts: by the day's stakes, or by all days'."""
        stakes = self.arena.stakes
        read = stakes.shares_through if payment.kind in OF_ALL_DAYS else stakes.shares_on
        return divide(payment, read(key.task, payment.operator, key.day))

    # -- the end of a day, and of a task

    def finish(self, key: DayKey, cursor: Cursor) -> tuple[Cursor, int]:
        """End the task's day; on its final day end the task. Emits DaySettled."""
        arena = self.arena
        arena.deposit_event(events.DaySettled(key.task, key.day))
        if key.day == arena.tasks.get_task(key.task).final_day():
            self._end(key.task)
        return next_task(cursor), 2

    def _end(self, task: int) -> None:
        arena = self.arena
        self._clear_vested(task)
        if not arena.counted.get(task):
            arena.deposit_event(events.TaskFailed(task))
            arena.tasks.end_task(task, TaskStatus.FAILED)
            return
        best = arena.best.find(task)
        if best is not None:
            arena.models.record_model(
                task,
                best.content,
                best.submission,
                best.owner,
                (best.numerator, best.denominator),
                arena.tasks.get_task(task).terms.parents,
            )
        arena.deposit_event(events.TaskCompleted(task, None if best is None else best.content))
        arena.tasks.end_task(task, TaskStatus.COMPLETED)

    def _clear_vested(self, task: int) -> None:
        """Reward B that nobody can get is burned; what its own budget paid returns."""
        arena = self.arena
        amount, own = arena.vested.get(task), arena.vested_own.get(task)
        arena.vested.remove(task)
        arena.vested_own.remove(task)
        if amount > own:
            arena.currency.burn(pot_of(task), amount - own)
        if own:
            arena.tasks.return_to_creator(task, pot_of(task), own)


def divide(payment: Payment, shares: StakeShares) -> list[tuple[AccountId, int]]:
    """A payment among the operator and its delegators, in account order."""
    accounts = [payment.operator, *(who for who, _ in shares.delegations)]
    stakes = [amount for _, amount in shares.delegations]
    if not shares.own + sum(stakes):
        return [(payment.operator, payment.amount)]  # no stake on any day: nobody shares
    parts = split_delegation(payment.amount, shares.own, stakes, shares.ratio)
    return list(zip(accounts, parts, strict=True))
