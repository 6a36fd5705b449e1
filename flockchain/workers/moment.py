"""When a duty acts: the best block, its state, and the block that an extrinsic can still enter.

Invariant: windows are judged by the next block's number, since nothing enters the best block any
more.

Source: WP Fig. 3 (submission, validation, consensus, reward); windows are half-open.
"""

from __future__ import annotations

from dataclasses import dataclass

from flockchain.sdk import Head, StateView
from runtime.economy.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Moment:
    """A best block and what can be done on top of it."""

    head: Head
    view: StateView
    calendar: Calendar

    @property
    def next_number(self) -> int:
        """The number of the next block."""
        return self.head.number + 1

    @property
    def day(self) -> int:
        """The day of the next block."""
        return self.calendar.day_of(self.next_number)

    @property
    def position(self) -> int:
        """The next block's offset in its day."""
        return self.calendar.position_of(self.next_number)

    def is_in(self, start: int, end: int) -> bool:
        """Whether the next block lies in the window [start, end) of its day."""
        return start <= self.position < end
