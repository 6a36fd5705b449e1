"""What every client may ask of the marketplace: typed in the metadata.

Owns the runtime API `MarketApi`. Everything is read-only and costs what the records cost that it
returns; lists of offers read every offer, of at most 256 hosts.

Source: Substrate runtime APIs (`decl_runtime_apis!`); WP II.C, III.B.2.
"""

from __future__ import annotations

from runtime import frame
from runtime.economy.market import MarketParameters
from runtime.economy.tasks import ContentDigest
from runtime.frame.runtime_api import runtime_api
from runtime.pallets.marketplace import Marketplace
from runtime.pallets.marketplace.case_records import Case, Contribution
from runtime.pallets.marketplace.records import Channel, Host, Line, Offer
from runtime.primitives.types import U32, AccountId, Balance, Bytes32
from runtime.runtime import Runtime


@frame.scale_type
class HostEntry:
    """A host, and whether it may serve now."""

    host: AccountId
    record: Host
    is_serving: bool


@frame.scale_type
class OfferEntry:
    """A model that a host serves now."""

    host: AccountId
    model: ContentDigest
    record: Offer


@frame.scale_type
class ChannelEntry:
    """A caller's channel."""

    line: Line
    record: Channel


@frame.scale_type
class Quota:
    """A caller's stake that counts today, planck, and the free calls of each host's model."""

    stake: Balance
    free_calls: U32
    day: U32


class _OverMarket:
    """What it is a method of."""

    _runtime: Runtime

    @property
    def _market(self) -> Marketplace:
        return self._runtime.market


@runtime_api("MarketApi", version=1)
class MarketApi(_OverMarket):
    """Hosts, offers, channels, free calls and cases."""

    def hosts(self) -> list[HostEntry]:
        """Every host, also while it leaves."""
        least = self._market.parameters.get().host_stake
        return [
            HostEntry(who, host, host.leaving_at is None and host.stake >= least)
            for who, host in self._market.hosts.items()
        ]

    def offers(self, model: Bytes32 | None) -> list[OfferEntry]:
        """What hosts serve now that may; of one model, or of all."""
        serving = [each.host for each in self.hosts() if each.is_serving]
        return [
            OfferEntry(host, each, offer)
            for host in serving
            for each, offer in self._market.offers.items_of(host)
            if model in (None, each)
        ]

    def channel(self, caller: AccountId, host: AccountId, model: Bytes32) -> Channel | None:
        """A caller's channel to a host for a model; None if it never had one."""
        return self._market.channels.find((caller, Line(host, model)))

    def channels_of(self, caller: AccountId) -> list[ChannelEntry]:
        """All channels that a caller ever opened."""
        found = self._market.channels.items_of(caller)
        return [ChannelEntry(line, channel) for line, channel in found]

    def free_quota(self, caller: AccountId) -> Quota:
        """How many calls of each host's model are free for a caller today."""
        market, today = self._market, self._market.today()
        found = market.callers.find(caller)
        stake = 0 if found is None else found.counted_on(today)
        return Quota(stake, market.staking.free_calls(caller), today)

    def case(self, case: U32) -> Case | None:
        """A case on its way, or one of the last that ended."""
        return self._market.cases.find(case)

    def cases_of(self, juror: AccountId) -> list[U32]:
        """Cases on their way for which a validator was drawn."""
        live = [each.case for each in self._market.live_cases.get()]
        juries = ((number, self._market.cases.get(number).jurors) for number in live)
        return [number for number, jurors in juries if any(each.who == juror for each in jurors)]

    def contribution(self, dataset: Bytes32) -> Contribution | None:
        """A contributed data set; None if nobody contributed it."""
        return self._market.contributions.find(dataset)

    def waiting_royalty(self, model: Bytes32) -> Balance:
        """Royalties of a model that anybody may have paid out, planck."""
        return self._market.royalties.get(model)

    def market_parameters(self) -> MarketParameters:
        """What the DAO decides."""
        return self._market.parameters.get()
