"""What is true of the marketplace after every block.

Source: WP III.B.2.
"""

from __future__ import annotations

from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import records
from runtime.pallets.marketplace.storage import Marketplace
from runtime.primitives.types import AccountId


def check(market: Marketplace) -> None:
    """Raise AssertionError if an invariant is broken."""
    _check_hosts(market)
    _check_callers(market)
    _check_escrows(market)
    waiting = sum(amount for _, amount in market.royalties.items())
    assert market.currency.free(market.config.royalties) >= waiting, f"{waiting} planck of royalty"


def _check_hosts(market: Marketplace) -> None:
    hosts = dict(market.hosts.items())
    assert len(hosts) == market.host_count.get() <= records.HOSTS_MAX
    offers: dict[AccountId, int] = {}
    for (host, model), offer in market.offers.items():
        offers[host] = offers.get(host, 0) + 1
        assert market.model_of(model).task == offer.task, f"offer of {host.hex()}"
    for who, host in hosts.items():
        held = market.currency.held(HoldReason.HOST_STAKE, who)
        assert held == host.stake, f"stake of {who.hex()}"
        assert offers.pop(who, 0) == host.offers <= records.OFFERS_MAX, f"offers of {who.hex()}"
    assert not offers, "an offer without a host"


def _check_callers(market: Marketplace) -> None:
    for who, stake in market.callers.items():
        held = market.currency.held(HoldReason.CALLER_STAKE, who)
        assert held == stake.held() > 0, f"stake of {who.hex()}"


def _check_escrows(market: Marketplace) -> None:
    escrows: dict[AccountId, int] = {}
    for (caller, line), channel in market.channels.items():
        assert channel.settled <= channel.deposit, f"channel to {line.host.hex()}"
        escrows[caller] = escrows.get(caller, 0) + channel.left()
    requests = dict(market.requests.items())
    for request in requests.values():
        escrows[request.caller] = escrows.get(request.caller, 0) + request.max_fee
    for caller, amount in escrows.items():
        held = market.currency.held(HoldReason.CHANNEL, caller)
        assert held == amount, f"deposits of {caller.hex()}"
    due = {number: block for (block, number), _ in market.deadlines.items()}
    assert due == {number: request.deadline for number, request in requests.items()}
    assert min(due.values(), default=2**32) >= market.next_deadline.get()
