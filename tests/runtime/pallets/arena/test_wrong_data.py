"""The vote that Dataset B does not match: who is paid, burned and ranked on each side of 2/3."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from runtime import frame
from runtime.economy.tasks import Role, TaskStatus
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.arena import events
from runtime.pallets.arena.records import DayKey, GivenScore, NoData, PaymentKind, WrongData
from runtime.pallets.arena.shares import floor_shares
from runtime.pallets.arena.storage import pot_of
from runtime.pallets.tasks import records
from runtime.primitives.apportion import apportion
from runtime.primitives.types import FML
from tests.runtime.pallets.arena.test_verified_task import SAME, paid
from tests.runtime.pallets.world import (
    MODELS,
    NODES,
    SCORES,
    VALIDATORS,
    World,
    account,
    new_world,
    open_key,
    score,
    submit,
    terms,
)

STAKES = {"v1": 100 * FML, "v2": 200 * FML, "v3": 300 * FML}
BELOW = {"v1": 100 * FML - 1, "v2": 200 * FML + 1, "v3": 300 * FML}
WEIGHTS = [20 * 10, 17 * 20]  # of n1 and n2: rank and stake; n3 is at the baseline
REWARD = 100_000 * FML
CREATOR, NODE_PART, VALIDATOR_PART = apportion(REWARD, [2, 49, 49])
PAID_NOW, VESTED = apportion(NODE_PART, [1, 9])


def on_final_day(stakes: dict[str, int], *, seats: int = 0) -> World:
    """Two days are played, Dataset B is open, the final day's seats are dealt."""
    world = new_world()
    world.tasks.create_verified_task(
        frame.ROOT, account("creator"), terms(seats=seats, final_seats=seats)
    )
    for name, stake in zip(NODES, (10, 20, 10), strict=True):
        world.register(name, 0, Role.TRAINING_NODE, stake * FML)
    for name, stake in stakes.items():
        world.register(name, 0, Role.TASK_VALIDATOR, stake)
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    score(world, 2, 0, SAME)
    open_key(world, 3, 0)
    world.go_to(3, 10)
    return world


def answer(world: World, sheets: dict[str, list[GivenScore]]) -> None:
    """Seal and open the sheets; the task ends."""
    for name, sheet in sheets.items():
        world.seal_sheet(name, 0, sheet)
    world.go_to(3, 14)
    for name, sheet in sheets.items():
        world.open_sheet(name, 0, sheet)
    world.go_to(4, 1)
    world.check()


def sheets_of(world: World, wrong: tuple[str, ...]) -> dict[str, list[GivenScore]]:
    """The others score as they should."""
    sheets = {name: world.sheet(name, 0, SCORES) for name in VALIDATORS}
    for name in wrong:
        sheets[name] = [replace(given, verdict=WrongData()) for given in sheets[name]]
    return sheets


def by_earlier_days() -> dict[str, int]:
    daily = floor_shares(WEIGHTS)
    parts = apportion(2 * VESTED, [2 * share for share in daily])
    return dict(zip(("n1", "n2"), parts, strict=True))


def by_final_day() -> dict[str, int]:
    return dict(zip(("n1", "n2"), apportion(3 * VESTED, WEIGHTS), strict=True))


@pytest.mark.parametrize(
    ("stakes", "wrong", "is_burned", "is_ranked"),
    [
        (STAKES, ("v1", "v3"), True, False),  # exactly 2/3
        (BELOW, ("v1", "v3"), False, False),  # 2/3 less a planck: unscored, like NO-DATA
        (STAKES, ("v2", "v3"), True, False),
        (STAKES, ("v1", "v2", "v3"), True, False),
        (STAKES, ("v3",), False, False),  # half
        (STAKES, ("v1",), False, True),
        (STAKES, (), False, True),
    ],
)
def test_two_thirds_decide(
    stakes: dict[str, int], wrong: tuple[str, ...], is_burned: bool, is_ranked: bool
) -> None:
    world = on_final_day(stakes)
    before = {name: world.owned(name) for name in ("creator", *NODES, *VALIDATORS)}
    burned = world.balances.total_burned.get()
    answer(world, sheets_of(world, wrong))
    gained = {name: world.owned(name) - before[name] for name in before}

    lost = 100 * FML if is_burned else 0
    assert world.balances.total_burned.get() - burned == lost
    assert gained["creator"] == (CREATOR if is_ranked else 0) - lost
    mismatches = [records.DatasetMismatched(0, 100 * FML)] if is_burned else []
    assert world.events(records.DatasetMismatched) == mismatches
    last = apportion(PAID_NOW, WEIGHTS) if is_ranked else [0, 0]
    vested = by_final_day() if is_ranked else by_earlier_days()
    assert gained["n1"] == vested["n1"] + last[0]
    assert gained["n2"] == vested["n2"] + last[1]
    assert gained["n3"] == 0
    honest = {name: stakes[name] for name in VALIDATORS if name not in wrong}
    weights = [3 * ((stake << 128) // sum(honest.values())) for stake in honest.values()]
    parts = apportion(VALIDATOR_PART, weights) if is_ranked else [0] * len(honest)
    expected = dict.fromkeys(VALIDATORS, 0) | dict(zip(honest, parts, strict=True))
    assert {name: gained[name] for name in VALIDATORS} == expected

    assert world.emission.minted.get() == (3 if is_ranked else 2) * REWARD
    assert world.balances.free(pot_of(0)) == 0
    assert world.tasks.get_task(0).status is TaskStatus.COMPLETED
    assert world.models.models.get(0).owner == account("n1")
    assert bool(world.arena.views.leaderboard(0, 3)) == is_ranked


@pytest.mark.parametrize(("seats", "is_burned"), [(5, False), (6, True)])
def test_with_committees_all_seats_dealt_are_counted(seats: int, is_burned: bool) -> None:
    world = on_final_day(STAKES, seats=3)
    sheets = sheets_of(world, ())
    lines = {
        (name, given.submission): world.arena.scoring.weights_of(DayKey(0, 3), account(name))[
            given.submission
        ]
        for name, sheet in sheets.items()
        for given in sheet
    }
    assert sum(lines.values()) == 9
    chosen = next(
        some
        for count in range(len(lines))
        for some in itertools.combinations(lines, count)
        if sum(lines[line] for line in some) == seats
    )
    said = {
        name: [
            replace(given, verdict=WrongData()) if (name, given.submission) in chosen else given
            for given in sheet
        ]
        for name, sheet in sheets.items()
    }
    answer(world, said)
    assert bool(world.events(records.DatasetMismatched)) == is_burned
    assert world.arena.wrong_data.get(DayKey(0, 3)) == seats
    scored = {event.day for event in world.events(events.SubmissionScored)}  # type: ignore[attr-defined]
    assert (3 in scored) != is_burned
    assert (
        3 in {e.day for e in world.events(events.Paid) if e.kind is PaymentKind.VALIDATION}
    ) != (  # type: ignore[attr-defined]
        is_burned
    )


def test_no_data_is_no_vote() -> None:
    world = on_final_day(STAKES)
    none = [GivenScore(given.submission, NoData()) for given in world.sheet("v1", 0, SCORES)]
    answer(world, dict.fromkeys(VALIDATORS, none))
    assert world.events(records.DatasetMismatched) == []
    assert paid(world, PaymentKind.REWARD_B) == by_earlier_days()


def test_the_silent_still_pay() -> None:
    """Their stake has no honest validator to go to on a day that nobody is paid for."""
    world = on_final_day(STAKES)
    treasury = world.balances.free(world.arena.config.treasury)
    sheets = sheets_of(world, ("v2", "v3"))
    del sheets["v1"]
    answer(world, sheets)
    assert world.balances.free(world.arena.config.treasury) == treasury + FML // 2
    assert world.owned("creator") == 9_900 * FML + 2 * CREATOR


def test_delegators_of_the_creator_lose_as_it_does() -> None:
    world = on_final_day(STAKES)
    world.ledger.delegate(signed(account("idle")), 0, account("creator"), 7 * FML)
    answer(world, sheets_of(world, VALIDATORS))
    assert world.owned("idle") == 9_993 * FML
    assert world.balances.held(HoldReason.STAKE, account("idle")) == 0


def test_only_the_final_day_knows_wrong_data() -> None:
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    world.register("n1", 0, Role.TRAINING_NODE, 10 * FML)
    world.register("v1", 0, Role.TASK_VALIDATOR, 300 * FML)
    submit(world, 1, 0, {"n1": "good"})
    world.go_to(1, 10)
    sheet = [replace(given, verdict=WrongData()) for given in world.sheet("v1", 0, SCORES)]
    world.seal_sheet("v1", 0, sheet)
    world.go_to(1, 14)
    with pytest.raises(events.NotTheFinalDay):
        world.open_sheet("v1", 0, sheet)


def test_a_task_that_was_never_scored_before_fails() -> None:
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(days=2))
    world.register("n1", 0, Role.TRAINING_NODE, 10 * FML)
    world.register("v1", 0, Role.TASK_VALIDATOR, 300 * FML)
    world.tasks.add_bounty(signed(account("idle")), 0, FML)
    submit(world, 1, 0, {"n1": "good"})
    score(world, 1, 0, {"v1": {"good": None}})
    open_key(world, 2, 0)
    world.go_to(2, 10)
    sheet = [replace(given, verdict=WrongData()) for given in world.sheet("v1", 0, SCORES)]
    world.seal_sheet("v1", 0, sheet)
    world.go_to(2, 14)
    world.open_sheet("v1", 0, sheet)
    world.go_to(3, 1)
    assert world.tasks.get_task(0).status is TaskStatus.FAILED
    assert world.emission.minted.get() == 0
    assert world.owned("creator") == 9_900 * FML
    assert world.owned("idle") == 10_000 * FML
