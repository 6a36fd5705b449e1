"""A settled day of a task as the state holds it: its result, its payments, its task.

Owns the reading of the records that every term of the day shares, and of what the settlement's
blocks told. Invariant: a list of payments that is recomputed equals the recorded one as a whole, so
that no payment can hide.
Source: WP V.H (the day's settlement).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flockchain.economics.derivation.state_book import StateBook
from flockchain.economics.derivation.terms import ExplainError, Read, ensure_equal
from runtime.economy.tasks import Task
from runtime.pallets.arena.alias_events import HeldSettled
from runtime.pallets.arena.events import DaySettled, Paid, Undeliverable
from runtime.pallets.arena.records import DayKey, DayResult, Payment, PaymentKind
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import AccountId


@dataclass(frozen=True, slots=True)
class SettlementEvents:
    """What the given blocks told of the day. `is_whole`: the end of what it pays is among them.

    `reads` are the keys of all events of those blocks, also of others' days.
    """

    paid: tuple[tuple[Paid, Read], ...] = ()
    undeliverable: tuple[tuple[Undeliverable, Read], ...] = ()
    is_whole: bool = False
    reads: tuple[Read, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.paid or self.undeliverable or self.is_whole)


@dataclass(frozen=True, slots=True)
class DayRecord:
    """The day; `reads` are the keys of result, payments and task."""

    book: StateBook
    key: DayKey
    task: Task
    result: DayResult
    payments: list[Payment]
    events: SettlementEvents
    reads: tuple[Read, ...]

    def payments_of(self, kind: PaymentKind) -> list[tuple[AccountId, int]]:
        """(operator, planck) as recorded."""
        return [(each.operator, each.amount) for each in self.payments if each.kind is kind]

    def ensure_payments(
        self, kind: PaymentKind, accounts: Sequence[AccountId], amounts: Sequence[int]
    ) -> None:
        """Raises ExplainError unless these, without those of nothing, are the recorded ones."""
        computed = [pair for pair in zip(accounts, amounts, strict=True) if pair[1]]
        ensure_equal(f"payments {kind.name}", _shown(computed), _shown(self.payments_of(kind)))


def _shown(pairs: Sequence[tuple[AccountId, int]]) -> list[str]:
    return [f"{encode_address(account)}: {amount}" for account, amount in pairs]


def read_day(
    book: StateBook, task: int, day: int, settlement: Sequence[StateBook] = ()
) -> DayRecord:
    """The day's records, and its events in the settlement's blocks. Raises ExplainError."""
    key, page = DayKey(task, day), book.open()
    arena = page.runtime.arena
    result = arena.day_results.find(key)
    if result is None:
        raise ExplainError(f"day {day} of task {task} is not settled, or its records were dropped")
    payments = arena.payments.get(key)
    record = page.runtime.tasks.get_task(task)
    events = read_events(key, settlement, is_held=was_held(result, day))
    return DayRecord(book, key, record, result, payments, events, page.reads())


def was_held(result: DayResult, day: int) -> bool:
    """Whether the day's nodes were ranked and paid with the next day."""
    return result.ranked_on is not None and result.ranked_on != day


def read_events(key: DayKey, settlement: Sequence[StateBook], *, is_held: bool) -> SettlementEvents:
    """What the settlement's blocks told of the task's day; its end is that of what it held."""
    end = HeldSettled if is_held else DaySettled
    paid: list[tuple[Paid, Read]] = []
    lost: list[tuple[Undeliverable, Read]] = []
    reads: list[Read] = []
    is_whole = False
    for book in settlement:
        page = book.open()
        events = [record.event for record in page.runtime.system.events.get()]
        (read,) = page.reads()
        reads += [book.code_read, read]  # the rules of that block, too
        for event in events:
            if isinstance(event, (Paid, Undeliverable, end)):
                if (event.task, event.day) != (key.task, key.day):
                    continue
                if isinstance(event, Paid):
                    paid.append((event, read))
                elif isinstance(event, Undeliverable):
                    lost.append((event, read))
                else:
                    is_whole = True
    return SettlementEvents(tuple(paid), tuple(lost), is_whole, tuple(reads))
