"""The DAO verifies a running task, or withdraws it: who pays for each day, exactly."""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.frame.errors import BadOrigin
from runtime.frame.origin import signed
from runtime.pallets.arena.records import DayKey
from runtime.pallets.arena.storage import pot_of
from runtime.pallets.tasks import records
from runtime.pallets.tasks.storage import escrow_of
from runtime.primitives.types import FML
from tests.runtime.pallets.arena.test_verified_task import SAME
from tests.runtime.pallets.world import (
    MODELS,
    World,
    account,
    new_world,
    open_key,
    score,
    submit,
    terms,
    with_participants,
)

BUDGET = 3_000 * FML


def self_funded() -> World:
    world = new_world()
    world.tasks.create_task(signed(account("creator")), terms(), BUDGET)
    with_participants(world, 0)
    return world


def play(world: World, days: dict[int, bool]) -> None:
    """Days 1 to 3; `days` tells what the DAO does during each."""
    submit(world, 1, 0, MODELS)
    for day in (1, 2, 3):
        if day in days:
            call = world.tasks.verify_task if days[day] else world.tasks.unverify_task
            call(frame.ROOT, 0)
        if day == 3:
            open_key(world, 3, 0)
        score(world, day, 0, SAME)
    world.go_to(4, 1)
    world.check()


@pytest.mark.parametrize(
    ("decisions", "emitted", "spent"),
    [
        ({}, 0, 3),
        ({1: True}, 2, 1),
        ({2: True}, 1, 2),
        ({1: True, 2: False}, 1, 2),
    ],
)
def test_a_change_acts_the_next_day(decisions: dict[int, bool], emitted: int, spent: int) -> None:
    world = self_funded()
    before, issuance = world.owned("creator"), world.balances.issuance()
    play(world, decisions)
    minted = world.emission.minted.get()
    assert minted == emitted * 100_000 * FML
    assert world.balances.issuance() == issuance + minted
    ended = world.events(records.TaskEnded)[0]
    assert ended.returned == BUDGET - spent * 1_000 * FML  # type: ignore[attr-defined]
    slices = sum(world.arena.day_results.get(DayKey(0, day)).for_creator for day in (1, 2, 3))
    assert world.owned("creator") == before + ended.returned + slices  # type: ignore[attr-defined]
    assert world.balances.free(escrow_of(0)) == world.balances.free(pot_of(0)) == 0


def test_a_withdrawn_task_without_a_budget_pays_nothing() -> None:
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    play(world, {1: False})
    assert world.emission.minted.get() == 100_000 * FML
    assert [world.arena.day_results.get(DayKey(0, day)).reward for day in (2, 3)] == [0, 0]


def test_a_change_is_taken_back_before_it_acts() -> None:
    world = self_funded()
    world.go_to(1)
    world.tasks.verify_task(frame.ROOT, 0)
    with pytest.raises(records.VerificationUnchanged):
        world.tasks.verify_task(frame.ROOT, 0)
    world.tasks.unverify_task(frame.ROOT, 0)
    assert len(world.tasks.get_task(0).verification) == 1
    with pytest.raises(BadOrigin):
        world.tasks.verify_task(signed(account("creator")), 0)
    with pytest.raises(records.UnknownTask):
        world.tasks.verify_task(frame.ROOT, 1)


def test_changes_are_bounded() -> None:
    world = new_world()
    world.tasks.create_task(signed(account("creator")), terms(days=40), BUDGET)
    for day in range(31):
        world.system.number.put(20 * day)
        (world.tasks.unverify_task if day % 2 else world.tasks.verify_task)(frame.ROOT, 0)
    world.system.number.put(20 * 31)
    with pytest.raises(records.TooManyVerifications):
        world.tasks.unverify_task(frame.ROOT, 0)
