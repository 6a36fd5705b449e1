"""The choice of a ring and of a moment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from flockchain.workers.crowds import NoCrowd, choose_position, find_crowd, last_position
from flockchain.workers.desk import Desk
from flockchain.workers.moment import Moment
from runtime.constants import DEVNET, MAINNET
from runtime.pallets.arena.key_records import RingPlace, RollMember

DAY = 3


@dataclass
class View:
    """A state with these places and this roll."""

    places: list[RingPlace]
    roll: list[RollMember] | None = None

    async def ask(self, *_: object) -> list[RingPlace]:
        return self.places

    async def find(self, *_: object) -> list[RollMember] | None:
        return self.roll


def at(position: int, view: Any = None) -> Moment:
    """The moment at which the next block has this place in its day."""
    head = SimpleNamespace(number=DEVNET.calendar.first_block(DAY) + position - 1)
    return Moment(cast(Any, head), view, DEVNET.calendar)


def crowd(position: int, view: View) -> RingPlace | NoCrowd | None:
    desk = cast(Desk, SimpleNamespace(key=SimpleNamespace(account=bytes(32))))
    return asyncio.run(find_crowd(desk, at(position, view), 0))


def test_the_largest_crowd_is_chosen_and_of_equal_ones_the_first() -> None:
    places = [RingPlace(0, 4, 20), RingPlace(1, 2, 31), RingPlace(2, 1, 31)]
    assert crowd(1, View(places)) == places[1]


def test_rings_are_waited_for_until_it_is_late() -> None:
    assert crowd(0, View([])) is None
    assert crowd(last_position(DEVNET.calendar) - 1, View([])) is None
    late = crowd(last_position(DEVNET.calendar), View([]))
    assert late == NoCrowd("no rings were dealt today")


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (
            View([], roll=[]),
            "it is in no ring today: its key acts from the day after it was set on",
        ),
        (
            View([RingPlace(0, 0, 1)]),
            "its ring has no other member, and a ring of one hides nothing",
        ),
    ],
)
def test_where_nothing_hides_the_reason_is_told(view: View, reason: str) -> None:
    assert crowd(1, view) == NoCrowd(reason)


def test_every_block_from_now_to_the_last_is_as_likely() -> None:
    random = Random(1)
    assert {choose_position(at(2), random) for _ in range(200)} == set(range(2, 7))
    assert {choose_position(at(7), random) for _ in range(20)} == {7}
    assert last_position(MAINNET.calendar) == 7_200 - 450
