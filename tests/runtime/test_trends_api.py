"""`TrendsApi`: what clients are told of lists, the vote on models, and multipliers."""

from __future__ import annotations

from runtime.primitives.types import FML
from runtime.trends_api import ModelMultipliers, TrendsApi
from tests.runtime.pallets.marketplace.market_world import account
from tests.runtime.pallets.trends.season_world import MODEL, OTHER, Seasons


class Api(TrendsApi):
    """The API over the runtime of a test."""

    def __init__(self, world: Seasons) -> None:
        self._runtime = world.runtime


def test_lists_the_vote_and_what_it_changed() -> None:
    world = Seasons()
    api = Api(world)
    world.lock("ann", 100 * FML)
    world.list_model(MODEL, 3)
    world.list_model(OTHER, 2)
    lists = api.season_lists()
    assert [each.model for each in lists.top] == [MODEL, OTHER]
    assert lists.trending == lists.top
    assert (lists.season.number, api.model_poll()) == (0, None)
    assert api.model_ballot(account("ann")) is None
    world.end_season()
    world.vote("ann", model=100)
    assert api.model_poll() == world.poll()
    ballot = api.model_ballot(account("ann"))
    assert ballot is not None
    assert ballot.weight == 100 * FML
    world.end_poll()
    assert api.model_multipliers() == [ModelMultipliers(MODEL, 2_000_000, 1_500_000)]
    assert api.trend_parameters() == world.trends.parameters.get()
