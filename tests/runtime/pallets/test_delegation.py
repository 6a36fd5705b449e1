"""The stake ledger: day snapshots, unbonding, delegations, ties, slashes, freeing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import frame
from runtime.economy.tasks import Hardware, Role
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.delegation import Delegation, Freed, Slashed, records
from runtime.pallets.delegation.position import Position
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.world import World, account, new_world, terms, with_participants

HALF = Rational(1, 2)
CREATOR, N1, N2, V1, IDLE = (account(name) for name in ("creator", "n1", "n2", "v1", "idle"))


@pytest.fixture
def world() -> World:
    """Day 0: a verified task that starts on day 1, with its participants."""
    made = new_world()
    made.tasks.create_verified_task(frame.ROOT, CREATOR, terms(days=9))
    with_participants(made, 0)
    return made


def held(world: World, who: bytes) -> int:
    return world.balances.held(HoldReason.STAKE, who)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 100)), max_size=30))
def test_a_position_remembers_what_a_naive_ledger_knows(steps: list[tuple[int, int]]) -> None:
    position, day, amount = Position(), 0, 0
    starts = {0: 0}
    for gap, delta in steps:
        for _ in range(gap):
            day += 1
            starts[day] = amount
        delta = max(delta, -amount)
        amount += delta
        position = position.changed(day, delta)
    assert position.amount == amount
    assert position.at(day) == starts[day]
    assert position.stake_days_through(day) == sum(starts.values())
    if day:
        assert position.at(day - 1) == starts[day - 1]
        assert position.stake_days_through(day - 1) == sum(starts.values()) - starts[day]
    if day > 1:
        assert position.at(day - 2) == starts[day - 2]
        through = sum(starts.values()) - starts[day] - starts[day - 1]
        assert position.stake_days_through(day - 2) == through
    assert position.at(day + 3) == amount
    assert position.stake_days_through(day + 3) == sum(starts.values()) + 3 * amount


def test_forgotten_days_are_refused() -> None:
    position = Position().changed(1, 5).changed(5, 1)
    assert position.at(3) == 5
    with pytest.raises(ValueError, match="stake of day 2 is forgotten, it was touched on day 5"):
        position.at(2)
    with pytest.raises(ValueError, match="stake of day 2 is forgotten, it was touched on day 5"):
        position.stake_days_through(2)


def test_stake_counts_from_the_next_day(world: World) -> None:
    assert world.ledger.task_stake(0, 0) == 0
    world.go_to(1)
    assert world.ledger.task_stake(0, 1) == (100 + 40 + 600) * FML
    world.ledger.bond_extra(signed(N1), 0, 5 * FML)
    stake = world.ledger.stake_of(0, N1, 1)
    assert stake is not None
    assert stake.total == 10 * FML
    world.go_to(2)
    assert world.ledger.total_of(0, Role.TRAINING_NODE, 2) == 45 * FML
    assert world.ledger.total_of(0, Role.TRAINING_NODE, 1) == 40 * FML
    assert world.ledger.shares_through(0, N1, 2).own == (10 + 15) * FML


def test_operators_are_walked_in_parts(world: World) -> None:
    ledger = world.ledger
    assert ledger.known_of(0, Role.TRAINING_NODE) == 3
    whole = list(ledger.operators_after(0, 1, None))
    names = ("creator", "n1", "n2", "n3", "v1", "v2", "v3")
    stakes = (100, 10, 20, 10, 100, 200, 300)
    assert {world.name_of(stake.account): stake.total // FML for stake in whole} == dict(
        zip(names, stakes, strict=True)
    )
    for place, stake in enumerate(whole, 1):
        assert list(ledger.operators_after(0, 1, stake.account)) == whole[place:]
    ledger.unbond(signed(N1), 0, 10 * FML)
    assert ledger.known_of(0, Role.TRAINING_NODE) == 3  # it may still earn


def test_unbonding_stake_counts_for_nothing_and_matures(world: World) -> None:
    world.go_to(1)
    with pytest.raises(records.StakeTooLow):
        world.ledger.unbond(signed(N1), 0, 3 * FML)
    world.ledger.unbond(signed(N1), 0, 10 * FML)
    with pytest.raises(records.InsufficientStake):
        world.ledger.unbond(signed(N1), 0, 1)
    assert held(world, N1) == 10 * FML
    world.go_to(2)
    assert world.ledger.total_of(0, Role.TRAINING_NODE, 2) == 30 * FML
    with pytest.raises(records.NothingToFree):
        world.ledger.free_unbonded(signed(N1), 0, N1)
    world.go_to(3)
    world.ledger.free_unbonded(signed(N1), 0, N1)
    assert held(world, N1) == 0
    with pytest.raises(records.StakeTooLow):
        world.ledger.bond_extra(signed(N1), 0, FML)
    world.ledger.bond_extra(signed(N1), 0, 10 * FML)  # the role is kept for the task's life
    with pytest.raises(records.AlreadyRegistered):
        world.register("n1", 0, Role.TASK_VALIDATOR, 100 * FML)


def test_the_creators_stake_is_locked(world: World) -> None:
    with pytest.raises(records.CreatorStakeLocked):
        world.ledger.unbond(signed(CREATOR), 0, FML)
    assert world.balances.held(HoldReason.TASK_CREATION, CREATOR) == 100 * FML


def test_slashes_reach_delegators_and_unbonding_stake(world: World) -> None:
    world.ledger.delegate(signed(IDLE), 0, V1, 100 * FML)
    world.go_to(1)
    world.ledger.unbond(signed(V1), 0, 50 * FML)
    world.ledger.undelegate(signed(IDLE), 0, V1, 20 * FML)
    burned = world.balances.total_burned.get()
    assert world.ledger.slash(0, V1, Rational(1, 10), None) == 20 * FML
    assert world.balances.total_burned.get() == burned + 20 * FML
    assert (held(world, V1), held(world, IDLE)) == (90 * FML, 90 * FML)
    world.check()
    stake = world.ledger.stake_of(0, V1, 1)  # the day's snapshot stays
    assert stake is not None
    assert (stake.own, stake.delegated) == (100 * FML, 100 * FML)
    world.go_to(2)
    stake = world.ledger.stake_of(0, V1, 2)
    assert stake is not None
    assert (stake.own, stake.delegated) == (45 * FML, 72 * FML)
    world.go_to(3)
    world.ledger.free_unbonded(signed(IDLE), 0, V1)
    assert held(world, IDLE) == 72 * FML
    assert [event.staker for event in world.events(Slashed)] == [V1, IDLE]  # type: ignore[attr-defined]


def test_slashes_are_floored(world: World) -> None:
    assert world.ledger.slash(0, N1, Rational(1, 10**30), None) == 0
    assert world.ledger.slash(0, N1, Rational(3, 2 * 10**19), None) == 1


def test_nobody_backs_both_sides_of_a_task(world: World) -> None:
    with pytest.raises(records.TiedAccount):
        world.ledger.delegate(signed(N1), 0, V1, FML)
    with pytest.raises(records.TiedAccount):
        world.ledger.delegate(signed(V1), 0, N1, FML)
    world.ledger.delegate(signed(N1), 0, N2, FML)
    world.ledger.delegate(signed(IDLE), 0, V1, FML)
    with pytest.raises(records.TiedAccount):
        world.register("idle", 0, Role.TRAINING_NODE, 10 * FML)
    world.register("idle", 0, Role.TASK_VALIDATOR, 30 * FML)
    world.check()


def test_delegations_are_bounded(world: World) -> None:
    ledger = world.ledger
    with pytest.raises(records.SelfDelegation):
        ledger.delegate(signed(N1), 0, N1, FML)
    with pytest.raises(records.DelegationTooSmall):
        ledger.delegate(signed(IDLE), 0, N1, FML - 1)
    with pytest.raises(records.NotRegistered):
        ledger.delegate(signed(IDLE), 0, IDLE, FML)
    with pytest.raises(records.InsufficientStake):
        ledger.undelegate(signed(IDLE), 0, N1, 1)
    ledger.delegate(signed(IDLE), 0, N1, FML)
    with pytest.raises(records.DelegationTooSmall):
        ledger.undelegate(signed(IDLE), 0, N1, 1)
    ledger.config = replace(ledger.config, delegators_max=1)
    with pytest.raises(records.TooManyDelegators):
        ledger.delegate(signed(N2), 0, N1, FML)


def test_what_counted_leaves_the_least_in_so_that_no_place_is_held_for_nothing(
    world: World,
) -> None:
    ledger = world.ledger
    ledger.config = replace(ledger.config, delegators_max=1)
    ledger.delegate(signed(IDLE), 0, N1, 5 * FML)
    world.go_to(1)
    with pytest.raises(records.LeastStays):
        ledger.undelegate(signed(IDLE), 0, N1, 5 * FML)
    ledger.undelegate(signed(IDLE), 0, N1, 4 * FML)
    world.go_to(3)
    ledger.free_unbonded(signed(IDLE), 0, N1)
    assert held(world, IDLE) == FML
    with pytest.raises(records.TooManyDelegators):
        ledger.delegate(signed(N2), 0, N1, FML)
    assert ledger.shares_through(0, N1, 3).delegations == (
        (IDLE, 7 * FML),
    )  # 5 and twice the least


def test_a_delegation_that_never_counted_gives_its_place_back_with_its_stake(world: World) -> None:
    ledger = world.ledger
    ledger.config = replace(ledger.config, delegators_max=1)
    world.go_to(1)
    ledger.delegate(signed(IDLE), 0, V1, 5 * FML)
    ledger.undelegate(signed(IDLE), 0, V1, 5 * FML)
    assert ledger.slash(0, V1, Rational(1, 5), None) == 21 * FML  # it is slashable until it is free
    with pytest.raises(records.TooManyDelegators):
        ledger.delegate(signed(account("v2")), 0, V1, FML)
    world.go_to(3)
    ledger.free_unbonded(signed(IDLE), 0, V1)
    assert held(world, IDLE) == 0
    assert list(ledger.backed.keys()) == list(ledger.delegations.keys()) == []
    assert list(ledger.ties.keys()) == []
    world.register("idle", 0, Role.TRAINING_NODE, 10 * FML)  # tied to nobody any longer
    ledger.delegate(signed(account("v2")), 0, V1, FML)
    world.check()


def test_who_leaves_gives_its_place_back(world: World) -> None:
    ledger = world.ledger
    ledger.config = replace(ledger.config, nodes_max=3)
    world.go_to(1)
    ledger.unbond(signed(N1), 0, 10 * FML)
    world.register("idle", 0, Role.TRAINING_NODE, 10 * FML)
    with pytest.raises(records.TaskFull):
        ledger.bond_extra(signed(N1), 0, 10 * FML)
    ledger.unbond(signed(N2), 0, 20 * FML)
    ledger.bond_extra(signed(N1), 0, 10 * FML)
    assert ledger.places.get((0, Role.TRAINING_NODE)) == records.Places(taken=3, known=4)
    world.check()


def test_a_task_remembers_twice_as_many_as_have_places(world: World) -> None:
    ledger = world.ledger
    ledger.config = replace(ledger.config, nodes_max=2)
    for name, amount in (("n1", 10), ("n2", 20)):
        ledger.unbond(signed(account(name)), 0, amount * FML)
    world.register("idle", 0, Role.TRAINING_NODE, 10 * FML)
    ledger.unbond(signed(IDLE), 0, 10 * FML)
    world.balances.transfer(CREATOR, account("late"), 100 * FML)
    with pytest.raises(records.TaskFull):  # four were there: the fees of that are not refunded
        world.register("late", 0, Role.TRAINING_NODE, 10 * FML)
    world.check()


def test_registration_is_bounded(world: World) -> None:
    ledger: Delegation = world.ledger
    with pytest.raises(records.StakeTooLow):
        world.register("idle", 0, Role.TRAINING_NODE, 10 * FML - 1)
    with pytest.raises(records.RatioAboveOne):
        world.tasks.register(
            signed(IDLE), 0, Role.TRAINING_NODE, 10 * FML, Rational(2, 1), Hardware()
        )
    ledger.config = replace(ledger.config, nodes_max=3)
    with pytest.raises(records.TaskFull):
        world.register("idle", 0, Role.TRAINING_NODE, 10 * FML)
    ledger.close_task(0)
    with pytest.raises(records.TaskClosed):
        ledger.bond_extra(signed(N1), 0, FML)


def test_pieces_on_their_way_out_are_bounded(world: World) -> None:
    ledger = world.ledger
    ledger.config = replace(ledger.config, unbonding_days=100)
    for day in range(16):
        world.number = 20 * day
        world.system.number.put(world.number)
        ledger.unbond(signed(V1), 0, FML)
        ledger.unbond(signed(V1), 0, FML)  # the same day is the same piece
    world.system.number.put(20 * 16)
    with pytest.raises(records.TooManyUnbondings):
        ledger.unbond(signed(V1), 0, FML)


def test_an_ended_task_frees_everybody_over_several_blocks(world: World) -> None:
    ledger = world.ledger
    ledger.delegate(signed(IDLE), 0, V1, 7 * FML)
    world.go_to(1)
    ledger.unbond(signed(N1), 0, 10 * FML)
    ledger.config = replace(ledger.config, releases_per_block=2)
    world.tasks.cancel_task(signed(CREATOR), 0)
    counts = []
    while ledger.closing.get():
        before = len(world.events(Freed))
        world.next_block()
        counts.append(len(world.events(Freed)) - before)
    assert sum(counts) == 8
    assert max(counts) == 2
    for who in (CREATOR, N1, N2, V1, IDLE):
        assert held(world, who) == 0
    items = (ledger.operators, ledger.delegations, ledger.backed, ledger.ties, ledger.unbonding)
    for item in (*items, ledger.places, ledger.totals, ledger.starts):
        assert list(item.keys()) == []


def test_many_backers_of_one_operator_are_freed_over_several_blocks(world: World) -> None:
    ledger = world.ledger
    for index in range(5):
        world.balances.transfer(CREATOR, account(f"d{index}"), 10 * FML)
        ledger.delegate(signed(account(f"d{index}")), 0, V1, 2 * FML)
    ledger.config = replace(ledger.config, releases_per_block=2)
    world.tasks.cancel_task(signed(CREATOR), 0)
    while ledger.closing.get():
        before = len(world.events(Freed))
        world.next_block()
        assert len(world.events(Freed)) - before <= 2
    assert all(held(world, account(f"d{index}")) == 0 for index in range(5))


def test_stake_days_of_an_operator_are_the_sum_of_its_backers(world: World) -> None:
    world.ledger.delegate(signed(IDLE), 0, V1, 100 * FML)
    world.go_to(1)
    world.ledger.undelegate(signed(IDLE), 0, V1, 20 * FML)
    world.ledger.slash(0, V1, Rational(1, 7), None)
    world.go_to(3)
    for day in (2, 3):
        shares = world.ledger.shares_through(0, V1, day)
        total = shares.own + sum(amount for _, amount in shares.delegations)
        assert world.ledger.stake_days_of(0, V1, day) == total > 0
    assert world.ledger.backers_of(0, V1) == 2
