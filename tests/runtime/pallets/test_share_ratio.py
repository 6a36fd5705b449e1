"""Share ratios: rises the next day, cuts after notice and once an interval, days keep theirs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import frame
from runtime.economy.parameters import ArenaParameters, ShareRatioRules
from runtime.economy.tasks import Hardware, Role
from runtime.frame.origin import signed
from runtime.pallets.delegation.ratio import ENTRIES_MAX, MEAN_BITS, ShareRatio
from runtime.pallets.delegation.records import (
    NotRegistered,
    RatioAboveOne,
    RatioCutTooSoon,
    RatioUnchanged,
    ShareRatioScheduled,
)
from runtime.pallets.tasks.records import RatioOutOfBounds
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.world import World, account, new_world, terms, with_participants

N1, IDLE = account("n1"), account("idle")
NONE, FIFTH, HALF, MOST = Rational(0, 1), Rational(1, 5), Rational(1, 2), Rational(4, 5)


@pytest.fixture
def world() -> World:
    """Day 0 of a task of nine days; n1 gives nothing to its delegators."""
    made = new_world()
    made.tasks.create_verified_task(frame.ROOT, account("creator"), terms(days=9))
    with_participants(made, 0)
    return made


def ratios(world: World, *days: int) -> list[Rational]:
    return [world.ledger.operators.get((0, N1)).ratio.at(day) for day in days]


def set_ratio(world: World, ratio: Rational) -> None:
    world.tasks.set_share_ratio(signed(N1), 0, ratio)
    world.check()


def test_a_rise_acts_the_next_day_and_a_cut_after_its_notice(world: World) -> None:
    world.go_to(1, 3)
    set_ratio(world, MOST)
    assert ratios(world, 0, 1, 2, 9) == [NONE, NONE, MOST, MOST]
    world.go_to(2, 19)
    set_ratio(world, HALF)
    assert ratios(world, 1, 2, 3, 4, 9) == [NONE, MOST, MOST, HALF, HALF]
    assert [(e.ratio, e.from_day) for e in world.events(ShareRatioScheduled)] == [  # type: ignore[attr-defined]
        (MOST, 2),
        (HALF, 4),
    ]


@pytest.mark.parametrize(("day", "is_refused"), [(2, True), (3, True), (4, False)])
def test_cuts_keep_an_interval(world: World, day: int, is_refused: bool) -> None:
    set_ratio(world, MOST)
    world.go_to(1)
    set_ratio(world, HALF)
    world.go_to(day, 0)
    if is_refused:
        with pytest.raises(RatioCutTooSoon):
            set_ratio(world, FIFTH)
    else:
        set_ratio(world, FIFTH)
        assert ratios(world, 5, 6) == [HALF, FIFTH]


def test_a_rise_takes_an_announced_cut_back(world: World) -> None:
    set_ratio(world, HALF)
    with pytest.raises(RatioUnchanged):
        set_ratio(world, HALF)
    world.go_to(1)
    set_ratio(world, FIFTH)
    set_ratio(world, HALF)
    assert ratios(world, 1, 2, 3, 9) == [HALF] * 4


def test_a_rise_of_today_can_be_lowered_only_with_notice(world: World) -> None:
    world.go_to(1)
    set_ratio(world, MOST)
    set_ratio(world, HALF)
    assert ratios(world, 1, 2, 3) == [NONE, MOST, HALF]


def test_bounds_and_default_are_the_daos(world: World) -> None:
    with pytest.raises(RatioAboveOne):
        set_ratio(world, Rational(2, 1))
    with pytest.raises(NotRegistered):
        world.tasks.set_share_ratio(signed(IDLE), 0, HALF)
    rules = ShareRatioRules(usual=FIFTH, least=FIFTH, most=HALF)
    world.tasks.set_parameters(frame.ROOT, ArenaParameters(share_ratio=rules))
    world.go_to(1)
    for ratio in (Rational(1, 6), MOST):
        with pytest.raises(RatioOutOfBounds):
            set_ratio(world, ratio)
    world.tasks.register(signed(IDLE), 0, Role.TRAINING_NODE, 10 * FML, None, Hardware())
    assert world.ledger.operators.get((0, IDLE)).ratio.at(2) == FIFTH


def test_a_days_shares_use_its_ratio_and_reward_b_the_mean(world: World) -> None:
    set_ratio(world, MOST)
    world.go_to(1)
    set_ratio(world, FIFTH)
    world.go_to(3)
    assert world.ledger.shares_on(0, N1, 2).ratio == MOST
    assert world.ledger.shares_on(0, N1, 3).ratio == FIFTH
    mean = world.ledger.shares_through(0, N1, 3).ratio
    parts = [ratio.mul_floor(1 << MEAN_BITS) for ratio in (MOST, MOST, FIFTH)]
    assert mean == Rational.reduced(sum(parts), 3 << MEAN_BITS)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3), st.integers(0, 20)), max_size=30))
def test_the_schedule_remembers_what_a_naive_one_knows(steps: list[tuple[int, int, int]]) -> None:
    shared, today = ShareRatio.starting(1, HALF), 0
    naive = {1: HALF}
    for gap, notice, twentieth in steps:
        today += gap
        ratio = Rational.reduced(twentieth, 20)
        shared = shared.changed(today, today + notice, ratio, is_cut=False)
        naive = {day: value for day, value in naive.items() if day < today + notice or day == 1}
        naive[today + notice] = ratio

    def known(day: int) -> Rational:
        return naive[max((d for d in naive if d <= day), default=1)]

    assert len(shared.entries) <= ENTRIES_MAX
    for day in range(max(today - 2, 1), today + 6):
        assert shared.at(day) == known(day)
        total = sum(known(d).mul_floor(1 << MEAN_BITS) for d in range(1, day + 1))
        mean = shared.mean_through(day)
        assert mean.mul_floor(day << MEAN_BITS) in (total, known(day).mul_floor(day << MEAN_BITS))
