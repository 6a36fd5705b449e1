"""What is true of the marketplace after every block.

Source: WP III.B.2.
"""

from __future__ import annotations

from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import records
from runtime.pallets.marketplace.case_records import JURORS_MAX, Disputed
from runtime.pallets.marketplace.storage import Marketplace
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import AccountId


def check(market: Marketplace) -> None:
    """Raise AssertionError if an invariant is broken."""
    _check_hosts(market)
    _check_callers(market)
    _check_escrows(market)
    _check_cases(market)
    _check_contributions(market)
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


def _check_cases(market: Marketplace) -> None:
    live = [each.case for each in market.live_cases.get()]
    bonds: dict[AccountId, int] = {}
    disputes: dict[AccountId, int] = {}
    for number in live:
        case = market.cases.get(number)
        bonds[case.opener] = bonds.get(case.opener, 0) + case.held()
        if isinstance(case.matter, Disputed):
            answer = case.matter.answer
            disputes[answer.host] = disputes.get(answer.host, 0) + 1
            assert market.disputed.get(blake2b_256(answer.payload())) == number
    assert sorted((*live, *market.finished_cases.get())) == sorted(market.cases.keys())
    for who, bond in bonds.items():
        held = market.currency.held(HoldReason.CHALLENGE, who)
        assert held == bond, f"bonds of {who.hex()}"
    assert {who: host.cases for who, host in market.hosts.items() if host.cases} == disputes
    assert len(list(market.jurors.keys())) == market.juror_count.get() <= JURORS_MAX


def _check_contributions(market: Marketplace) -> None:
    listed = {each: who for who, sets in market.contributed.items() for each in sets}
    found = dict(market.contributions.items())
    assert listed == {each: made.owner for each, made in found.items()}
    used = {each: task for task, sets in market.data_of.items() for each in sets}
    assert used == {each: made.task for each, made in found.items() if made.task is not None}
