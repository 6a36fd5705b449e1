"""Callers' stakes: free calls from the day after, and a notice to leave."""

from __future__ import annotations

import pytest

from runtime.frame.errors import TokenError
from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import events, records
from runtime.primitives.types import FML
from tests.runtime.pallets.marketplace.market_world import DAY, START, Market, account, origin


def free_calls(world: Market, name: str) -> int:
    return world.market.staking.free_calls(account(name))


def test_a_stake_counts_from_the_next_day() -> None:
    world = Market()
    world.market.stake(origin("cal"), 40 * FML)
    assert free_calls(world, "cal") == 0
    world.go(DAY - 2)
    assert free_calls(world, "cal") == 0
    world.next()
    assert free_calls(world, "cal") == 8  # 4 * sqrt(40 / 10)
    world.market.stake(origin("cal"), 120 * FML)
    assert free_calls(world, "cal") == 8
    world.go(DAY)
    assert free_calls(world, "cal") == 16
    assert world.held(HoldReason.CALLER_STAKE, "cal") == 160 * FML


def test_what_leaves_counts_no_more_and_is_free_after_its_notice() -> None:
    world = Market()
    world.market.stake(origin("cal"), 40 * FML)
    world.go(DAY)
    world.market.unstake(origin("cal"), 30 * FML)
    assert free_calls(world, "cal") == 4
    world.go(2 * DAY - 1)
    with pytest.raises(events.NotYetFree):
        world.market.withdraw_stake(origin("cal"))
    world.next()
    world.market.withdraw_stake(origin("cal"))
    assert world.free("cal") == START - 10 * FML
    world.market.unstake(origin("cal"), 10 * FML)
    world.go(2 * DAY)
    world.market.withdraw_stake(origin("cal"))
    assert world.free("cal") == START
    assert not world.market.callers.contains(account("cal"))
    assert free_calls(world, "cal") == 0


def test_what_is_not_there_cannot_leave() -> None:
    world = Market()
    for call in (world.market.stake, world.market.unstake):
        with pytest.raises(events.NothingStaked):
            call(origin("cal"), 0)
    world.market.stake(origin("cal"), 17 * FML)
    with pytest.raises(events.NothingStaked):
        world.market.unstake(origin("cal"), 17 * FML + 1)
    for _ in range(records.LEAVING_MAX):
        world.market.unstake(origin("cal"), FML)
    with pytest.raises(events.TooManyParts):
        world.market.unstake(origin("cal"), FML)
    with pytest.raises(TokenError):
        world.market.stake(origin("cal"), START)
