"""A task without committees that is played in memory, and its state as a live chain's.

Without committees nothing depends on the draw, so a copy must pay to the planck what the chain
itself goes on to pay.
"""

from __future__ import annotations

from collections.abc import Callable

from flockchain.economics.live_state import LiveState
from flockchain.sdk import Head
from runtime import frame
from runtime.frame.externalities import DictState
from runtime.frame.origin import signed
from runtime.pallets.arena.events import Paid
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Digest, Header
from runtime.primitives.rational import Rational
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import FML, ZERO_HASH, Hash
from tests.runtime.pallets.world import (
    MODELS,
    World,
    account,
    new_world,
    submit,
    terms,
    with_participants,
)
from tests.runtime.played_state import top_of

SHEETS: dict[str, dict[str, int | None]] = {
    "v1": {"good": 950_000_000, "fair": 800_000_000, "noise": 100_000_000},
    "v2": {"good": 940_000_000, "fair": 805_000_000, "noise": 110_000_000},
    "v3": {"good": 955_000_000, "fair": 790_000_000, "noise": 90_000_000},
}
Change = Callable[[World], None]


def begin(days: int = 4, **changes: object) -> World:
    """Day 1 of a task is played; it is the first block of day 2."""
    world = new_world(checks=False)
    world.tasks.create_verified_task(
        frame.ROOT, account("creator"), terms(seats=0, final_seats=0, days=days, **changes)
    )
    with_participants(world, 0)
    world.ledger.delegate(signed(account("idle")), 0, account("v2"), 40 * FML)
    world.tasks.set_share_ratio(signed(account("v2")), 0, Rational(1, 2))
    submit(world, 1, 0, MODELS)
    score_day(world, 1)
    world.go_to(2)
    return world


def score_day(world: World, day: int, sheets: dict[str, dict[str, int | None]] = SHEETS) -> None:
    """Everybody seals and opens; the day is not settled yet."""
    world.go_to(day, 10)
    made = {name: world.sheet(name, 0, scores) for name, scores in sheets.items()}
    for name, sheet in made.items():
        world.seal_sheet(name, 0, sheet)
    world.go_to(day, 14)
    for name, sheet in made.items():
        world.open_sheet(name, 0, sheet)


def live_state(world: World) -> LiveState:
    """The state after the world's block, as if a node had sent it."""
    top = top_of(world)
    header = Header(ZERO_HASH, world.number, ZERO_HASH, ZERO_HASH, Digest([]))
    return LiveState(Head(Hash(blake2b_256(b"head")), header), DictState(top), is_proven=False)


def paid_on(world: World, day: int, task: int = 0) -> dict[str, int]:
    """What a day paid by address, all kinds."""
    sums: dict[str, int] = {}
    for event in world.events(Paid):
        if isinstance(event, Paid) and (event.task, event.day) == (task, day):
            name = encode_address(event.who)
            sums[name] = sums.get(name, 0) + event.amount
    return sums


def address(name: str) -> str:
    return encode_address(account(name))
