"""Requests by the chain: a fee that is held, one paid answer, or the fee back in time."""

from __future__ import annotations

import pytest

from runtime.frame.errors import TokenError
from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import events, records
from runtime.primitives.types import FML, AccountId, Hash
from tests.runtime.pallets.marketplace.market_world import (
    MODEL,
    NAMES,
    OTHER,
    PRICE,
    QUESTION,
    SAID,
    START,
    Market,
    account,
    origin,
)

WAIT = 30  # blocks on the devnet
LEAST = FML // 1_000


def ask(world: Market, caller: str = "cal", fee: int = FML, host: AccountId | None = None) -> int:
    number = world.market.next_request.get()
    world.market.request_inference(origin(caller), MODEL, QUESTION, fee, host)
    return number


def asked() -> Market:
    """Hal hosts, and Cal asks through the chain."""
    world = Market()
    world.host("hal")
    ask(world)
    return world


def test_an_answer_is_paid_and_told() -> None:
    world = asked()
    assert world.held(HoldReason.CHANNEL, "cal") == FML
    before = world.free("hal")
    world.reply("hal", 0, "cal")
    (told,) = world.events(events.InferenceAnswered)
    assert isinstance(told, events.InferenceAnswered)
    assert (told.request, told.answer, told.paid) == (0, SAID, PRICE)
    assert world.free("hal") - before == PRICE - PRICE * 3 // 10 - PRICE // 10
    assert world.free("cal") == START - PRICE
    assert world.held(HoldReason.CHANNEL, "cal") == 0
    with pytest.raises(events.UnknownRequest):
        world.reply("hal", 0, "cal")
    world.next()


@pytest.mark.parametrize(
    ("blocks", "is_open"), [(WAIT - 1, True), (WAIT, False), (WAIT + 1, False)]
)
def test_a_fee_returns_when_nobody_answers(blocks: int, is_open: bool) -> None:
    world = asked()
    world.go(blocks)
    assert (world.held(HoldReason.CHANNEL, "cal") > 0) == is_open
    if is_open:
        world.reply("hal", 0, "cal")
    else:
        assert world.free("cal") == START
        assert len(world.events(events.RequestExpired)) == 1
        with pytest.raises(events.UnknownRequest):
            world.reply("hal", 0, "cal")


def test_who_is_late_is_not_paid_though_the_fee_has_not_returned_yet() -> None:
    world = asked()
    for _ in range(records.LOOKS_MAX):
        ask(world, fee=LEAST)
    world.go(WAIT)
    (left,) = [number for number, _ in world.market.requests.items()]
    with pytest.raises(events.UnknownRequest):
        world.reply("hal", left, "cal")
    world.next()
    assert list(world.market.requests.items()) == []
    assert world.free("cal") == START


def test_who_waits_for_its_turn_takes_its_own_fee_back() -> None:
    world = asked()
    for _ in range(records.LOOKS_MAX):
        ask(world, fee=LEAST)
    world.go(WAIT - 1)
    with pytest.raises(events.NotYetFree):
        world.market.withdraw_request(origin("cal"), 0)
    world.next()
    ((left, found),) = world.market.requests.items()
    with pytest.raises(events.UnknownRequest):
        world.market.withdraw_request(origin("cat"), left)
    world.market.withdraw_request(origin("cal"), left)
    assert world.free("cal") == START
    assert world.events(events.RequestExpired)[-1] == events.RequestExpired(
        left, account("cal"), found.max_fee
    )
    world.next()


def test_a_named_host_alone_may_answer() -> None:
    world = Market()
    world.host("hal")
    world.host("hub")
    ask(world, host=account("hub"))
    with pytest.raises(events.NotAsked):
        world.reply("hal", 0, "cal")
    world.reply("hub", 0, "cal")


def test_an_answer_is_signed_as_what_it_answers() -> None:
    world = asked()
    for about in ({"seed": 1}, {"answer": Hash(bytes(32))}, {"request": Hash(bytes(32))}):
        with pytest.raises(events.BadSignature):
            world.reply("hal", 0, "cal", **about)


def test_who_cannot_serve_cannot_answer() -> None:
    world = asked()
    with pytest.raises(events.NotAHost):
        world.reply("hub", 0, "cal")
    world.host("hub", model=OTHER)
    with pytest.raises(events.UnknownOffer):
        world.reply("hub", 0, "cal")
    world.host("hub", price=FML + 1)
    with pytest.raises(events.FeeTooSmall):
        world.reply("hub", 0, "cal")


def test_a_request_needs_a_model_a_host_and_a_fee() -> None:
    world = Market()
    with pytest.raises(events.UnknownModel):
        world.market.request_inference(origin("cal"), bytes(32), QUESTION, FML, None)
    with pytest.raises(events.NotAHost):
        ask(world, host=account("hal"))
    world.host("hal")
    with pytest.raises(events.OwnHost):
        ask(world, caller="hal", host=account("hal"))
    with pytest.raises(events.FeeTooSmall):
        ask(world, host=account("hal"), fee=PRICE - 1)
    world.host("hub", price=0)
    for host in (None, account("hub")):
        with pytest.raises(events.FeeTooSmall):
            ask(world, host=host, fee=LEAST - 1)
    with pytest.raises(events.FeeTooSmall):
        ask(world, fee=0)
    with pytest.raises(TokenError):
        ask(world, fee=START)


def test_nobody_answers_itself() -> None:
    world = Market()
    world.host("hal")
    ask(world, caller="hal")
    with pytest.raises(events.OwnHost):
        world.reply("hal", 0, "hal")


def test_who_is_in_the_market_does_not_swap_its_key() -> None:
    world = asked()
    engaged = {name: world.market.is_engaged(account(name)) for name in NAMES}
    assert engaged == {"hal": True, "hub": False, "cal": True, "cat": False}
