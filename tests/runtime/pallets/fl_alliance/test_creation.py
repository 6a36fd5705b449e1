"""Tasks of the FL Alliance: who creates them from what, who pays, and what terms are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import frame
from runtime.economy.tasks import SelfFunded, TaskStatus, VerifiedFrom
from runtime.frame.errors import BadOrigin
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import Progress, Purse
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.storage import pot_of
from runtime.pallets.fl_alliance.terms import AllianceParameters, Mode
from runtime.pallets.tasks.records import UnknownTask
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.fl_alliance.alliance_world import (
    POOL,
    WINDOWS,
    alliance_terms,
    create,
    finish_arena_task,
    new_alliance,
)
from tests.runtime.pallets.world import World, account, content, terms

CREATOR = account("creator")
HALF, ONE, NOTHING = Rational(1, 2), Rational(1, 1), Rational(0, 1)


def empty_world() -> World:
    """An Arena task is completed; nothing of the FL Alliance yet."""
    world = World()
    world.endow("creator", "idle", amount=20_000 * FML)
    world.next_block()
    finish_arena_task(world)
    return world


def test_a_task_locks_the_stake_and_takes_the_pool() -> None:
    world = empty_world()
    before = world.free("creator")
    create(world)
    assert world.balances.held(HoldReason.FL_STAKE, CREATOR) == world.preset.creator_stake
    assert world.free("creator") == before - world.preset.creator_stake - POOL
    assert world.balances.free(pot_of(1)) == POOL
    found = world.alliance.get_task(1)
    assert (found.creator, found.funding) == (CREATOR, SelfFunded(POOL))
    assert found.origin_model == content("arena model")
    assert found.members_min == 4  # a proposer and three voters
    assert found.ends_at - found.created_at == 60 * 20
    assert world.alliance.purses.get(1) == Purse(POOL)
    assert world.alliance.progress.get(1) == Progress(Stage.IDLE)
    spec = content("fl spec")
    assert world.events(events.TaskCreated) == [
        events.TaskCreated(1, CREATOR, spec, 0, content("arena model"), POOL)
    ]
    world.check()


def test_numbers_are_those_of_all_tasks() -> None:
    world = empty_world()
    create(world)
    world.tasks.create_verified_task(frame.ROOT, CREATOR, terms())
    create(world, None)
    assert world.alliance.live.get() == [1, 3]
    assert world.tasks.live.get() == [2]
    with pytest.raises(UnknownTask):
        world.tasks.get_task(1)
    with pytest.raises(events.UnknownTask):
        world.alliance.get_task(2)


def test_a_verified_task_is_the_daos_to_create() -> None:
    world = empty_world()
    with pytest.raises(BadOrigin):
        world.alliance.create_verified_task(signed(CREATOR), CREATOR, alliance_terms())
    create(world, None)
    assert world.alliance.get_task(1).verification == [VerifiedFrom(0, True)]
    assert world.alliance.purses.get(1) == Purse(0)


def test_an_arena_task_without_a_model_is_an_origin_too() -> None:
    assert new_alliance(model=None).pallet.get_task(1).origin_model is None


@pytest.mark.parametrize("status", [TaskStatus.FAILED, TaskStatus.CANCELLED])
def test_the_origin_must_be_completed(status: TaskStatus) -> None:
    world = empty_world()
    world.tasks.create_verified_task(frame.ROOT, CREATOR, terms())
    with pytest.raises(events.OriginNotFinished):
        create(world, origin=1)
    world.tasks.end_task(1, status)
    with pytest.raises(events.OriginNotFinished):
        create(world, origin=1)
    with pytest.raises(UnknownTask):
        create(world, origin=2)


def test_a_task_of_the_alliance_is_no_origin() -> None:
    world = empty_world()
    create(world)
    with pytest.raises(UnknownTask):
        create(world, origin=1)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"mode": Mode.ZK}, events.BadWindows),
        ({"mode": Mode.ZK_MASKED}, events.BadWindows),
        ({"name": ""}, events.BadName),
        ({"name": "é" * 33}, events.BadName),
        ({"rounds": 0}, events.BadRounds),
        ({"rounds": 1_001}, events.BadRounds),
        ({"days": 0}, events.BadDays),
        ({"days": 366}, events.BadDays),
        ({"quantity": 5 * FML - 1}, events.QuantityTooSmall),
        ({"participation": NOTHING}, events.BadRates),
        ({"participation": Rational(3, 2)}, events.BadRates),
        ({"participation": Rational(1, 10**6 + 1)}, events.BadRates),
        ({"proposing": NOTHING}, events.BadRates),
        ({"proposing": ONE}, events.BadRates),
        ({"quorum": NOTHING}, events.BadRates),
        ({"tolerance": NOTHING}, events.BadRates),
        ({"tolerance": ONE}, events.BadRates),
        ({"slash": Rational(11, 10)}, events.BadRates),
        ({"threshold": Rational(11, 10)}, events.BadRates),
        ({"voters_min": 0}, events.BadVotersMin),
        ({"voters_min": 256}, events.BadVotersMin),
        ({"voters_min": 200, "proposing": HALF}, events.TooFewVotersDrawn),
        ({"windows": replace(WINDOWS, check_in=0)}, events.BadWindows),
        ({"windows": replace(WINDOWS, open=0)}, events.BadWindows),
        ({"windows": replace(WINDOWS, aggregate=1)}, events.BadWindows),
        ({"windows": replace(WINDOWS, vote=7 * 20)}, events.BadWindows),
        ({"fraction_bits": 0}, events.BadFractionBits),
        ({"fraction_bits": 25}, events.BadFractionBits),
        ({"unit_samples": 0}, events.BadUnits),
        ({"units_max": 0}, events.BadUnits),
        ({"units_max": 1_025}, events.BadUnits),
    ],
)
def test_bad_terms_are_refused(changes: dict[str, object], error: type[frame.ModuleError]) -> None:
    world = empty_world()
    with pytest.raises(error):
        create(world, **changes)
    assert world.tasks.next_task.get() == 1
    assert world.alliance.live.get() == []


def test_the_widest_terms_are_taken() -> None:
    world = empty_world()
    windows = replace(WINDOWS, vote=7 * 20 - WINDOWS.total() + WINDOWS.vote)
    create(
        world,
        name="x" * 64,
        rounds=1_000,
        days=365,
        quantity=5 * FML,
        windows=windows,
        fraction_bits=24,
        slash=ONE,
        threshold=NOTHING,
    )
    assert world.alliance.live.get() == [1]


def test_money_and_room_are_checked_before_anything_is_taken() -> None:
    world = empty_world()
    with pytest.raises(events.BudgetTooSmall):
        create(world, 4)
    with pytest.raises(events.InsufficientFunds):
        create(world, 19_900 * FML)
    world.alliance.config = replace(world.alliance.config, live_tasks_max=1)
    create(world, 5)
    with pytest.raises(events.TooManyTasks):
        create(world, 5)
    assert world.tasks.next_task.get() == 2


def test_verification_changes_from_tomorrow_on() -> None:
    made = new_alliance()
    pallet = made.pallet
    with pytest.raises(BadOrigin):
        pallet.verify_task(signed(CREATOR), 1)
    with pytest.raises(events.VerificationUnchanged):
        pallet.unverify_task(frame.ROOT, 1)
    pallet.verify_task(frame.ROOT, 1)
    found = pallet.get_task(1)
    assert [found.is_verified_on(day) for day in (0, 1)] == [False, True]
    with pytest.raises(events.VerificationUnchanged):
        pallet.verify_task(frame.ROOT, 1)
    pallet.unverify_task(frame.ROOT, 1)  # it takes today's change back
    assert pallet.get_task(1).verification == [VerifiedFrom(0, False)]
    with pytest.raises(BadOrigin):
        pallet.unverify_task(signed(CREATOR), 1)
    assert made.world.events(events.VerificationChanged) == [
        events.VerificationChanged(1, 1, True),
        events.VerificationChanged(1, 1, False),
    ]


def test_verifications_are_bounded() -> None:
    made = new_alliance()
    world = made.world
    for day in range(31):
        world.system.number.put(20 * day)
        change = made.pallet.unverify_task if day % 2 else made.pallet.verify_task
        change(frame.ROOT, 1)
    world.system.number.put(20 * 31)
    with pytest.raises(events.TooManyVerifications):
        made.pallet.unverify_task(frame.ROOT, 1)


def test_the_dao_sets_the_rate_for_absence() -> None:
    made = new_alliance()
    changed = AllianceParameters(Rational(1, 4))
    with pytest.raises(BadOrigin):
        made.pallet.set_parameters(signed(CREATOR), changed)
    with pytest.raises(events.ParametersOutOfBounds):
        made.pallet.set_parameters(frame.ROOT, AllianceParameters(Rational(2, 1)))
    made.pallet.set_parameters(frame.ROOT, changed)
    assert made.pallet.parameters.get() == changed
    assert made.world.events(events.ParametersChanged) == [events.ParametersChanged(changed)]


def test_a_creator_cancels_before_the_first_round_only() -> None:
    made = new_alliance()
    before = made.world.owned("creator")
    with pytest.raises(events.NotTheCreator):
        made.pallet.cancel_task(signed(account("idle")), 1)
    made.pallet.cancel_task(signed(CREATOR), 1)
    assert made.world.owned("creator") == before + POOL
    assert made.world.balances.held(HoldReason.FL_STAKE, CREATOR) == 0
    with pytest.raises(events.TaskHasEnded):
        made.pallet.cancel_task(signed(CREATOR), 1)
    with pytest.raises(events.UnknownTask):
        made.pallet.cancel_task(signed(CREATOR), 9)
    made.world.check()
    other = new_alliance(*"abcde")
    with pytest.raises(events.TooLateToCancel):
        other.pallet.cancel_task(signed(CREATOR), 1)
