"""Tasks: what a creator must declare and pay, fees, Dataset B's key, life of a task."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import frame
from runtime.constants import MAINNET
from runtime.economy.calendar import Calendar
from runtime.economy.parameters import ArenaParameters, VestingRules
from runtime.economy.tasks import Hardware, HardwareClass, Role, TaskStatus
from runtime.frame.errors import BadOrigin, DispatchError
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.tasks import records
from runtime.pallets.treasury import TREASURY
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.world import KEY_B, World, account, new_world, terms

CREATOR = account("creator")


@pytest.fixture
def world() -> World:
    """Block 1, nothing created."""
    return new_world()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": ""}, records.BadName),
        ({"name": "ß" * 33}, records.BadName),
        ({"days": 1}, records.BadDays),
        ({"days": 366}, records.BadDays),
        ({"baseline": 10**9 + 1}, records.BadBaseline),
        ({"seats": 51}, records.BadSeats),
        ({"seats": 0}, records.BadSeats),
        ({"duplicate_distance": 17}, records.BadDuplicateDistance),
    ],
)
def test_terms_are_checked(
    world: World, changes: dict[str, object], error: type[DispatchError]
) -> None:
    with pytest.raises(error):
        world.tasks.create_task(signed(CREATOR), terms(**changes), 100 * FML)
    with pytest.raises(error):
        world.tasks.create_verified_task(frame.ROOT, CREATOR, terms(**changes))


def test_creating_locks_the_stake_and_the_budget(world: World) -> None:
    with pytest.raises(records.BudgetTooSmall):
        world.tasks.create_task(signed(CREATOR), terms(), 2)
    with pytest.raises(records.InsufficientFunds):
        world.tasks.create_task(signed(CREATOR), terms(), 9_900 * FML)
    world.tasks.create_task(signed(CREATOR), terms(), 300 * FML)
    assert world.balances.held(HoldReason.TASK_CREATION, CREATOR) == 100 * FML
    assert world.free("creator") == 9_600 * FML
    created = world.events(records.TaskCreated)
    assert created == [records.TaskCreated(0, CREATOR, terms().spec, 1, 300 * FML)]
    assert [world.tasks.daily_budget(0, day) for day in (1, 2, 3)] == [100 * FML] * 3
    assert not world.tasks.get_task(0).is_verified_on(1)
    with pytest.raises(records.UnknownTask):
        world.tasks.get_task(1)


def test_only_the_dao_creates_verified_tasks(world: World) -> None:
    with pytest.raises(BadOrigin):
        world.tasks.create_verified_task(signed(CREATOR), CREATOR, terms())
    world.tasks.create_verified_task(frame.ROOT, CREATOR, terms())
    assert world.tasks.get_task(0).is_verified_on(1)
    assert world.tasks.daily_budget(0, 1) == 0


def test_live_tasks_are_bounded(world: World) -> None:
    world.tasks.config = replace(world.tasks.config, live_tasks_max=1)
    world.tasks.create_verified_task(frame.ROOT, CREATOR, terms())
    with pytest.raises(records.TooManyTasks):
        world.tasks.create_verified_task(frame.ROOT, CREATOR, terms())


def test_the_registration_fee_is_burned_and_given_to_the_treasury(world: World) -> None:
    world.tasks.create_verified_task(frame.ROOT, CREATOR, terms())
    world.register("n1", 0, Role.TRAINING_NODE, 10 * FML)
    assert world.balances.total_burned.get() == 3 * FML
    assert world.balances.free(TREASURY) == 7 * FML
    assert world.free("n1") == 9_980 * FML
    with pytest.raises(records.CreatorsRole):
        world.register("n2", 0, Role.CREATOR, 100 * FML)
    with pytest.raises(records.InsufficientFunds):
        world.register("n2", 0, Role.TRAINING_NODE, 9_995 * FML)
    with pytest.raises(records.UnknownTask):
        world.register("n2", 7, Role.TRAINING_NODE, 10 * FML)


def test_a_task_starts_with_the_next_day(world: World) -> None:
    world.go_to(0, 19)
    world.tasks.create_verified_task(frame.ROOT, CREATOR, terms())
    assert world.tasks.tasks_on(0) == []
    world.next_block()
    assert world.tasks.get_task(0).status is TaskStatus.ACTIVE
    assert world.events(records.TaskStarted) == [records.TaskStarted(0, 1)]
    assert world.tasks.tasks_on(1) == world.tasks.tasks_on(3) == [0]
    assert world.tasks.tasks_on(4) == []


def test_the_key_opens_between_the_freeze_and_the_final_draw(world: World) -> None:
    world.tasks.create_verified_task(frame.ROOT, CREATOR, terms())
    reveal = world.tasks.reveal_key
    with pytest.raises(records.NotTheCreator):
        reveal(signed(account("n1")), 0, KEY_B)
    world.go_to(2, 9)
    with pytest.raises(records.KeyTooEarly):
        reveal(signed(CREATOR), 0, KEY_B)
    world.next_block()
    with pytest.raises(records.WrongKey):
        reveal(signed(CREATOR), 0, bytes(32))
    reveal(signed(CREATOR), 0, KEY_B)
    assert world.tasks.get_task(0).key == KEY_B
    with pytest.raises(records.KeyAlreadyRevealed):
        reveal(signed(CREATOR), 0, KEY_B)


@pytest.mark.parametrize(("position", "is_late"), [(9, False), (10, True), (11, True)])
def test_the_last_block_for_the_key(world: World, position: int, is_late: bool) -> None:
    world.tasks.create_verified_task(frame.ROOT, CREATOR, terms())
    world.go_to(3, position)
    if is_late:
        with pytest.raises(records.KeyTooLate):
            world.tasks.reveal_key(signed(CREATOR), 0, KEY_B)
    else:
        world.tasks.reveal_key(signed(CREATOR), 0, KEY_B)
        world.next_block()
        assert world.events(records.KeyMissing) == []


def test_parameters_change_by_the_dao_only_and_within_bounds(world: World) -> None:
    with pytest.raises(BadOrigin):
        world.tasks.set_parameters(signed(CREATOR), ArenaParameters())
    for bad in (
        ArenaParameters(gamma=Rational(3, 2)),
        ArenaParameters(distance_lambda=Rational(10**7, 1)),
        ArenaParameters(outlier_kappa=Rational(101, 1)),
        ArenaParameters(outlier_tolerance=10**9 + 1),
        ArenaParameters(validator_alpha=Rational(5, 1)),
        ArenaParameters(paid_validators_max=0),
        ArenaParameters(vesting=VestingRules(node_alpha=Rational(1, 1001))),
    ):
        with pytest.raises(records.ParametersOutOfBounds):
            world.tasks.set_parameters(frame.ROOT, bad)
    first, second = ArenaParameters(gamma=Rational(0, 1)), ArenaParameters(gamma=Rational(1, 4))
    world.tasks.set_parameters(frame.ROOT, first)
    world.go_to(1)
    assert world.tasks.parameters_on(1) == first
    world.tasks.set_parameters(frame.ROOT, second)
    assert (world.tasks.parameters_on(1), world.tasks.parameters_on(2)) == (first, second)


def test_the_creators_slice_is_phased_out() -> None:
    rules = ArenaParameters()
    assert rules.creator_share_in(0) == Rational(1, 50)
    assert rules.creator_share_in(1) == Rational(9, 500)
    assert Rational(0, 1) < rules.creator_share_in(120) < Rational(1, 10**6)
    assert rules.creator_share_in(121) == Rational(0, 1)


def test_genesis_creates_verified_tasks() -> None:
    world = World()
    world.endow("creator")
    world.tasks.genesis_build(ArenaParameters(), [(CREATOR, terms(), 2)])
    assert world.tasks.get_task(0).start_day == 2
    with pytest.raises(ValueError, match="tasks: 'digits' cannot start before day 1"):
        world.tasks.genesis_build(ArenaParameters(), [(CREATOR, terms(), 0)])
    world.go_to(2)
    assert world.tasks.get_task(0).status is TaskStatus.ACTIVE


def test_hardware_fits_what_needs_less() -> None:
    small, large = Hardware(HardwareClass.CPU, 8), Hardware(HardwareClass.GPU, 80)
    assert large.fits(small)
    assert not small.fits(large)
    assert not small.fits(Hardware(HardwareClass.CPU, 9))


def test_windows_follow_one_another() -> None:
    with pytest.raises(ValueError, match="windows of a day must follow one another"):
        Calendar(20, 8, 8, 14, 17, 18)
    calendar = MAINNET.calendar
    assert [
        calendar.submit_end * 100 // calendar.day_blocks,
        calendar.reveal_end * 100 // calendar.day_blocks,
        calendar.commit_end * 100 // calendar.day_blocks,
        calendar.score_reveal_end * 100 // calendar.day_blocks,
        calendar.alias_end * 100 // calendar.day_blocks,
    ] == [50, 60, 80, 95, 98]
