"""`flockchain proxy`: have other keys act for an account, within limits; accounts without keys.

Source: WP II.B (operators); Substrate `pallet_proxy`.
"""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from flockchain.cli.amounts import shown
from flockchain.cli.call import CallArgument
from flockchain.cli.call_text import call_hash, name_of, read_call
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    AccountArgument,
    JsonFlag,
    RpcFlag,
    address,
    event_of,
    open_client,
    print_facts,
    print_json,
    read_account,
)
from flockchain.cli.sent import ensure_made, print_sent
from flockchain.cli.signing import Signer, with_signer
from flockchain.sdk import Receipt
from runtime.frame.call import RuntimeCall
from runtime.frame.pallet import encode_call
from runtime.pallets.proxy import Proxy
from runtime.pallets.proxy.records import (
    Announced,
    ProxyAdded,
    ProxyExecuted,
    ProxyRemoved,
    ProxyType,
    PureCreated,
    PureKilled,
)
from runtime.primitives.multi import Id
from runtime.primitives.types import Hash

app = typer.Typer(
    help="Have other keys act for an account.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

Kind = enum.StrEnum("Kind", {each.name: each.name for each in ProxyType})  # type: ignore[misc]
KindArgument = Annotated[Kind, typer.Argument(help="What it may do.", case_sensitive=False)]
DelayOption = Annotated[
    int, typer.Option(min=0, max=2**32 - 1, help="Blocks between announcing a call and making it.")
]
IndexOption = Annotated[int, typer.Option(min=0, max=2**16 - 1, help="Tells several apart.")]
ForOption = Annotated[
    Kind | None, typer.Option("--as", help="As which kind of proxy.", case_sensitive=False)
]


@app.command()
@with_signer
def add(
    signer: Signer, delegate: AccountArgument, kind: KindArgument, delay: DelayOption = 0
) -> None:
    """Let DELEGATE act for the signer; a deposit is held."""
    call = encode_call(Proxy.add_proxy, Id(read_account(delegate)), _type_of(kind), delay)
    added = signer.send(call, ProxyAdded, "proxy")
    _print_proxy(added, signer)


@app.command()
@with_signer
def remove(
    signer: Signer, delegate: AccountArgument, kind: KindArgument, delay: DelayOption = 0
) -> None:
    """Let DELEGATE act no longer in this way; its part of the deposit returns."""
    call = encode_call(Proxy.remove_proxy, Id(read_account(delegate)), _type_of(kind), delay)
    removed = signer.send(call, ProxyRemoved, "proxy")
    _print_proxy(removed, signer)


@app.command("remove-all")
@with_signer
def remove_all(signer: Signer) -> None:
    """Let nobody act for the signer; nobody opens an account without a key afterwards."""
    pair = signer.pair
    with signer.open() as client:
        receipt = client.submit(encode_call(Proxy.remove_proxies), pair)
    print_sent(receipt, {"account": address(pair.account)}, as_json=signer.as_json)


@app.command()
@with_signer
def act(signer: Signer, real: AccountArgument, call: CallArgument, kind: ForOption = None) -> None:
    """Make a call for REAL, as one of its proxies."""
    made = read_call(call)
    forced = None if kind is None else _type_of(kind)
    _make(signer, encode_call(Proxy.proxy, Id(read_account(real)), forced, made), made)


@app.command()
@with_signer
def announce(signer: Signer, real: AccountArgument, call: CallArgument) -> None:
    """Announce a call for REAL that is made when the proxy's delay has passed."""
    hashed = Hash(call_hash(read_call(call)))
    announced = signer.send(
        encode_call(Proxy.announce, Id(read_account(real)), hashed), Announced, "announcement"
    )
    facts = {"for": address(announced.real), "hash": f"0x{announced.call_hash.hex()}"}
    print_facts({"proxy": address(announced.proxy), **facts}, as_json=signer.as_json)


@app.command("act-announced")
@with_signer
def act_announced(
    signer: Signer,
    delegate: AccountArgument,
    real: AccountArgument,
    call: CallArgument,
    kind: ForOption = None,
) -> None:
    """Make a call that DELEGATE announced for REAL; anybody may sign this."""
    made, forced = read_call(call), None if kind is None else _type_of(kind)
    parties = Id(read_account(delegate)), Id(read_account(real))
    _make(signer, encode_call(Proxy.proxy_announced, *parties, forced, made), made)


@app.command()
@with_signer
def retract(signer: Signer, real: AccountArgument, call: CallArgument) -> None:
    """Take back what the signer announced for REAL."""
    hashed = Hash(call_hash(read_call(call)))
    _forget(signer, encode_call(Proxy.remove_announcement, Id(read_account(real)), hashed), hashed)


@app.command()
@with_signer
def reject(signer: Signer, delegate: AccountArgument, call: CallArgument) -> None:
    """Refuse what DELEGATE announced for the signer."""
    hashed = Hash(call_hash(read_call(call)))
    who = Id(read_account(delegate))
    _forget(signer, encode_call(Proxy.reject_announcement, who, hashed), hashed)


@app.command("create-pure")
@with_signer
def create_pure(
    signer: Signer, kind: KindArgument, delay: DelayOption = 0, index: IndexOption = 0
) -> None:
    """Make an account without a key, which the signer acts for. Keep what this prints."""
    pair = signer.pair
    call = encode_call(Proxy.create_pure, _type_of(kind), delay, index)
    with signer.open() as client:
        receipt = client.submit(call, pair)
    created = event_of(receipt, PureCreated, "account")
    facts: dict[str, object] = {
        "account": address(created.pure),
        "spawner": address(created.who),
        "kind": created.proxy_type.name,
        "index": index,
        "height": receipt.number,
        "extrinsic_index": receipt.index,
    }
    print_facts(facts, as_json=signer.as_json)


@app.command("kill-pure")
@with_signer
def kill_pure(
    signer: Signer,
    pure: AccountArgument,
    kind: KindArgument,
    height: Annotated[int, typer.Option(min=0, help="The block that made it.")],
    extrinsic_index: Annotated[int, typer.Option(min=0, help="The extrinsic in it.")],
    index: IndexOption = 0,
) -> None:
    """Give up an account without a key that the signer made; all that it has goes to the signer."""
    spawner = Id(signer.pair.account)
    inner = encode_call(Proxy.kill_pure, spawner, _type_of(kind), index, height, extrinsic_index)
    made = read_call(f"0x{inner.hex()}")
    call = encode_call(Proxy.proxy, Id(read_account(pure)), None, made)
    receipt = _make(signer, call, made)
    event_of(receipt, PureKilled, "account")


@app.command("list")
def list_proxies(
    account: AccountArgument, rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False
) -> None:
    """Show who acts for an account, and what it announced itself."""
    who = read_account(account)
    with open_client(rpc) as client:
        definitions, deposit = client.query(Proxy.proxies, who)
        pending, held = client.query(Proxy.announcements, who)
    document: dict[str, object] = {
        "account": address(who),
        "proxies": [
            {
                "delegate": address(each.delegate),
                "kind": each.proxy_type.name,
                "delay": each.delay,
            }
            for each in definitions
        ],
        "announced": [
            {
                "for": address(each.real),
                "hash": f"0x{each.call_hash.hex()}",
                "height": each.height,
            }
            for each in pending
        ],
        "deposits": shown(deposit + held, as_json=as_json),
    }
    print_json(document)


def _type_of(kind: Kind) -> ProxyType:
    return ProxyType[kind.name]


def _make(signer: Signer, call: bytes, inner: RuntimeCall) -> Receipt:
    pair = signer.pair
    with signer.open() as client:
        receipt = client.submit(call, pair)
    ensure_made(event_of(receipt, ProxyExecuted, "call").result)
    print_sent(receipt, {"call": name_of(inner.entry)}, as_json=signer.as_json)
    return receipt


def _forget(signer: Signer, call: bytes, hashed: bytes) -> None:
    pair = signer.pair
    with signer.open() as client:
        receipt = client.submit(call, pair)
    print_sent(receipt, {"hash": f"0x{hashed.hex()}"}, as_json=signer.as_json)


def _print_proxy(told: ProxyAdded | ProxyRemoved, signer: Signer) -> None:
    print_facts(
        {
            "account": address(told.delegator),
            "delegate": address(told.delegatee),
            "kind": told.proxy_type.name,
            "delay": told.delay,
        },
        as_json=signer.as_json,
    )
