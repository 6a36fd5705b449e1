"""Payments of a settled day, operator by operator down to delegators; then the day's end.

Invariant: after a day's last payment its pot holds what vests and nothing else of that day.
Source: WP V.E to V.G (operators and delegators), WP V.H (completion), WP II.D.3 (stakes are freed).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from runtime.economy.stakes import StakeShares
from runtime.economy.tasks import TaskStatus
from runtime.pallets.arena import events
from runtime.pallets.arena.budget import Budget
from runtime.pallets.arena.cursor import Cursor, next_task
from runtime.pallets.arena.records import (
    OF_ALL_DAYS,
    DayKey,
    Payment,
    PaymentKind,
)
from runtime.pallets.arena.split import split_delegation
from runtime.pallets.arena.storage import Arena, pot_of
from runtime.pallets.arena.work_records import Part
from runtime.primitives.types import AccountId

EARNED: Final = (PaymentKind.REWARD_A, PaymentKind.VALIDATION, *OF_ALL_DAYS)
DIVIDE_STEPS: Final = 2  # for each who has stake behind the operator
PART_STEPS: Final = 6  # an account, an event, and its place in the state's root
PAYMENTS_PER_STEP: Final = 3  # read again
FINISH_STEPS: Final = 60


class Payout:
    """Pays, and ends days and tasks."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def pay(self, key: DayKey, cursor: Cursor, budget: Budget) -> tuple[Cursor, bool]:
        """Go on with the day's payments, receiver by receiver; whether all are made.

        A payment is divided when it is begun, and its parts are kept until all are paid.
        """
        arena, paid = self.arena, cursor.paid
        payments, parts = arena.payments.get(key), arena.unpaid.get()
        budget.spend(len(payments) // PAYMENTS_PER_STEP)
        was_begun = bool(parts)
        while paid < len(payments):
            if not parts:
                parts = self._begin(key, payments[paid], budget)
            count = budget.take_some(PART_STEPS, len(parts))
            if not count:
                break
            self._pay_parts(key, payments[paid], parts[:count])
            parts = parts[count:]
            paid += not parts
        if parts:
            arena.unpaid.put(parts)
        elif was_begun:
            arena.unpaid.remove()
        return replace(cursor, paid=paid), paid == len(payments)

    def _begin(self, key: DayKey, payment: Payment, budget: Budget) -> list[Part]:
        """Divide a payment if the budget allows it; otherwise nothing is returned."""
        arena = self.arena
        backers = arena.stakes.backers_of(key.task, payment.operator)
        if not budget.take(DIVIDE_STEPS * backers):
            return []
        if payment.kind in EARNED:
            arena.tasks.note_rewarded(payment.operator)
        return [Part(who, part) for who, part in self.receivers(key, payment) if part]

    def _pay_parts(self, key: DayKey, payment: Payment, parts: list[Part]) -> None:
        """Pay out of the pot. What an account that was reaped cannot take goes to the treasury."""
        arena, pot = self.arena, pot_of(key.task)
        due = [(part.who, part.amount) for part in parts]
        refused = arena.currency.pay_out(pot, due)
        for who, amount in due:
            if (who, amount) in refused:
                arena.currency.transfer(pot, arena.config.treasury, amount, keep_alive=False)
                arena.deposit_event(events.Undeliverable(key.task, key.day, who, amount))
                continue
            arena.deposit_event(
                events.Paid(
                    key.task, key.day, who, payment.operator, payment.role, payment.kind, amount
                )
            )

    def receivers(self, key: DayKey, payment: Payment) -> list[tuple[AccountId, int]]:
        """Operator and delegators with their parts: by the day's stakes, or by all days'."""
        stakes = self.arena.stakes
        read = stakes.shares_through if payment.kind in OF_ALL_DAYS else stakes.shares_on
        return divide(payment, read(key.task, payment.operator, key.day))

    # -- the end of a day, and of a task

    def finish(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        """End the task's day; on its final day end the task. Emits DaySettled."""
        arena = self.arena
        if not budget.take(FINISH_STEPS):
            return cursor
        arena.deposit_event(events.DaySettled(key.task, key.day))
        if key.day == arena.tasks.get_task(key.task).final_day():
            self._end(key.task)
        return next_task(cursor)

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
