"""The transaction and transactionWatch groups."""

from __future__ import annotations

import asyncio

from flockchain.rpc.transaction import BROADCASTS_MAX
from tests.flockchain.rpc.dev_node import dev_node
from tests.flockchain.rpc.rpc_client import connected, settle


def test_a_broadcast_goes_on_until_it_is_stopped() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            data = node.transfer(0)
            operation = await socket.call("transaction_v1_broadcast", "0x" + data.hex())
            assert isinstance(operation, str)
            (entry,) = node.pool.best()
            assert entry.data == data
            node.pool.ready.remove(entry)  # lost, as by a limit: the next block brings it back
            node.seal()
            assert [item.data for item in node.pool.best()] == [data]
            node.seal()
            assert not list(node.pool.best())
            assert await socket.call("transaction_v1_stop", operation) is None
            assert (await socket.call("transaction_v1_stop", operation))["code"] == -32602

    asyncio.run(run())


def test_broadcasts_are_limited_and_end_with_their_connection() -> None:
    async def run() -> None:
        async with dev_node() as node:
            listeners = len(node.backend.notifications.on_imported)
            async with connected(node.ws_url) as socket:
                for number in range(BROADCASTS_MAX):
                    data = "0x" + node.transfer(number).hex()
                    assert await socket.call("transaction_v1_broadcast", data) is not None
                assert await socket.call("transaction_v1_broadcast", "0x00") is None
                assert await socket.call("transaction_v1_stop", "1") != 0
            await settle(lambda: len(node.backend.notifications.on_imported) == listeners)

    asyncio.run(run())


def test_a_watched_extrinsic_tells_its_place() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            name = "transactionWatch_v1_watchEvent"
            data = "0x" + node.transfer(0).hex()
            watched = await socket.call("transactionWatch_v1_submitAndWatch", data)
            assert await socket.notification(name, watched) == {"event": "validated"}
            place = {"hash": "0x" + node.seal().hash.hex(), "index": 1}
            included = await socket.notification(name, watched)
            assert included == {"event": "bestChainBlockIncluded", "block": place}
            final = await socket.notification(name, watched)
            assert final == {"event": "finalized", "block": place}

    asyncio.run(run())


def test_a_refusal_is_an_event() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            watched = await socket.call("transactionWatch_v1_submitAndWatch", "0x00")
            event = await socket.notification("transactionWatch_v1_watchEvent", watched)
            assert event["event"] == "invalid"
            assert await socket.call("transactionWatch_v1_unwatch", watched) is None

    asyncio.run(run())
