"""The arena's queue: what waits is begun in order, and what is done leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import frame
from runtime.constants import DEVNET
from runtime.economy.calendar import Calendar
from tests.runtime.pallets.world import account, new_world, terms, with_participants

LONG = replace(DEVNET, calendar=Calendar(100, 8, 10, 80, 85, 90))  # blocks to score in


@pytest.mark.parametrize("steps", [1, 2, 3, 20])
def test_a_job_that_ends_with_its_block_is_forgotten(steps: int) -> None:
    world = new_world(preset=LONG)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    world.arena.config = replace(world.arena.config, steps_per_block=steps)
    world.go_to(1, LONG.calendar.reveal_end)
    assert world.arena.jobs.get() or world.arena.cursor.exists()
    world.go_to(1, LONG.calendar.commit_end)
    assert world.arena.jobs.get() == []
    assert not world.arena.cursor.exists()
