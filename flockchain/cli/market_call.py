"""`flockchain market key` and `flockchain market gateway`: what callers of models use.

Source: WP II.C, III.B.2.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    KeyFileFlag,
    KeyFlag,
    RpcFlag,
    SchemeFlag,
    SchemeName,
    address,
    open_client,
    parse_planck,
    print_facts,
    read_account,
    read_content_id,
    read_key,
)
from flockchain.cli.refusal import refuse
from flockchain.keys import KeyPair
from flockchain.marketplace.chain_market import CallerView
from flockchain.marketplace.credentials import make_key
from flockchain.marketplace.evidence import EvidenceFolder
from flockchain.marketplace.gateway import Gateway
from flockchain.marketplace.promises import Promises
from flockchain.sdk import Client, SdkError, format_amount
from flockchain.telemetry import set_up_logging
from flockchain.workers.locked_file import StateFileError
from runtime.primitives.content_id import cid_text
from runtime.primitives.types import AccountId
from runtime.primitives.vouchers import Grant


def make_api_key(
    host: Annotated[str, typer.Option(help="The host: SS58 address, 0x key, or //Name.")],
    model: Annotated[str, typer.Option(help="The model's content id.")],
    limit: Annotated[
        str, typer.Option(help="All that the host may ever charge by this key and those before it.")
    ] = "0",
    days: Annotated[int, typer.Option(min=0, max=3650, help="Days until it expires.")] = 30,
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeyFlag = None,
    key_file: KeyFileFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    as_json: JsonFlag = False,
) -> None:
    """Make an API key for a host: any OpenAI client calls with it until it expires.

    A limit trusts the host with that much, in all since the channel exists; without one the key is
    for free calls. `market gateway` needs no such trust.
    """
    pair, account, digest = (
        read_key(key, key_file, scheme),
        read_account(host),
        read_content_id(model),
    )
    total = parse_planck(limit)
    with open_client(rpc) as client:
        genesis = client.client.genesis
        head = client.run(client.client.chain.finalized())
        today = client.client.preset.calendar.day_of(head.number)
    grant = Grant(genesis, pair.account, account, digest, total, today + days, secrets.randbits(64))
    print_facts(
        {
            "key": make_key(pair, grant),
            "caller": address(pair.account),
            "host": address(account),
            "model": cid_text(digest),
            "limit": str(total) if as_json else format_amount(total),
            "expires_day": grant.expires_day,
        },
        as_json=as_json,
    )


def run_gateway(
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeyFlag = None,
    key_file: KeyFileFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where clients connect.")] = 8091,
    host: Annotated[
        list[str] | None, typer.Option(help="Only this host, by address; all by default.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="FLOCKCHAIN_GATEWAY_TOKEN", help="Ask clients for this key."),
    ] = None,
    is_private_allowed: Annotated[
        bool,
        typer.Option("--allow-private", help="Call hosts on this machine and in its network too."),
    ] = False,
    state_dir: Annotated[
        Path, typer.Option("--state-dir", help="What was signed, and answers to challenge.")
    ] = Path("flockchain-gateway"),
    log_level: Annotated[
        str, typer.Option("--log", help="error, warning, info or debug.")
    ] = "info",
) -> None:
    """Serve OpenAI's API on this machine; every paid call carries a voucher signed here.

    Point OpenAI clients to http://127.0.0.1:8091/v1. Keep the state directory: it says what was
    signed.
    """
    pair = read_key(key, key_file, scheme)
    hosts = frozenset(read_account(each) for each in host or [])
    try:
        set_up_logging(log_level)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--log") from None
    settings = _Settings(token, port, is_private_allowed)
    try:
        asyncio.run(_serve(rpc, pair, hosts, state_dir, settings))
    except (SdkError, StateFileError, OSError) as error:
        refuse(error)


@dataclass(frozen=True)
class _Settings:
    """Who may call, where, and whom the gateway may call."""

    token: str | None
    port: int
    is_private_allowed: bool


async def _serve(
    rpc: str,
    pair: KeyPair,
    hosts: frozenset[AccountId],
    state_dir: Path,
    settings: _Settings,
) -> None:
    main = asyncio.current_task()
    assert main is not None, "asyncio.run makes a task"
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, main.cancel)
    async with await Client.connect(rpc) as client:
        promises = Promises(state_dir, client.genesis, pair)
        view = CallerView(client, pair.account, hosts)
        evidence = EvidenceFolder(state_dir)
        gateway = Gateway(
            *(pair, client.genesis, view, promises, evidence),
            token=settings.token,
            port=settings.port,
            is_private_allowed=settings.is_private_allowed,
        )
        try:
            await gateway.start()
            with suppress(asyncio.CancelledError):
                await asyncio.get_running_loop().create_future()
        finally:
            await gateway.stop()
            promises.close()
