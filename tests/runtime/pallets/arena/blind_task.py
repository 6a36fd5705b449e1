"""A task whose nodes submit under names or aliases, played day by day with the same scores."""

from __future__ import annotations

from collections.abc import Iterable

from runtime import frame
from runtime.constants import DEVNET, Preset
from runtime.frame.origin import signed
from tests.runtime.pallets.alias_world import open_aliases, set_ring_keys
from tests.runtime.pallets.arena.test_verified_task import SAME
from tests.runtime.pallets.world import (
    KEY_B,
    NODES,
    VALIDATORS,
    World,
    account,
    new_world,
    terms,
    with_participants,
)

EVERYBODY = ("creator", *NODES, *VALIDATORS)


def running(preset: Preset = DEVNET, *, budget: int = 0, **changes: object) -> World:
    """Day 0 of a task, verified or with a budget of its own; every node has a ring key."""
    world = new_world(preset=preset)
    creator = account("creator")
    if budget:
        world.tasks.create_task(signed(creator), terms(**changes), budget)
    else:
        world.tasks.create_verified_task(frame.ROOT, creator, terms(**changes))
    with_participants(world, 0)
    set_ring_keys(world, NODES)
    return world


def play(
    world: World, day: int, opened: Iterable[str] = (), of: int | None = None, until: int = 20
) -> None:
    """Everybody scores; these open their aliases of the day, or of day `of`."""
    if day == world.tasks.get_task(0).final_day():
        world.go_to(day, 1)
        world.tasks.reveal_key(signed(account("creator")), 0, KEY_B)
    world.go_to(day, 10)
    sheets = {name: world.sheet(name, 0, given) for name, given in SAME.items()}
    drawn = {name: sheet for name, sheet in sheets.items() if sheet}
    for name, sheet in drawn.items():
        world.seal_sheet(name, 0, sheet)
    world.go_to(day, 14)
    for name, sheet in drawn.items():
        world.open_sheet(name, 0, sheet)
    world.go_to(day, 17)
    for name in opened:
        open_aliases(world, name, 0, day if of is None else of)
    world.go_to(day, until)


def owned(world: World) -> dict[str, int]:
    """What everybody owns, planck."""
    return {name: world.owned(name) for name in EVERYBODY}
