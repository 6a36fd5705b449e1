"""The state of a chain on which a verified task ran from creation to completion."""

from __future__ import annotations

from runtime import frame
from runtime.version import CODE_KEY, code_stub
from tests.runtime.pallets.world import (
    MODELS,
    SCORES,
    VALIDATORS,
    World,
    account,
    new_world,
    open_key,
    score,
    submit,
    terms,
    with_participants,
)

SAME = dict.fromkeys(VALIDATORS, SCORES)


def play(days: int = 3) -> World:
    """Day 0: creation; days 1 to 3: task 0, of which the first `days` are played."""
    world = new_world(checks=False)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    if days > 1:
        score(world, 2, 0, SAME)
    if days > 2:
        open_key(world, 3, 0)
        score(world, 3, 0, SAME)
        world.go_to(4, 1)
    return world


def top_of(world: World) -> dict[bytes, bytes]:
    """Every key of the world's state, with the name of its runtime."""
    changed = {**world.state.top, **world.ext.changes(), CODE_KEY: code_stub("devnet")}
    return {key: value for key, value in changed.items() if value is not None}
