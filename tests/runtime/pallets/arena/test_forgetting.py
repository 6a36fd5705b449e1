"""Records are dropped some days later, so many a block, those of cancelled tasks as well."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from runtime import frame
from runtime.constants import DEVNET
from runtime.frame.origin import signed
from runtime.pallets.arena.records import DayKey
from runtime.pallets.arena.storage import Config
from tests.runtime.pallets.alias_world import commit_alias, set_ring_keys, submit_blind
from tests.runtime.pallets.arena.blind_task import play, running
from tests.runtime.pallets.world import (
    MODELS,
    NODES,
    World,
    account,
    new_world,
    terms,
    with_participants,
)

TWO_DAYS = replace(DEVNET, kept_days=2)
OF_A_TASK = [
    "rolls",
    "aliases",
    "alias_tags",
    "model_keys",
    "rosters",
    "drawn",
    "assignments",
    "score_seals",
    "ballots",
    "results",
    "day_results",
    "payments",
    "seals",
    "submissions",
    "first_seen",
    "standing",
    "node_records",
    "validator_records",
    "expiring",
    "wrong_data",
    "bounty_results",
]


def left(world: World) -> list[str]:
    """Items that still have entries."""
    return [name for name in OF_A_TASK if list(getattr(world.arena, name).keys())]


def test_nothing_of_a_blind_task_stays() -> None:
    world = running(TWO_DAYS, days=2)
    submit_blind(world, 1, 0, MODELS)
    play(world, 1)
    play(world, 2, NODES, of=1)
    world.go_to(3, 17)
    assert {"rolls", "aliases", "alias_tags", "submissions"} <= set(left(world))
    world.go_to(4)
    assert not {"rolls", "aliases", "alias_tags"} & set(left(world))
    assert "submissions" in left(world)
    world.go_to(5)
    assert left(world) == []
    assert world.arena.expired.get() == []


def test_a_block_drops_no_more_than_its_steps_allow() -> None:
    world = running(TWO_DAYS, days=2)
    submit_blind(world, 1, 0, MODELS)
    play(world, 1)
    play(world, 2, NODES, of=1)
    world.go_to(4, 17)
    world.arena.config = replace(world.arena.config, steps_per_block=1)
    counts = []
    while left(world):
        counts.append(sum(len(list(getattr(world.arena, name).keys())) for name in OF_A_TASK))
        world.next_block()
    singles = 6  # values of a whole day, and what a task has once
    gone = [before - after for before, after in pairwise(counts)]
    assert max(gone) <= 1 + singles
    assert len([count for count in gone if count]) > 2


def test_a_cancelled_task_leaves_nothing_behind() -> None:
    world = new_world(preset=TWO_DAYS)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(days=5))
    with_participants(world, 0)
    set_ring_keys(world, NODES)
    world.go_to(2)
    commit_alias(world, "n1", 0, "good")
    world.commit("n2", 0, "fair")
    world.tasks.cancel_task(signed(account("creator")), 0)
    world.go_to(2, 9)
    assert [key for (key, _), _ in world.arena.aliases.items()] == [DayKey(0, 2)]
    world.go_to(5)
    assert left(world) == []


def test_records_outlive_the_day_that_is_held() -> None:
    with pytest.raises(ValueError, match="records are kept 1 days, 2 aliases"):
        Config(DEVNET.calendar, account("treasury"), kept_days=1)
    with pytest.raises(ValueError, match="records are kept 30 days, 0 aliases"):
        Config(DEVNET.calendar, account("treasury"), aliases_max=0)
