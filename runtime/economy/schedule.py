"""Values that act from a day on: what is in force on a day, and what a change leaves to remember.

Invariant: entries are ascending by day; what was in force on the two days before today is still
known, because nodes may be paid for a day with the next one, and its settlement end a day later.
Source: WP IV.A (the DAO changes tasks), WP II.D (reward share ratios).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Dated(Protocol):
    """An entry of a schedule."""

    @property
    def from_day(self) -> int:
        """The first day that it acts on."""


Entry = TypeVar("Entry", bound=Dated)


def in_force(entries: Sequence[Entry], day: int) -> Entry:
    """The entry of a day; the first one for any day before it. There is at least one."""
    found = entries[0]
    for entry in entries[1:]:
        if entry.from_day <= day:
            found = entry
    return found


def scheduled(entries: Sequence[Entry], today: int, new: Entry) -> tuple[list[Entry], list[Entry]]:
    """(entries dropped, entries kept) with `new` after them.

    Entries that would begin with or after `new` give way to it; of the past only what was in force
    on the last two days stays, and what is announced.
    """
    ahead = [entry for entry in entries if entry.from_day < new.from_day]
    first = ahead.index(in_force(ahead, today - 2)) if ahead else 0
    return ahead[:first], [*ahead[first:], new]
