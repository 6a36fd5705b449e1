"""Blocks, headers, hashes and heads over RPC."""

from __future__ import annotations

import asyncio

from runtime.primitives.header import HEADER, Digest, DigestItem, Header
from runtime.primitives.scale import codec_of
from runtime.primitives.types import Hash
from tests.flockchain.rpc.dev_node import dev_node
from tests.flockchain.rpc.rpc_client import call, connected, settle

_ITEM = codec_of(DigestItem)


def header_of(document: dict[str, object]) -> Header:
    """The header from JSON, as clients rebuild it to compute its hash."""
    fields = {name: str(document[name]) for name in ("parentHash", "stateRoot", "extrinsicsRoot")}
    hashes = {name: Hash(bytes.fromhex(text[2:])) for name, text in fields.items()}
    logs = document["digest"]["logs"]  # type: ignore[index]
    return Header(
        hashes["parentHash"],
        int(str(document["number"]), 16),
        hashes["stateRoot"],
        hashes["extrinsicsRoot"],
        Digest([_ITEM.decode_all(bytes.fromhex(item[2:])) for item in logs]),
    )


def test_a_block_hashes_to_its_hash() -> None:
    async def run() -> None:
        async with dev_node() as node:
            node.node.submit(node.transfer(0))
            block = node.seal().hash
            url, name = node.http_url, "0x" + block.hex()
            header = header_of(await call(url, "chain_getHeader", name))
            assert header.hash() == block
            stored = node.backend.header(block)
            assert stored is not None
            assert HEADER.encode(header) == stored.encode()
            document = await call(url, "chain_getBlock")
            assert header_of(document["block"]["header"]) == header
            body = [bytes.fromhex(item[2:]) for item in document["block"]["extrinsics"]]
            assert body == node.backend.blocks.body(block)
            assert len(body) == 2
            assert document["justifications"] is None

    asyncio.run(run())


def test_hashes_by_number() -> None:
    async def run() -> None:
        async with dev_node() as node:
            first, second = ("0x" + node.seal().hash.hex() for _ in range(2))
            genesis, url = "0x" + node.backend.genesis.hex(), node.http_url
            assert await call(url, "chain_getBlockHash") == second
            assert await call(url, "chain_getBlockHash", None) == second
            assert await call(url, "chain_getBlockHash", 0) == genesis
            assert await call(url, "chain_getBlockHash", "0x1") == first
            assert await call(url, "chain_getBlockHash", 3) is None
            assert await call(url, "chain_getBlockHash", 2**40) is None
            assert await call(url, "chain_getBlockHash", [0, "0x2", 9]) == [genesis, second, None]
            assert await call(url, "chain_getHead") == second
            assert await call(url, "chain_getFinalizedHead") == second

    asyncio.run(run())


def test_unknown_blocks_are_null() -> None:
    async def run() -> None:
        async with dev_node() as node:
            for method in ("chain_getHeader", "chain_getBlock"):
                assert await call(node.http_url, method, "0x" + "11" * 32) is None

    asyncio.run(run())


def test_heads_begin_with_the_current_one_and_follow_in_order() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            before = list(node.backend.notifications.on_imported)
            names = {
                "chain_subscribeNewHead": ("chain_newHead", "chain_unsubscribeNewHead"),
                "chain_subscribeNewHeads": ("chain_newHead", "chain_unsubscribeNewHeads"),
                "chain_subscribeAllHeads": ("chain_allHead", "chain_unsubscribeAllHeads"),
                "chain_subscribeFinalizedHeads": (
                    "chain_finalizedHead",
                    "chain_unsubscribeFinalizedHeads",
                ),
            }
            for subscribe, (name, unsubscribe) in names.items():
                subscription = await socket.call(subscribe)
                assert isinstance(subscription, str)
                head = await socket.notification(name, subscription)
                best = node.backend.best
                assert header_of(head).hash() == best.hash
                for number in range(best.number + 1, best.number + 4):
                    node.seal()
                    head = await socket.notification(name, subscription)
                    assert head["number"] == hex(number)
                assert await socket.call(unsubscribe, "no such") is False
                assert await socket.call(unsubscribe, subscription) is True
                node.seal()
                assert await socket.call("system_name") == "flockchain"
            assert node.backend.notifications.on_imported == before

    asyncio.run(run())


def test_a_closed_connection_leaves_no_listener() -> None:
    async def run() -> None:
        async with dev_node() as node:
            notifications = node.backend.notifications
            before = len(notifications.on_imported), len(notifications.on_finalized)
            async with connected(node.ws_url) as socket:
                await socket.call("chain_subscribeNewHeads")
                await socket.receive()
                await socket.call("chain_subscribeFinalizedHeads")
            await settle(lambda: node.server.connection_count == 0)
            after = len(notifications.on_imported), len(notifications.on_finalized)
            assert after == before

    asyncio.run(run())
