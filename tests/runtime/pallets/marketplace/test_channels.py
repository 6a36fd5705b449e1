"""Channels: what a voucher pays, once and to whom it was made, and how deposits come back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.frame.errors import TokenError
from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import events
from runtime.pallets.marketplace.records import Claim
from runtime.pallets.marketplace.storage import ROYALTIES
from runtime.primitives.multi import Ecdsa
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.block_chain import key_of
from tests.runtime.pallets.marketplace.market_world import (
    DAY,
    MAKERS,
    MODEL,
    OTHER,
    PRICE,
    START,
    Market,
    account,
    nobody,
    origin,
    sign,
)

FEE = FML // 1_000  # burns for a channel's record
NO_ROYALTY = Rational(0, 1)


def served(amount: int = 10 * FML) -> Market:
    """Hal hosts, and Cal has a channel to it."""
    world = Market()
    world.host("hal")
    world.open("cal", "hal", amount)
    return world


def test_calls_beyond_the_quota_are_charged_burned_and_paid_to_the_planck() -> None:
    world = served()
    world.rules(royalty=NO_ROYALTY)
    owed = (130 - 100) * PRICE
    assert owed == 75 * FML // 10
    free, burned = world.free("hal"), world.balances.total_burned.get()
    world.settle("hal", "cal", owed)
    assert world.free("hal") - free == 525 * FML // 100
    assert world.balances.total_burned.get() - burned == 225 * FML // 100
    assert world.channel("cal", "hal").settled == owed
    assert world.held(HoldReason.CHANNEL, "cal") == 10 * FML - owed
    assert world.free("cal") == START - 10 * FML - FEE
    world.next()


@pytest.mark.parametrize("paid", [1, 2, 9, 10, 11, FML - 1, FML + 1])
def test_every_planck_of_a_payment_goes_somewhere(paid: int) -> None:
    world = served()
    free, burned = world.free("hal"), world.balances.total_burned.get()
    world.settle("hal", "cal", paid)
    to_host, to_royalty = world.free("hal") - free, world.balances.free(ROYALTIES)
    gone = world.balances.total_burned.get() - burned
    assert (gone, to_royalty) == (paid * 3 // 10, paid // 10)
    assert to_host + to_royalty + gone == paid
    assert world.market.royalties.get(MODEL) == to_royalty


def test_ten_thousand_calls_settle_in_one_extrinsic() -> None:
    """Forty callers of 250 calls each: the host keeps each one's last voucher."""
    world = Market()
    world.host("hal")
    callers, calls = [f"caller {n}" for n in range(40)], 250
    for name in callers:
        world.balances.mint(account(name), 100 * FML)
        world.open(name, "hal", 65 * FML)
    before = world.free("hal")
    last = [world.claim(name, "hal", calls * PRICE) for name in callers]
    world.market.settle_many(origin("hal"), last)
    assert len(world.events(events.Settled)) == 40
    paid = 10_000 * PRICE
    assert world.free("hal") - before == paid - paid * 3 // 10 - paid // 10
    world.next()


def test_replayed_lower_forged_and_foreign_vouchers_earn_nothing() -> None:
    world = served()
    world.host("hub")
    world.settle("hal", "cal", 2 * FML)
    for total in (2 * FML, FML):
        with pytest.raises(events.NothingNew):
            world.settle("hal", "cal", total)
    with pytest.raises(events.AboveDeposit):
        world.settle("hal", "cal", 10 * FML + 1)
    forged = world.voucher("cal", "hal", 3 * FML, signer="hal")
    elsewhere = world.voucher("cal", "hub", 3 * FML)
    of_other = world.voucher("cal", "hal", 3 * FML, OTHER)
    wrong = (forged, elsewhere, of_other, nobody(), Ecdsa(bytes(65)))
    for signature in wrong:
        with pytest.raises(events.BadSignature):
            world.market.settle(origin("hal"), account("cal"), MODEL, 3 * FML, signature)
    with pytest.raises(events.UnknownChannel):
        world.settle("hub", "cal", 3 * FML)
    with pytest.raises(events.UnknownChannel):
        world.settle("hal", "cal", 3 * FML, OTHER)
    assert world.channel("cal", "hal").settled == 2 * FML


def test_a_voucher_of_another_chain_earns_nothing() -> None:
    world = served()
    from runtime.primitives.types import Hash
    from runtime.primitives.vouchers import Voucher

    foreign = Voucher(Hash(b"x" * 32), account("cal"), account("hal"), MODEL, FML)
    with pytest.raises(events.BadSignature):
        world.market.settle(
            origin("hal"), account("cal"), MODEL, FML, sign("cal", foreign.payload())
        )


def test_only_the_highest_voucher_counts_whatever_came_before() -> None:
    one, step_by_step = served(), served()
    one.settle("hal", "cal", 5 * FML)
    for total in (FML, 3 * FML, 5 * FML):
        step_by_step.settle("hal", "cal", total)
    assert one.free("hal") == step_by_step.free("hal")
    assert one.channel("cal", "hal") == step_by_step.channel("cal", "hal")


def test_of_many_claims_the_good_ones_are_paid() -> None:
    world = served()
    world.open("cat", "hal", FML)
    bad = replace(world.claim("cat", "hal", FML), signature=nobody())
    unknown = Claim(account("hub"), MODEL, 1, nobody())
    good = world.claim("cal", "hal", FML)
    world.market.settle_many(origin("hal"), [bad, unknown, good, good])
    refused = [
        (each.caller, each.error)
        for each in world.events(events.ClaimRefused)
        if isinstance(each, events.ClaimRefused)
    ]
    assert refused == [
        (account("cat"), events.BadSignature.error_index),
        (account("hub"), events.UnknownChannel.error_index),
        (account("cal"), events.NothingNew.error_index),
    ]
    assert world.channel("cal", "hal").settled == FML
    with pytest.raises(events.NothingSettled):
        world.market.settle_many(origin("hal"), [bad, good])
    with pytest.raises(events.NothingSettled):
        world.market.settle_many(origin("hal"), [])


def test_a_close_leaves_the_host_a_day() -> None:
    world = served()
    world.market.close_channel(origin("cal"), account("hal"), MODEL)
    for call in (world.market.close_channel, world.market.withdraw_channel):
        with pytest.raises((events.ChannelIsClosing, events.NotYetFree)):
            call(origin("cal"), account("hal"), MODEL)
    with pytest.raises(events.ChannelIsClosing):
        world.market.top_up(origin("cal"), account("hal"), MODEL, FML)
    with pytest.raises(events.ChannelOpen):
        world.open("cal", "hal", FML)
    world.go(DAY - 1)
    with pytest.raises(events.NotYetFree):
        world.market.withdraw_channel(origin("cal"), account("hal"), MODEL)
    world.settle("hal", "cal", 4 * FML)
    world.next()
    world.market.withdraw_channel(origin("cal"), account("hal"), MODEL)
    assert world.free("cal") == START - 4 * FML - FEE
    assert world.held(HoldReason.CHANNEL, "cal") == 0
    with pytest.raises(events.NotYetFree):
        world.market.withdraw_channel(origin("cal"), account("hal"), MODEL)
    world.next()


def test_what_was_settled_counts_on_when_a_channel_opens_again() -> None:
    world = served()
    world.settle("hal", "cal", 4 * FML)
    world.market.close_channel(origin("cal"), account("hal"), MODEL)
    world.go(DAY)
    world.market.withdraw_channel(origin("cal"), account("hal"), MODEL)
    free = world.free("cal")
    world.open("cal", "hal", 2 * FML)
    assert world.free("cal") == free - 2 * FML
    with pytest.raises(events.NothingNew):
        world.settle("hal", "cal", 4 * FML)
    world.settle("hal", "cal", 5 * FML)
    assert (world.channel("cal", "hal").deposit, world.channel("cal", "hal").left()) == (
        *(6 * FML, FML),
    )


def test_deposits_are_real_and_go_to_hosts_that_serve() -> None:
    world = Market()
    with pytest.raises(events.NotAHost):
        world.open("cal", "hal", FML)
    world.host("hal")
    with pytest.raises(events.UnknownOffer):
        world.open("cal", "hal", FML, OTHER)
    with pytest.raises(events.OwnHost):
        world.open("hal", "hal", FML)
    for amount in (0, PRICE - 1):
        with pytest.raises(events.NoDeposit):
            world.open("cal", "hal", amount)
    with pytest.raises(TokenError):
        world.open("cal", "hal", START)
    with pytest.raises(events.UnknownChannel):
        world.market.top_up(origin("cal"), account("hal"), MODEL, FML)
    world.open("cal", "hal", PRICE)
    with pytest.raises(events.NoDeposit):
        world.market.top_up(origin("cal"), account("hal"), MODEL, 0)
    world.market.top_up(origin("cal"), account("hal"), MODEL, FML)
    assert world.channel("cal", "hal").deposit == FML + PRICE
    assert world.held(HoldReason.CHANNEL, "cal") == FML + PRICE


def test_a_host_that_left_still_settles() -> None:
    world = served()
    world.market.leave(origin("hal"))
    world.go(2 * DAY)
    world.market.withdraw_host_stake(origin("hal"))
    world.settle("hal", "cal", FML)
    assert world.channel("cal", "hal").settled == FML


def test_a_share_of_a_payment_changes_with_the_rules() -> None:
    world = served()
    world.rules(burn_rate=Rational(1, 2), royalty=NO_ROYALTY)
    before = world.free("hal")
    world.settle("hal", "cal", FML)
    assert world.free("hal") - before == FML // 2


def test_royalties_go_to_who_made_the_lineage() -> None:
    world = served()
    world.settle("hal", "cal", 10 * FML)
    assert world.market.royalties.get(MODEL) == FML
    before = {name: world.free(name) for name in MAKERS}
    world.market.pay_royalties(origin("cat"), MODEL)
    gained = [world.free(name) - before[name] for name in MAKERS]
    third = FML // 3
    assert gained == [third, third, third + 1, 0]  # the odd planck to the model itself
    assert world.balances.free(ROYALTIES) == 0
    with pytest.raises(events.NoRoyalties):
        world.market.pay_royalties(origin("cat"), MODEL)
    world.next()


def test_royalty_that_would_be_dust_waits() -> None:
    world = Market()
    content, ghost = b"\7" * 32, key_of("ghost").account
    world.runtime.models.record_model(9, content, 0, ghost, (1, 1), [])
    world.host("hal", model=content)
    world.open("cal", "hal", 10 * FML, content)
    world.settle("hal", "cal", FML // 1_000, content)
    world.market.pay_royalties(origin("cat"), content)
    assert world.market.royalties.get(content) == FML // 10_000
    world.settle("hal", "cal", FML, content)
    world.market.pay_royalties(origin("cat"), content)
    assert world.balances.free(ghost) == FML // 10
    world.next()
