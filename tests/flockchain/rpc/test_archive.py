"""The archive and chainSpec groups."""

from __future__ import annotations

import asyncio

from runtime.primitives.hashing import blake2b_256, twox_128
from tests.flockchain.rpc.dev_node import dev_node
from tests.flockchain.rpc.rpc_client import call, connected

UNKNOWN = "0x" + "22" * 32
ACCOUNTS = "0x" + (twox_128(b"System") + twox_128(b"Account")).hex()


def test_blocks_of_the_archive() -> None:
    async def run() -> None:
        async with dev_node() as node:
            url = node.http_url
            data = node.transfer(0)
            node.node.submit(data)
            block = "0x" + node.seal().hash.hex()
            genesis = "0x" + node.backend.genesis.hex()
            assert await call(url, "archive_v1_genesisHash") == genesis
            assert await call(url, "archive_v1_finalizedHeight") == 1
            assert await call(url, "archive_v1_hashByHeight", 1) == [block]
            assert await call(url, "archive_v1_hashByHeight", 2) == []
            header = await call(url, "archive_v1_header", block)
            assert "0x" + blake2b_256(bytes.fromhex(header[2:])).hex() == block
            assert (await call(url, "archive_v1_body", block))[1] == "0x" + data.hex()
            version = await call(url, "archive_v1_call", block, "Metadata_metadata_versions", "")
            assert version == {"success": True, "value": "0x080e0000000f000000"}
            failed = await call(url, "archive_v1_call", block, "No_such", "")
            assert failed["success"] is False
            for method in ("archive_v1_header", "archive_v1_body"):
                assert await call(url, method, UNKNOWN) is None
            assert await call(url, "archive_v1_call", UNKNOWN, "Core_version", "") is None
            assert await call(url, "chainSpec_v1_genesisHash") == genesis
            assert await call(url, "chainSpec_v1_chainName") == "FLock Development"
            assert (await call(url, "chainSpec_v1_properties"))["tokenSymbol"] == "FML"

    asyncio.run(run())


def test_storage_of_the_archive() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            genesis, name = "0x" + node.backend.genesis.hex(), "archive_v1_storageEvent"
            items = [{"key": ACCOUNTS, "type": "descendantsValues"}]
            identity = await socket.call("archive_v1_storage", genesis, items)
            events = [await socket.notification(name, identity)]
            while events[-1]["event"] == "storage":
                events.append(await socket.notification(name, identity))
            assert events[-1] == {"event": "storageDone"}
            keys = [item["key"] for item in events[:-1]]
            prefix = bytes.fromhex(ACCOUNTS[2:])
            state = node.backend.state_at(node.backend.genesis)
            assert keys == ["0x" + key.hex() for key in state.keys(prefix)]
            later = [{**items[0], "paginationStartKey": keys[-2]}]
            identity = await socket.call("archive_v1_storage", genesis, later)
            assert (await socket.notification(name, identity))["key"] == keys[-1]
            assert await socket.notification(name, identity) == {"event": "storageDone"}
            identity = await socket.call("archive_v1_storage", UNKNOWN, items)
            assert (await socket.notification(name, identity))["event"] == "storageError"
            assert await socket.call("archive_v1_stopStorage", "no such") is None
            bad = await socket.call("archive_v1_storage", genesis, [{"key": "0x", "type": "all"}])
            assert bad["code"] == -32602

    asyncio.run(run())
