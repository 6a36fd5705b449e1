"""`flockchain market`: host models, call them for a price, rate and challenge what they answer.

Owns the commands of callers and of everybody; those of hosts, of juries and about contributed data
are mounted beside them.
Source: WP II.C, III.B.2.
"""

from __future__ import annotations

from typing import Annotated

import typer

from flockchain.cli.amounts import AmountArgument, shown, shown_all
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    AccountArgument,
    JsonFlag,
    RpcFlag,
    address,
    open_client,
    parse_planck,
    print_facts,
    print_table,
    read_account,
    read_content_id,
)
from flockchain.cli.market_call import make_api_key, run_gateway
from flockchain.cli.market_cases import mount_cases
from flockchain.cli.market_data import mount_data
from flockchain.cli.market_hosts import mount_hosts
from flockchain.cli.market_text import HostOption, ModelOption, line_of
from flockchain.cli.refusal import refuse
from flockchain.cli.signing import Signer, with_signer
from runtime.frame.pallet import encode_call
from runtime.pallets.marketplace import Marketplace, events
from runtime.primitives.content_id import cid_text

app = typer.Typer(
    help="Host and call models.", no_args_is_help=True, pretty_exceptions_show_locals=False
)
app.command("key")(make_api_key)
app.command("gateway")(run_gateway)


@app.command()
def hosts(rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False) -> None:
    """List who serves which model, and for what."""
    with open_client(rpc) as client:
        at = client.run(client.client.at_best()).block  # else a new host's offer is of nobody
        known = dict(client.query_map(Marketplace.hosts, at=at))
        offers = client.query_map(Marketplace.offers, at=at)
        least = client.query(Marketplace.parameters, at=at).host_stake
    rows: list[dict[str, object]] = [
        {
            "host": address(host),
            "model": cid_text(model),
            "task": offer.task,
            "price": shown(offer.price, as_json=as_json),
            "endpoint": offer.endpoint,
            "quality": f"{known[host].quality / 10**7:.1f} %",
            "serves": known[host].stake >= least,
        }
        for (host, model), offer in offers
    ]
    if as_json:
        print_facts({"offers": rows}, as_json=True)
        return
    columns = ["host", "model", "task", "price", "endpoint", "quality", "serves"]
    print_table("Offers", columns, [list(row.values()) for row in rows])


@app.command("open")
@with_signer
def open_channel(
    signer: Signer, host: HostOption, model: ModelOption, amount: AmountArgument
) -> None:
    """Deposit for calls of a host's model; what is not used comes back."""
    _fund(signer, encode_call(Marketplace.open_channel, *line_of(host, model), _planck(amount)))


@app.command()
@with_signer
def top_up(signer: Signer, host: HostOption, model: ModelOption, amount: AmountArgument) -> None:
    """Deposit more."""
    _fund(signer, encode_call(Marketplace.top_up, *line_of(host, model), _planck(amount)))


@app.command()
@with_signer
def close(signer: Signer, host: HostOption, model: ModelOption) -> None:
    """Take the deposit back a day later; until then the host settles what it is owed."""
    call = encode_call(Marketplace.close_channel, *line_of(host, model))
    told = signer.send(call, events.ChannelClosing, "closing")
    facts = {"host": address(told.host), "model": cid_text(told.model)}
    print_facts({**facts, "free_at_block": told.closing_at}, as_json=signer.as_json)


@app.command()
@with_signer
def withdraw(signer: Signer, host: HostOption, model: ModelOption) -> None:
    """Take back what no voucher claimed of a closed channel."""
    call = encode_call(Marketplace.withdraw_channel, *line_of(host, model))
    told = signer.send(call, events.ChannelClosed, "withdrawal")
    amounts = shown_all({"returned": told.returned}, as_json=signer.as_json)
    print_facts({"host": address(told.host), **amounts}, as_json=signer.as_json)


@app.command()
def channels(
    account: AccountArgument, rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False
) -> None:
    """List an account's channels: deposited and settled in all, and what is left."""
    who = read_account(account)
    with open_client(rpc) as client:
        found = client.query_map(Marketplace.channels, who)
    rows: list[dict[str, object]] = [
        {
            "host": address(line.host),
            "model": cid_text(line.model),
            **shown_all(
                {"deposit": one.deposit, "settled": one.settled, "left": one.left()},
                as_json=as_json,
            ),
            "free_at_block": one.closing_at,
        }
        for line, one in found
    ]
    if as_json:
        print_facts({"channels": rows}, as_json=True)
        return
    columns = ["host", "model", "deposit", "settled", "left", "free at block"]
    print_table("Channels", columns, [list(row.values()) for row in rows])


@app.command()
@with_signer
def stake(signer: Signer, amount: AmountArgument) -> None:
    """Stake for free calls, from tomorrow on."""
    call = encode_call(Marketplace.stake, _planck(amount))
    told = signer.send(call, events.CallerStaked, "stake")
    print_facts({"staked": shown(told.amount, as_json=signer.as_json)}, as_json=signer.as_json)


@app.command()
@with_signer
def unstake(signer: Signer, amount: AmountArgument) -> None:
    """Give notice for a part of the stake for free calls."""
    call = encode_call(Marketplace.unstake, _planck(amount))
    told = signer.send(call, events.CallerUnstaking, "unstaking")
    amounts = shown_all({"unstaking": told.amount}, as_json=signer.as_json)
    print_facts({**amounts, "free_at_block": told.free_at}, as_json=signer.as_json)


@app.command()
@with_signer
def withdraw_stake(signer: Signer) -> None:
    """Get back what was unstaked and is free by now."""
    told = signer.send(encode_call(Marketplace.withdraw_stake), events.CallerUnstaked, "withdrawal")
    print_facts({"returned": shown(told.amount, as_json=signer.as_json)}, as_json=signer.as_json)


@app.command()
@with_signer
def request(
    signer: Signer,
    model: ModelOption,
    question: Annotated[str, typer.Argument(help="Content id of what is asked.")],
    max_fee: Annotated[str, typer.Option(help="The most that an answer may cost.")],
    host: Annotated[str | None, typer.Option(help="Who may answer; else any.")] = None,
) -> None:
    """Let the chain ask a model; the fee comes back if nobody answers in time."""
    named = None if host is None else read_account(host)
    digests = read_content_id(model), read_content_id(question)
    call = encode_call(Marketplace.request_inference, *digests, _planck(max_fee), named)
    told = signer.send(call, events.InferenceRequested, "request")
    print_facts({"request": told.request, "until_block": told.deadline}, as_json=signer.as_json)


@app.command()
@with_signer
def withdraw_request(
    signer: Signer, number: Annotated[int, typer.Argument(min=0, max=2**32 - 1, help="Its number.")]
) -> None:
    """Take the fee of a request back whose time is over, without waiting for its turn."""
    call = encode_call(Marketplace.withdraw_request, number)
    told = signer.send(call, events.RequestExpired, "expiry")
    returned = shown(told.returned, as_json=signer.as_json)
    print_facts({"request": told.request, "returned": returned}, as_json=signer.as_json)


@app.command()
@with_signer
def royalties(signer: Signer, model: ModelOption) -> None:
    """Have a model's royalties divided among who made it and contributed to it."""
    call = encode_call(Marketplace.pay_royalties, read_content_id(model))
    told = signer.send(call, events.RoyaltiesPaid, "royalties")
    amounts = shown_all({"paid": told.paid, "kept": told.kept}, as_json=signer.as_json)
    print_facts({"model": cid_text(told.model), **amounts}, as_json=signer.as_json)


def _fund(signer: Signer, call: bytes) -> None:
    told = signer.send(call, events.ChannelFunded, "deposit")
    deposit = shown(told.deposit, as_json=signer.as_json)
    facts: dict[str, object] = {"host": address(told.host), "model": cid_text(told.model)}
    print_facts({**facts, "deposit": deposit}, as_json=signer.as_json)


def _planck(amount: str) -> int:
    found = parse_planck(amount)
    if not found:
        refuse("an amount above 0 is needed")
    return found


mount_hosts(app)
mount_data(app)
mount_cases(app)
