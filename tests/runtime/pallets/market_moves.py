"""Moves in the marketplace with whatever arguments, for random operations over a small runtime."""

from __future__ import annotations

from runtime.frame.origin import signed
from runtime.pallets.marketplace.records import Claim, Line
from runtime.pallets.marketplace.seals import seal_rating
from runtime.primitives.types import FML, ZERO_HASH, AccountId, Hash
from runtime.primitives.vouchers import Answer, Voucher
from tests.runtime.pallets.world import GENESIS, World, account, content, signature_of

HOSTED = ("ancestor", "heir")  # the second came of the first
TOTALS = (0, 1, FML, 2 * FML, 3 * FML, 7 * FML, 2**100)
SALT = b"s" * 32


def add_models(world: World) -> None:
    """Two models that won, before any task of the world ends."""
    for task, name in enumerate(HOSTED, 90):
        parents = [content(HOSTED[0])] if name == HOSTED[1] else []
        world.models.record_model(task, content(name), 0, account("n1"), (8 * 10**8, 1), parents)


def act_market(world: World, kind: int, names: tuple[str, str], which: int) -> None:
    """One of the market's calls between two accounts."""
    who, other = (account(name) for name in names)
    model = content(HOSTED[which % 2])
    (_host, _offer, _channel, _pay, _ask, _stake)[kind](world, who, other, model, which)


def _host(world: World, who: AccountId, other: AccountId, model: bytes, which: int) -> None:
    market, origin = world.market, signed(who)
    match which:
        case 0 | 1 | 2:
            market.register_host(origin)
        case 3:
            market.add_host_stake(origin, TOTALS[which])
        case 4:
            market.leave(origin)
        case 5:
            market.withdraw_host_stake(origin)
        case _:
            market.pay_royalties(origin, model)


def _offer(world: World, who: AccountId, other: AccountId, model: bytes, which: int) -> None:
    market, origin = world.market, signed(who)
    if which < 4:
        market.offer(origin, model, "https://host", which * FML // 4, which % 2 == 0)
    elif which == 4:
        market.withdraw_offer(origin, model)
    else:
        market.update_offer(origin, content(HOSTED[0]), content(HOSTED[1]))


def _channel(world: World, who: AccountId, other: AccountId, model: bytes, which: int) -> None:
    market, origin = world.market, signed(who)
    if which < 3:
        market.open_channel(origin, other, model, TOTALS[which + 2])
    elif which < 5:
        market.top_up(origin, other, model, TOTALS[which])
    elif which == 5:
        market.close_channel(origin, other, model)
    else:
        market.withdraw_channel(origin, other, model)


def _pay(world: World, who: AccountId, other: AccountId, model: bytes, which: int) -> None:
    """`who` is the host. A voucher is for what is deposited, or for one of the usual totals."""
    channel = world.market.channels.find((other, Line(who, model)))
    total = channel.deposit if channel is not None and which % 2 else TOTALS[which]
    voucher = Voucher(GENESIS, other, who, model, total)
    claim = Claim(other, model, total, signature_of(other, voucher.payload()))
    if which < 4:
        world.market.settle(signed(who), other, model, total, claim.signature)
    else:
        world.market.settle_many(signed(who), [claim, claim])


def _ask(world: World, who: AccountId, other: AccountId, model: bytes, which: int) -> None:
    market, question, said = world.market, Hash(content("what?")), Hash(content("that."))
    if which < 3:
        host = other if which else None
        market.request_inference(signed(who), model, question, TOTALS[which + 1], host)
        return
    for number, found in market.requests.items():
        answer = Answer(
            GENESIS, who, found.caller, found.model, question, ZERO_HASH, seed=number, answer=said
        )
        market.answer_request(signed(who), number, said, signature_of(who, answer.payload()))
        return


def _stake(world: World, who: AccountId, other: AccountId, model: bytes, which: int) -> None:
    market, origin, rating = world.market, signed(who), which * 10**8
    day = max(market.today() - 1, 0)
    match which:
        case 0 | 1:
            market.stake(origin, TOTALS[which + 3])
        case 2:
            market.unstake(origin, FML)
        case 3:
            market.withdraw_stake(origin)
        case 4 | 5:
            seal = seal_rating(GENESIS, who, other, day, 5 * 10**8, SALT)
            market.seal_rating(origin, other, seal)
        case _:
            market.open_rating(origin, other, min(rating, 5 * 10**8), SALT)


def serve_honestly(world: World) -> None:
    """In the middle of a day v1 hosts, v2 opens a channel, pays, and rates the day before."""
    host, caller, model = account("v1"), account("v2"), content(HOSTED[1])
    market, position = world.market, world.number % 20
    day = max(market.today() - 1, 0)
    if position == 2 and not market.hosts.contains(host):
        market.register_host(signed(host))
        market.offer(signed(host), model, "https://host", FML // 4, False)
    if position == 3:
        seal = seal_rating(GENESIS, caller, host, day, 9 * 10**8, SALT)
        market.seal_rating(signed(caller), host, seal)
    if position == 4:
        channel = market.channels.find((caller, Line(host, model)))
        open_ = market.open_channel if channel is None else market.top_up
        open_(signed(caller), host, model, 3 * FML)
    if position == 5:
        _pay(world, host, caller, model, 1)
    if position == 9:
        market.open_rating(signed(caller), host, 9 * 10**8, SALT)
