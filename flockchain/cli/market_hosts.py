"""`flockchain market register`, `offer`, `update-offer`, `leave`, `settle`, `answer` …: hosts.

Source: WP II.D.6, III.B.2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from flockchain.cli.amounts import AmountArgument, shown, shown_all
from flockchain.cli.chain_access import (
    address,
    event_of,
    parse_planck,
    print_facts,
    read_account,
    read_content_id,
)
from flockchain.cli.market_text import ModelOption, read_signature
from flockchain.cli.refusal import refuse, why
from flockchain.cli.signing import Signer, with_signer
from flockchain.marketplace.credentials import sign
from runtime.frame.pallet import encode_call
from runtime.pallets.marketplace import Marketplace, events
from runtime.pallets.marketplace.records import CLAIMS_MAX, Claim
from runtime.primitives.content_id import cid_text
from runtime.primitives.multi import MULTI_SIGNATURE
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import ZERO_HASH, Hash
from runtime.primitives.vouchers import Answer


def mount_hosts(app: typer.Typer) -> None:
    """Add the commands of hosts."""
    offers = (offer, withdraw_offer, update_offer)
    for command in (register, add_stake, *offers, leave, take_stake, settle, settle_many, answer):
        app.command()(command)


@with_signer
def register(signer: Signer) -> None:
    """Become a host: holds the least stake."""
    told = signer.send(encode_call(Marketplace.register_host), events.HostRegistered, "host")
    staked = shown(told.stake, as_json=signer.as_json)
    print_facts({"host": address(told.host), "stake": staked}, as_json=signer.as_json)


@with_signer
def add_stake(signer: Signer, amount: AmountArgument) -> None:
    """Stake more as a host, after a slash or a change of rules."""
    call = encode_call(Marketplace.add_host_stake, parse_planck(amount))
    told = signer.send(call, events.HostRegistered, "stake")
    staked = shown(told.stake, as_json=signer.as_json)
    print_facts({"host": address(told.host), "stake": staked}, as_json=signer.as_json)


@with_signer
def offer(
    signer: Signer,
    model: ModelOption,
    endpoint: Annotated[str, typer.Option(help="Where callers reach the host.")],
    price: Annotated[str, typer.Option(help='Of a call, as "0.25 FML".')],
    follows: Annotated[
        bool, typer.Option("--follows/--pinned", help="Move on to models that come of it.")
    ] = False,
) -> None:
    """Serve a model that won, or serve it on other terms."""
    call = encode_call(
        Marketplace.offer, read_content_id(model), endpoint, parse_planck(price), follows
    )
    told = signer.send(call, events.Offered, "offer")
    facts = {"host": address(told.host), "model": cid_text(told.model), "task": told.task}
    price_shown = shown(told.price, as_json=signer.as_json)
    print_facts({**facts, "price": price_shown}, as_json=signer.as_json)


@with_signer
def withdraw_offer(signer: Signer, model: ModelOption) -> None:
    """Serve a model no more."""
    call = encode_call(Marketplace.withdraw_offer, read_content_id(model))
    told = signer.send(call, events.OfferWithdrawn, "withdrawal")
    print_facts({"host": address(told.host), "model": cid_text(told.model)}, as_json=signer.as_json)


@with_signer
def update_offer(
    signer: Signer,
    model: ModelOption,
    successor: Annotated[str, typer.Option(help="Content id of a model that came of it.")],
) -> None:
    """Move an offer made with --follows on to a newer model; channels stay with the old one."""
    digests = read_content_id(model), read_content_id(successor)
    told = signer.send(encode_call(Marketplace.update_offer, *digests), events.OfferMoved, "move")
    facts = {"host": address(told.host), "model": cid_text(told.model)}
    print_facts({**facts, "successor": cid_text(told.successor)}, as_json=signer.as_json)


@with_signer
def leave(signer: Signer) -> None:
    """Offer nothing more; the stake is free after its notice."""
    told = signer.send(encode_call(Marketplace.leave), events.HostLeaving, "leave")
    print_facts({"host": address(told.host), "free_at_block": told.free_at}, as_json=signer.as_json)


@with_signer
def take_stake(signer: Signer) -> None:
    """Take a host's stake whose notice is over."""
    told = signer.send(encode_call(Marketplace.withdraw_host_stake), events.HostLeft, "stake")
    amounts = shown_all({"returned": told.amount}, as_json=signer.as_json)
    print_facts({"host": address(told.host), **amounts}, as_json=signer.as_json)


@with_signer
def settle(
    signer: Signer,
    caller: Annotated[str, typer.Option(help="Who signed the voucher.")],
    model: ModelOption,
    total: AmountArgument,
    signature: Annotated[str, typer.Option(help="Its signature, as 0x hexadecimal.")],
) -> None:
    """Be paid what a caller's voucher claims."""
    call = encode_call(
        Marketplace.settle,
        read_account(caller),
        read_content_id(model),
        parse_planck(total),
        MULTI_SIGNATURE.decode_all(read_signature(signature)),
    )
    told = signer.send(call, events.Settled, "payment")
    amounts = {"total": told.total, "paid": told.paid, "burned": told.burned}
    facts = shown_all({**amounts, "royalty": told.royalty}, as_json=signer.as_json)
    print_facts({"caller": address(told.caller), **facts}, as_json=signer.as_json)


@with_signer
def settle_many(
    signer: Signer,
    file: Annotated[Path, typer.Argument(help="JSON: a list of caller, model, total, signature.")],
) -> None:
    """Be paid what up to 256 vouchers claim; what earns nothing is told and skipped."""
    call, pair = encode_call(Marketplace.settle_many, _claims(file)), signer.pair
    with signer.open() as client:
        receipt = client.submit(call, pair)
    settled = [each for each in receipt.events if isinstance(each, events.Settled)]
    refused = [each for each in receipt.events if isinstance(each, events.ClaimRefused)]
    sums = {
        "paid": sum(each.paid for each in settled),
        "burned": sum(each.burned for each in settled),
        "royalty": sum(each.royalty for each in settled),
    }
    told = [
        {
            "caller": address(each.caller),
            "model": cid_text(each.model),
            "reason": Marketplace.error_types[each.error].__name__,
        }
        for each in refused
    ]
    facts = {"settled": len(settled), **shown_all(sums, as_json=signer.as_json)}
    print_facts({**facts, "refused": told}, as_json=signer.as_json)


def _claims(file: Path) -> list[Claim]:
    """The vouchers of a file. Ends the command if it is none, with the place of what is wrong."""
    try:
        listed = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        refuse(f"cannot read {file}: {why(error)}")
    if not isinstance(listed, list) or not 0 < len(listed) <= CLAIMS_MAX:
        refuse(f"{file} is no list of 1 to {CLAIMS_MAX} vouchers")
    return [_claim(each, f"{file}, voucher {place}") for place, each in enumerate(listed)]


def _claim(given: object, where: str) -> Claim:
    names = ("caller", "model", "total", "signature")
    is_named = isinstance(given, dict) and set(given) == set(names)
    if not is_named or not all(isinstance(each, str) for each in given.values()):  # type: ignore[attr-defined]
        refuse(f"{where}: {', '.join(names)} are expected, each a string")
    caller, model, total, signature = (given[name] for name in names)  # type: ignore[index]
    try:
        made = MULTI_SIGNATURE.decode_all(read_signature(signature))
        return Claim(read_account(caller), read_content_id(model), parse_planck(total), made)
    except (typer.BadParameter, DecodeError) as error:
        refuse(f"{where}: {error}")


@with_signer
def answer(
    signer: Signer,
    number: Annotated[int, typer.Argument(metavar="REQUEST", min=0, max=2**32 - 1)],
    said: Annotated[str, typer.Argument(metavar="ANSWER", help="Its content id.")],
) -> None:
    """Answer a request of the chain, and be paid one's price."""
    pair, digest = signer.pair, Hash(read_content_id(said))
    with signer.open() as client:
        asked = client.find(Marketplace.requests, number)
        if asked is None:
            refuse(f"there is no request {number}, or it was answered")
        record = Answer(
            *(client.client.genesis, pair.account, asked.caller, asked.model, Hash(asked.question)),
            *(ZERO_HASH, number, digest),
        )
        call = encode_call(Marketplace.answer_request, number, digest, sign(pair, record))
        receipt = client.submit(call, pair)
    told = event_of(receipt, events.InferenceAnswered, "answer")
    paid = shown(told.paid, as_json=signer.as_json)
    print_facts({"request": told.request, "paid": paid}, as_json=signer.as_json)
