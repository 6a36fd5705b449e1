"""`flock_*` of the marketplace over a node's socket."""

from __future__ import annotations

import asyncio

from runtime.frame.origin import signed
from runtime.primitives.content_id import cid_text
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import FML
from tests.flockchain.rpc.dev_node import build, dev_node
from tests.flockchain.rpc.rpc_client import call
from tests.runtime.pallets.market_moves import HOSTED, add_models
from tests.runtime.pallets.world import account, content, new_world
from tests.runtime.played_state import top_of

HOST, CALLER = encode_address(account("v1")), encode_address(account("v2"))
MODEL = cid_text(content(HOSTED[0]))


def served() -> dict[bytes, bytes]:
    """v1 hosts a model, v2 has a channel to it."""
    world = new_world(checks=False)
    add_models(world)
    host, caller = signed(account("v1")), signed(account("v2"))
    world.market.register_host(host)
    world.market.offer(host, content(HOSTED[0]), "https://host", FML, False)
    world.market.open_channel(caller, account("v1"), content(HOSTED[0]), 3 * FML)
    return top_of(world)


def test_hosts_offers_and_channels() -> None:
    async def run() -> None:
        async with dev_node(made=build(served())) as node:
            url = node.http_url
            (host,) = await call(url, "flock_hosts")
            assert (host["host"], host["isServing"]) == (HOST, True)
            (offer,) = await call(url, "flock_offers", MODEL)
            assert (offer["model"], offer["record"]["endpoint"]) == (MODEL, "https://host")
            assert await call(url, "flock_offers") == [offer]
            channel = await call(url, "flock_channel", CALLER, HOST, MODEL)
            assert (channel["deposit"], channel["settled"]) == (str(3 * FML), "0")
            in_hex = ("0x" + account("v2").hex(), account("v1").hex())
            assert await call(url, "flock_channel", *in_hex, MODEL) == channel
            (entry,) = await call(url, "flock_channels", CALLER)
            assert (entry["line"]["model"], entry["record"]) == (MODEL, channel)
            quota = await call(url, "flock_quota", CALLER)
            assert (quota["stake"], quota["freeCalls"]) == ("0", 0)
            assert await call(url, "flock_case", 0) is None
            rules = await call(url, "flock_marketParameters")
            assert (rules["burnRate"], rules["jury"]["hostSlash"]) == ("3/10", "1/5")

    asyncio.run(run())


def test_bad_arguments_are_named() -> None:
    async def run() -> None:
        async with dev_node(made=build(served())) as node:
            for name, arguments in (
                ("flock_offers", ["no content id"]),
                ("flock_quota", ["nobody"]),
                ("flock_case", [2**32]),
            ):
                refused = await call(node.http_url, name, *arguments)
                assert refused["code"] == -32602, name

    asyncio.run(run())
