"""Ratings and the hosts' slice: who may rate, what it does to quality, and what a day pays."""

from __future__ import annotations

import pytest

from runtime.economy.market import HostClaim
from runtime.economy.parameters import SCORE_MAX
from runtime.pallets.marketplace import events, records
from runtime.pallets.marketplace.ratings import weighted_median
from runtime.pallets.marketplace.records import Rater
from runtime.pallets.marketplace.seals import seal_rating
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import FML, AccountId
from tests.runtime.pallets.marketplace.market_world import DAY, Market, account, origin

SALT = b"s" * 32
OPENS = 8  # blocks into the day


def paid_day() -> Market:
    """Cal paid Hal 8 FML and Cat 2 FML on day 0; it is day 1."""
    world = Market()
    world.host("hal")
    for caller, total in (("cal", 8 * FML), ("cat", 2 * FML)):
        world.open(caller, "hal", 10 * FML)
        world.settle("hal", caller, total)
    world.go(DAY - 1)
    return world


def seal(world: Market, caller: str, rating: int, day: int = 0) -> None:
    genesis = world.runtime.system.genesis_hash()
    made = seal_rating(genesis, account(caller), account("hal"), day, rating, SALT)
    world.market.seal_rating(origin(caller), account("hal"), made)


def unseal(world: Market, caller: str, rating: int) -> None:
    world.market.open_rating(origin(caller), account("hal"), rating, SALT)


def quality(world: Market) -> int:
    return world.market.hosts.get(account("hal")).quality


def test_ratings_move_quality_by_what_was_paid() -> None:
    world = paid_day()
    assert quality(world) == SCORE_MAX // 2
    seal(world, "cal", SCORE_MAX)
    seal(world, "cat", 0)
    world.go(OPENS)
    unseal(world, "cal", SCORE_MAX)
    unseal(world, "cat", 0)
    world.go(DAY - OPENS)
    world.market.begin_day(2)
    assert quality(world) == SCORE_MAX // 2 * 3 // 4 + SCORE_MAX // 4
    assert [key for key, _ in world.market.days.items() if key[0] == 0] == []


def test_who_does_not_open_counts_nothing() -> None:
    world = paid_day()
    seal(world, "cal", 0)
    world.go(DAY)
    world.market.begin_day(2)
    assert quality(world) == SCORE_MAX // 2


def test_ratings_have_windows() -> None:
    world = paid_day()
    world.go(OPENS - 1)
    seal(world, "cal", 5)
    with pytest.raises(events.RatingClosed):
        unseal(world, "cal", 5)
    world.next()
    with pytest.raises(events.RatingClosed):
        seal(world, "cal", 6)
    for rating in (6, SCORE_MAX + 1):
        with pytest.raises(events.BadOpening):
            unseal(world, "cal", rating)
    unseal(world, "cal", 5)
    with pytest.raises(events.BadOpening):
        unseal(world, "cat", 5)  # sealed nothing


def test_only_who_paid_yesterday_rates() -> None:
    world = Market()
    with pytest.raises(events.NotSampled):
        seal(world, "cal", 1)
    world = paid_day()
    with pytest.raises(events.NotSampled):
        seal(world, "hub", 1)
    world.go(DAY)
    with pytest.raises(events.NotSampled):
        seal(world, "cal", 1, day=1)


def test_a_sample_is_bounded_and_no_payer_is_certain_of_it() -> None:
    world = Market()
    world.host("hal")
    for number in range(60):
        name = f"payer {number}"
        world.balances.mint(account(name), 2 * FML)
        world.open(name, "hal", FML)
        world.settle("hal", name, FML)
    found = world.market.days.get((0, account("hal")))
    assert (found.payments, found.paid, found.burned) == (60, 60 * FML, 18 * FML)
    names = [each.caller for each in found.raters]
    assert len(names) == len(set(names)) == records.RATERS_MAX
    first = [account(f"payer {number}") for number in range(records.RATERS_MAX)]
    assert 0 < len(set(first) & set(names)) < records.RATERS_MAX


def test_who_pays_twice_is_in_the_sample_once() -> None:
    world = paid_day()
    world.settle("hal", "cal", 9 * FML)
    world.settle("hal", "cal", 10 * FML)
    found = world.market.days.get((1, account("hal")))
    assert [(each.caller, each.paid) for each in found.raters] == [(account("cal"), 2 * FML)]


def test_a_day_claims_by_quality_and_burned() -> None:
    world = paid_day()
    (claim,) = world.market.begin_day(1)
    burned = 3 * FML
    assert claim == HostClaim(account("hal"), SCORE_MAX // 2 * burned, burned // 2)


def test_who_serves_no_more_claims_nothing() -> None:
    world = paid_day()
    world.rules(host_stake=51 * FML)
    assert world.market.begin_day(1) == []


def test_a_payment_to_nobodys_host_is_in_no_day() -> None:
    world = paid_day()
    world.market.leave(origin("hal"))
    world.go(2 * DAY)
    world.market.withdraw_host_stake(origin("hal"))
    world.settle("hal", "cal", 9 * FML)
    assert not world.market.days.contains((3, account("hal")))


@pytest.mark.parametrize(
    ("said", "median"),
    [
        ([], None),
        ([(None, 5)], None),
        ([(7, 1)], 7),
        ([(1, 1), (9, 1)], 1),
        ([(1, 1), (9, 2)], 9),
        ([(1, 2), (5, 1), (9, 2)], 5),
        ([(9, 1), (None, 100), (3, 1), (4, 1)], 4),
    ],
)
def test_the_lower_median_by_what_was_paid(
    said: list[tuple[int | None, int]], median: int | None
) -> None:
    who = AccountId(blake2b_256(b"x"))
    assert weighted_median([Rater(who, paid, None, rating) for rating, paid in said]) == median
