"""Hosts: their stake, what they may offer, how offers follow a lineage, how they leave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import frame
from runtime.frame.errors import TokenError
from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import events, records
from runtime.primitives.types import FML
from tests.runtime.pallets.marketplace.market_world import (
    DAY,
    ENDPOINT,
    MODEL,
    OTHER,
    PARENT,
    PRICE,
    START,
    Market,
    account,
    origin,
)

STAKE = 50 * FML


def test_a_host_stakes_and_offers_a_model_that_won() -> None:
    world = Market()
    world.host("hal")
    assert world.held(HoldReason.HOST_STAKE, "hal") == STAKE
    offer = world.market.offers.get((account("hal"), MODEL))
    assert (offer.task, offer.endpoint, offer.price) == (2, ENDPOINT, PRICE)
    world.host("hal", price=2 * PRICE)
    assert world.market.hosts.get(account("hal")).offers == 1
    world.market.withdraw_offer(origin("hal"), MODEL)
    assert world.market.hosts.get(account("hal")).offers == 0
    world.next()


def test_only_models_that_won_can_be_offered() -> None:
    world = Market()
    with pytest.raises(events.UnknownModel):
        world.host("hal", model=bytes(32))


def test_only_hosts_offer() -> None:
    world = Market()
    with pytest.raises(events.NotAHost):
        world.market.offer(origin("hal"), MODEL, ENDPOINT, PRICE, False)
    with pytest.raises(events.NotAHost):
        world.market.add_host_stake(origin("hal"), FML)
    with pytest.raises(events.NotAHost):
        world.market.leave(origin("hal"))
    with pytest.raises(events.NotAHost):
        world.market.withdraw_host_stake(origin("hal"))
    world.host("hal")
    with pytest.raises(events.AlreadyAHost):
        world.market.register_host(origin("hal"))
    with pytest.raises(events.UnknownOffer):
        world.market.withdraw_offer(origin("hal"), OTHER)


def test_who_cannot_stake_is_no_host() -> None:
    world = Market()
    world.rules(host_stake=START)
    with pytest.raises(TokenError):
        world.market.register_host(origin("hal"))


def test_there_are_limits() -> None:
    world = Market()
    world.host("hal")
    for endpoint in ("", "x" * 201):
        with pytest.raises(events.BadEndpoint):
            world.market.offer(origin("hal"), MODEL, endpoint, PRICE, False)
    host = world.market.hosts.get(account("hal"))
    world.market.hosts.put(account("hal"), replace(host, offers=records.OFFERS_MAX))
    with pytest.raises(events.TooManyOffers):
        world.market.offer(origin("hal"), OTHER, ENDPOINT, PRICE, False)
    world.market.host_count.put(records.HOSTS_MAX)
    with pytest.raises(events.TooManyHosts):
        world.market.register_host(origin("hub"))


def test_a_raised_minimum_stops_a_host_until_it_adds() -> None:
    world = Market()
    world.host("hal")
    world.rules(host_stake=STAKE + 1)
    with pytest.raises(events.StakeTooSmall):
        world.host("hal")
    with pytest.raises(events.StakeTooSmall):
        world.open("cal", "hal", FML)
    world.market.add_host_stake(origin("hal"), 1)
    world.host("hal")
    assert world.held(HoldReason.HOST_STAKE, "hal") == STAKE + 1


def test_an_offer_follows_its_lineage() -> None:
    world = Market()
    world.host("hal", model=PARENT, follows=True)
    world.market.update_offer(origin("hal"), PARENT, MODEL)
    offer = world.market.offers.get((account("hal"), MODEL))
    assert (offer.task, offer.price, offer.follows) == (2, PRICE, True)
    assert not world.market.offers.contains((account("hal"), PARENT))
    world.next()


def test_only_its_host_moves_an_offer() -> None:
    world = Market()
    world.host("hal", model=PARENT, follows=True)
    world.host("hub", model=OTHER)
    with pytest.raises(events.NotAHost):
        world.market.update_offer(origin("cal"), PARENT, MODEL)
    with pytest.raises(events.UnknownOffer):
        world.market.update_offer(origin("hub"), PARENT, MODEL)
    assert world.market.offers.contains((account("hal"), PARENT))


def test_an_offer_of_the_successor_stays_as_the_host_made_it() -> None:
    world = Market()
    world.host("hal", model=PARENT, follows=True)
    world.host("hal", model=MODEL, price=7)
    world.market.update_offer(origin("hal"), PARENT, MODEL)
    assert world.market.offers.get((account("hal"), MODEL)).price == 7
    assert world.market.hosts.get(account("hal")).offers == 1
    world.next()


@pytest.mark.parametrize(
    ("follows", "successor"), [(False, MODEL), (True, OTHER), (True, PARENT), (True, bytes(32))]
)
def test_an_offer_follows_nothing_else(follows: bool, successor: bytes) -> None:
    world = Market()
    world.host("hal", model=PARENT, follows=follows)
    with pytest.raises(events.NotASuccessor):
        world.market.update_offer(origin("hal"), PARENT, successor)


def test_a_host_leaves_after_its_notice() -> None:
    world = Market()
    world.host("hal")
    world.host("hal", model=OTHER)
    with pytest.raises(events.NotYetFree):
        world.market.withdraw_host_stake(origin("hal"))
    world.market.leave(origin("hal"))
    assert list(world.market.offers.items()) == []
    with pytest.raises(events.NotAHost):
        world.market.leave(origin("hal"))
    with pytest.raises(events.NotAHost):
        world.host("hal")
    world.go(2 * DAY - 1)
    with pytest.raises(events.NotYetFree):
        world.market.withdraw_host_stake(origin("hal"))
    world.next()
    world.market.withdraw_host_stake(origin("hal"))
    assert world.free("hal") == START
    assert world.market.host_count.get() == 0
    world.next()


def test_only_the_dao_changes_the_rules() -> None:
    world = Market()
    with pytest.raises(frame.BadOrigin):
        world.market.set_parameters(origin("hal"), world.parameters())
    with pytest.raises(events.ParametersOutOfBounds):
        world.rules(host_stake=0)
    world.rules(host_stake=7 * FML)
    assert world.parameters().host_stake == 7 * FML


def test_to_offer_a_model_only_its_own_record_is_read() -> None:
    world = Market()
    models = world.runtime.models
    for task in (0, 1):
        models.models.remove(task)  # of its ancestors: a walk over its lineage would miss them
    world.market.register_host(origin("hal"))
    world.market.offer(origin("hal"), MODEL, ENDPOINT, PRICE, False)
    assert world.market.model_of(MODEL).task == 2
    assert models.find_model(bytes(32)) is None
