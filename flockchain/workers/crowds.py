"""Where a submission can hide today: a place in a ring, or why there is none.

Owns the choice of the ring and of the moment in the submit window. The largest crowd is chosen, of
equal ones the first: who chose otherwise would stand out. Invariant: a submission goes out under
its maker's name only where no alias could hide it.

Source: WP V.B (blind validation), Table I (free riders).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from flockchain.workers.desk import Desk
from flockchain.workers.moment import Moment
from runtime.arena_api import ArenaApi
from runtime.economy.calendar import Calendar
from runtime.pallets.arena import Arena
from runtime.pallets.arena.key_records import RingPlace
from runtime.pallets.arena.records import DayKey

_LATE_BLOCKS_MIN: Final = 2  # in which what was sent last can still enter a block
_LATE_PART: Final = 16  # of the submit window


@dataclass(frozen=True, slots=True)
class NoCrowd:
    """No alias can hide the account today; `reason` is for the log."""

    reason: str


async def find_crowd(desk: Desk, now: Moment, task: int) -> RingPlace | NoCrowd | None:
    """The place in which to sign today; None while the rings are not dealt yet. Raises SdkError."""
    who, day = desk.key.account, now.day
    places = await now.view.ask(ArenaApi.ring_places, task, day, who)
    if not places:
        roll = await now.view.find(Arena.rolls, DayKey(task, day))
        if roll is None:
            is_late = now.position >= last_position(now.calendar)
            return NoCrowd("no rings were dealt today") if is_late else None
        return NoCrowd("it is in no ring today: its key acts from the day after it was set on")
    largest = max(places, key=lambda place: (place.size, -place.index))
    if largest.size == 1:
        return NoCrowd("its ring has no other member, and a ring of one hides nothing")
    return largest


def last_position(calendar: Calendar) -> int:
    """The last offset in the day at which an alias is sent: later it might miss the window."""
    late = max(_LATE_BLOCKS_MIN, calendar.submit_end // _LATE_PART)
    return max(calendar.submit_end - late, 0)


def choose_position(now: Moment, random: Random) -> int:
    """When in the rest of the submit window to act: every block is as likely as any other."""
    last = max(now.position, last_position(now.calendar))
    return random.randint(now.position, last)
