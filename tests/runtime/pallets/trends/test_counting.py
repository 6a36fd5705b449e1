"""What payments count: payers up to a bound, no dust, two exact lists, old records gone."""

from __future__ import annotations

from runtime.pallets.trends.records import SWEPT_MAX, Payer, Tally
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import FML, AccountId
from tests.runtime.pallets.marketplace.market_world import account
from tests.runtime.pallets.trends.season_world import (
    GRAND,
    MODEL,
    OTHER,
    PARENT,
    PAYERS,
    Seasons,
)

MOST = 10 * FML


def test_one_large_payer_is_not_listed_and_several_are() -> None:
    world = Seasons()
    world.pay(PAYERS[0], MODEL, 1_000 * FML)
    assert world.trends.tallies.get((0, MODEL)) == Tally(MOST, 1)
    assert world.trends.top.get() == []
    world.pay(PAYERS[1], MODEL, FML)
    (listed,) = world.trends.top.get()
    assert (listed.model, listed.counted, listed.payers) == (MODEL, MOST + 3 * FML // 10, 2)
    assert world.trends.trending.get() == [listed]


def test_a_payer_counts_what_it_burned_up_to_the_bound() -> None:
    world = Seasons()
    for paid in (10 * FML, 20 * FML, 40 * FML):
        world.pay(PAYERS[0], MODEL, paid)
    assert world.trends.payers.get((0, Payer(MODEL, account(PAYERS[0])))) == 21 * FML
    assert world.trends.tallies.get((0, MODEL)) == Tally(MOST, 1)


def test_dust_leaves_no_record_and_later_payments_of_a_known_payer_count() -> None:
    world = Seasons()
    least = world.season().rules.payer_least
    who = account("somebody")
    world.trends.note_payment(who, MODEL, least - 1)
    assert list(world.trends.payers.keys()) == []
    world.trends.note_payment(who, MODEL, least)
    world.trends.note_payment(who, MODEL, 1)
    assert world.trends.tallies.get((0, MODEL)) == Tally(least + 1, 1)


def test_the_top_list_goes_by_what_counts_and_has_so_many_places() -> None:
    world = Seasons()
    world.trend_rules(listed=2)
    world.end_season()
    world.list_model(GRAND, 2)
    world.list_model(OTHER, 4)
    world.list_model(PARENT, 3)
    assert [each.model for each in world.trends.top.get()] == [OTHER, PARENT]
    world.list_model(GRAND, 6)
    assert [each.model for each in world.trends.top.get()] == [GRAND, OTHER]


def test_the_trending_list_goes_by_the_rise_since_the_season_before() -> None:
    world = Seasons()
    world.list_model(OTHER, 6, 100 * FML)
    world.list_model(MODEL, 2)
    world.end_season()
    world.list_model(OTHER, 6, 100 * FML)
    world.list_model(MODEL, 5)
    assert [each.model for each in world.trends.top.get()] == [OTHER, MODEL]
    first, second = world.trends.trending.get()
    assert (first.model, first.rise) == (MODEL, 15 * 10**6 // 16)  # 15 after 6, and 10 added
    assert (second.model, second.rise) == (OTHER, 60 * 10**6 // 70)


def test_old_seasons_are_dropped_some_entries_a_block() -> None:
    world = Seasons()
    for number in range(2 * SWEPT_MAX):
        payer = AccountId(blake2b_256(number.to_bytes(4, "little")))
        world.trends.note_payment(payer, MODEL, FML)
    world.end_season()
    assert len(list(world.trends.payers.items_of(0))) == 2 * SWEPT_MAX, "the last season's"
    world.end_season()
    kept = [len(list(world.trends.payers.items_of(0)))]
    while world.trends.swept.get() == 0:
        world.next()
        kept.append(len(list(world.trends.payers.items_of(0))))
    assert kept == [SWEPT_MAX, 0, 0]
    assert list(world.trends.tallies.items_of(0)) == []


def test_seasons_follow_one_another_by_the_rules_they_began_with() -> None:
    world = Seasons()
    assert (world.season().number, world.season().until) == (0, 60)
    world.trend_rules(season_days=5)
    assert world.season().until == 60
    world.end_season()
    assert (world.season().number, world.season().until) == (1, 160)
