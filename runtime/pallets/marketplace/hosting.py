"""Hosts and what they offer: a stake, and models at a price, each pinned by its hash.

Source: WP II.C, II.D.6 (model hosts keep models up to date), WP III.B.2 (they stake).
"""

from __future__ import annotations

from dataclasses import replace

from runtime.economy.parameters import SCORE_MAX
from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import events, records
from runtime.pallets.marketplace.records import Host, Offer
from runtime.pallets.marketplace.storage import Marketplace
from runtime.primitives.types import AccountId


class Hosting:
    """Coming, offering, leaving."""

    def __init__(self, market: Marketplace) -> None:
        self.market = market

    def register(self, who: AccountId) -> None:
        """Hold the least stake."""
        market = self.market
        count = market.host_count.get()
        if market.hosts.contains(who):
            raise events.AlreadyAHost
        if count >= records.HOSTS_MAX:
            raise events.TooManyHosts
        rules = market.parameters.get()
        stake, quality = rules.host_stake, rules.start_quality.mul_floor(SCORE_MAX)
        market.currency.hold(HoldReason.HOST_STAKE, who, stake)
        market.hosts.put(who, Host(stake, quality))
        market.host_count.put(count + 1)
        market.deposit_event(events.HostRegistered(who, stake))

    def add_stake(self, who: AccountId, amount: int) -> None:
        """Hold more."""
        market = self.market
        found = market.hosts.find(who)
        if found is None or found.leaving_at is not None:
            raise events.NotAHost
        market.currency.hold(HoldReason.HOST_STAKE, who, amount)
        stake = found.stake + amount
        market.hosts.put(who, replace(found, stake=stake))
        market.deposit_event(events.HostRegistered(who, stake))

    def offer(
        self, who: AccountId, model: bytes, endpoint: str, price: int, *, follows: bool
    ) -> None:
        """Serve a model, or serve it otherwise."""
        market = self.market
        host, task = market.serving(who), market.model_of(model).task
        if not 0 < len(endpoint.encode()) <= records.ENDPOINT_BYTES_MAX:
            raise events.BadEndpoint
        if not market.offers.contains((who, model)):
            if host.offers >= records.OFFERS_MAX:
                raise events.TooManyOffers
            market.hosts.put(who, replace(host, offers=host.offers + 1))
        since = market.block.block_number()
        market.offers.put((who, model), Offer(task, endpoint, price, follows, since))
        market.deposit_event(events.Offered(who, model, task, price))

    def withdraw_offer(self, who: AccountId, model: bytes) -> None:
        """Serve a model no more."""
        market = self.market
        if not market.offers.contains((who, model)):
            raise events.UnknownOffer
        host = market.hosts.get(who)
        market.offers.remove((who, model))
        market.hosts.put(who, replace(host, offers=host.offers - 1))
        market.deposit_event(events.OfferWithdrawn(who, model))

    def update_offer(self, who: AccountId, model: bytes, successor: bytes) -> None:
        """Move an offer that follows its lineage to a model that came of the offered one."""
        market = self.market
        offer = market.offer_of(who, model)
        lineage = market.models.lineage(successor)
        is_successor = any(each.content == model for each in lineage[1:])
        if not offer.follows or not is_successor:
            raise events.NotASuccessor
        host, is_offered = market.hosts.get(who), market.offers.contains((who, successor))
        market.offers.remove((who, model))
        if is_offered:  # by the host itself, on terms of its own
            market.hosts.put(who, replace(host, offers=host.offers - 1))
        else:
            since = market.block.block_number()
            moved = replace(offer, task=lineage[0].task, since=since)
            market.offers.put((who, successor), moved)
        market.deposit_event(events.OfferMoved(who, model, successor))

    def leave(self, who: AccountId) -> None:
        """Offer nothing more; the stake stays slashable until it is free."""
        market = self.market
        found = market.hosts.find(who)
        if found is None or found.leaving_at is not None:
            raise events.NotAHost
        free_at = market.free_at()
        market.offers.remove_all(who)
        market.hosts.put(who, replace(found, offers=0, leaving_at=free_at))
        market.deposit_event(events.HostLeaving(who, free_at))

    def withdraw(self, who: AccountId) -> None:
        """Take the stake."""
        market = self.market
        found = market.hosts.find(who)
        if found is None:
            raise events.NotAHost
        number = market.block.block_number()
        if found.leaving_at is None or number < found.leaving_at:
            raise events.NotYetFree
        if found.cases:
            raise events.InDispute
        market.currency.release(HoldReason.HOST_STAKE, who, found.stake)
        market.hosts.remove(who)
        market.host_count.put(market.host_count.get() - 1)
        market.deposit_event(events.HostLeft(who, found.stake))
