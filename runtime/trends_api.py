"""What every client may ask of the seasons' lists and of the vote on them: typed in the metadata.

Owns the runtime API `TrendsApi`. Everything is read-only; a list has at most 32 models.

Source: Substrate runtime APIs (`decl_runtime_apis!`); litepaper, governance (trending models).
"""

from __future__ import annotations

from runtime import frame
from runtime.economy.tasks import ContentDigest
from runtime.economy.trends import TrendParameters
from runtime.frame.runtime_api import runtime_api
from runtime.pallets.trends.records import Ballot, Listed, Poll, Season
from runtime.primitives.types import U64, AccountId
from runtime.runtime import Runtime


@frame.scale_type
class SeasonLists:
    """The season, and the two lists so far."""

    season: Season
    top: list[Listed]
    trending: list[Listed]


@frame.scale_type
class ModelMultipliers:
    """What a model's host claims and royalties are multiplied with, in parts per million."""

    model: ContentDigest
    host: U64
    royalty: U64


class _OverTrends:
    """What it is a method of."""

    _runtime: Runtime


@runtime_api("TrendsApi", version=1)
class TrendsApi(_OverTrends):
    """Lists, the vote on models, and what it changed."""

    def season_lists(self) -> SeasonLists:
        """The models that count most in this season, and those that rose most."""
        trends = self._runtime.trends
        return SeasonLists(trends.season.get(), trends.top.get(), trends.trending.get())

    def model_poll(self) -> Poll | None:
        """The vote on the last season's lists, open or over; None if they were empty."""
        return self._runtime.trends.poll.find()

    def model_ballot(self, voter: AccountId) -> Ballot | None:
        """How an account votes in it; None if it does not."""
        poll = self.model_poll()
        return None if poll is None else self._runtime.trends.ballots.find((poll.season, voter))

    def model_multipliers(self) -> list[ModelMultipliers]:
        """The multipliers that are not one."""
        found = sorted(self._runtime.trends.boosts.items())
        return [ModelMultipliers(model, boost.host, boost.royalty) for model, boost in found]

    def trend_parameters(self) -> TrendParameters:
        """What the DAO decides; the season may have other rules until it ends."""
        return self._runtime.trends.parameters.get()
