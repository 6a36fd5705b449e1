"""`MarketApi`: what clients are told of hosts, offers, channels and free calls."""

from __future__ import annotations

from runtime.market_api import MarketApi
from runtime.primitives.types import FML
from tests.runtime.pallets.marketplace.market_world import (
    DAY,
    MODEL,
    OTHER,
    Market,
    account,
    origin,
)


class Api(MarketApi):
    """The API over the runtime of a test."""

    def __init__(self, world: Market) -> None:
        self._runtime = world.runtime


def test_hosts_and_offers_are_those_that_may_serve() -> None:
    world = Market()
    world.host("hal")
    world.host("hub", model=OTHER)
    api = Api(world)
    assert {each.host for each in api.hosts() if each.is_serving} == {
        *(account("hal"), account("hub")),
    }
    assert [each.model for each in api.offers(OTHER)] == [OTHER]
    assert len(api.offers(None)) == 2
    world.market.leave(origin("hub"))
    assert [each.host for each in api.offers(None)] == [account("hal")]
    assert [each.is_serving for each in api.hosts() if each.host == account("hub")] == [False]


def test_channels_and_royalties() -> None:
    world = Market()
    world.host("hal")
    api = Api(world)
    assert api.channel(account("cal"), account("hal"), MODEL) is None
    world.open("cal", "hal", 10 * FML)
    world.settle("hal", "cal", FML)
    found = api.channel(account("cal"), account("hal"), MODEL)
    assert found is not None
    assert (found.deposit, found.settled) == (10 * FML, FML)
    assert [each.record for each in api.channels_of(account("cal"))] == [found]
    assert api.waiting_royalty(MODEL) == FML // 10
    assert api.market_parameters() == world.parameters()


def test_free_calls_and_what_there_is_not() -> None:
    world = Market()
    api = Api(world)
    assert api.free_quota(account("cal")).free_calls == 0
    world.market.stake(origin("cal"), 40 * FML)
    world.go(DAY)
    found = api.free_quota(account("cal"))
    assert (found.stake, found.free_calls, found.day) == (40 * FML, 8, 1)
    assert (api.case(0), api.contribution(bytes(32)), api.cases_of(account("cal"))) == (
        *(None, None, []),
    )
