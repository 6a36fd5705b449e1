"""Following the head of the chain, and operations on pinned blocks."""

from __future__ import annotations

import asyncio
from typing import Any

from flockchain.rpc.follow import FINAL_BLOCKS_SHOWN, OPERATIONS_MAX
from runtime.primitives.hashing import blake2b_256, twox_128
from runtime.primitives.types import Hash
from tests.flockchain.rpc.dev_node import DevNode, dev_node
from tests.flockchain.rpc.rpc_client import Socket, connected, settle

EVENT = "chainHead_v1_followEvent"
CODE = "0x" + b":code".hex()
ACCOUNTS = "0x" + (twox_128(b"System") + twox_128(b"Account")).hex()


def text(block: bytes) -> str:
    return "0x" + block.hex()


async def followed(socket: Socket, *, runtime: bool = True) -> tuple[str, list[Any]]:
    """A subscription and its events until the first bestBlockChanged."""
    identity = await socket.call("chainHead_v1_follow", runtime)
    events = [await socket.notification(EVENT, identity)]
    while events[-1]["event"] != "bestBlockChanged":
        events.append(await socket.notification(EVENT, identity))
    return identity, events


async def operation(socket: Socket, method: str, *params: object) -> list[Any]:
    """The events of an operation, which come behind its id."""
    started = await socket.call(method, *params)
    assert started["result"] == "started"
    events: list[Any] = []
    while not events or events[-1]["event"] == "operationStorageItems":
        message = await socket.receive()
        events.append(message["params"]["result"])
        assert events[-1]["operationId"] == started["operationId"]
    return events


def fork(node: DevNode) -> tuple[Hash, Hash, Hash]:
    """Two blocks on the best one, the first and a child of it on the best chain; none final."""
    finalize, node.backend.finalize = node.backend.finalize, lambda *_: None  # type: ignore
    parent = node.backend.best
    first = node.seal().hash
    kept = node.backend.best
    node.backend.best = parent
    node.clock.ms += 7
    second = node.seal().hash
    node.backend.best = kept if node.backend.best.hash != second else node.backend.best
    child = node.seal().hash
    node.backend.finalize = finalize  # type: ignore[method-assign]
    return first, second, child


def test_following_begins_with_final_blocks_and_their_runtime() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            sealed = [text(node.seal().hash) for _ in range(FINAL_BLOCKS_SHOWN + 3)]
            _, events = await followed(socket)
            first, best = events
            assert first["event"] == "initialized"
            assert first["finalizedBlockHashes"] == sealed[-FINAL_BLOCKS_SHOWN:]
            spec = first["finalizedBlockRuntime"]["spec"]
            version = await socket.call("state_getRuntimeVersion")
            assert spec["specVersion"] == version["specVersion"]
            assert spec["apis"] == dict(version["apis"])
            assert best == {"event": "bestBlockChanged", "bestBlockHash": sealed[-1]}

    asyncio.run(run())


def test_new_then_best_then_final() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            identity, _ = await followed(socket)
            parent = text(node.backend.best.hash)
            block = text(node.seal().hash)
            events = [await socket.notification(EVENT, identity) for _ in range(3)]
            assert events == [
                {
                    "event": "newBlock",
                    "blockHash": block,
                    "parentBlockHash": parent,
                    "newRuntime": None,
                },
                {"event": "bestBlockChanged", "bestBlockHash": block},
                {"event": "finalized", "finalizedBlockHashes": [block], "prunedBlockHashes": []},
            ]

    asyncio.run(run())


def test_forks_are_announced_and_pruned() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            node.seal()
            first, second, child = fork(node)
            top = node.backend.header(child)
            assert top is not None
            lost = second if top.parent_hash == first else first
            kept = first if lost == second else second
            identity, events = await followed(socket, runtime=False)
            assert "finalizedBlockRuntime" not in events[0]
            announced = [item["blockHash"] for item in events if item["event"] == "newBlock"]
            assert set(announced[:2]) == {text(first), text(second)}
            assert announced[2] == text(child)
            assert events[-1]["bestBlockHash"] == text(child)
            node.backend.finalize(node.backend.best.hash)
            final = await socket.notification(EVENT, identity)
            assert final == {
                "event": "finalized",
                "finalizedBlockHashes": [text(kept), text(child)],
                "prunedBlockHashes": [text(lost)],
            }
            header = await socket.call("chainHead_v1_header", identity, text(lost))
            assert blake2b_256(bytes.fromhex(header[2:])) == lost
            (event,) = await operation(socket, "chainHead_v1_body", identity, text(lost))
            assert event["event"] == "operationInaccessible"
            items = [{"key": CODE, "type": "hash"}]
            found = await operation(socket, "chainHead_v1_storage", identity, text(lost), items)
            assert found[0]["items"][0]["key"] == CODE

    asyncio.run(run())


def test_operations_on_a_pinned_block() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            data = node.transfer(0)
            node.node.submit(data)
            block = text(node.seal().hash)
            identity, _ = await followed(socket)
            header = await socket.call("chainHead_v1_header", identity, block)
            assert text(blake2b_256(bytes.fromhex(header[2:]))) == block
            (body,) = await operation(socket, "chainHead_v1_body", identity, block)
            assert body["event"] == "operationBodyDone"
            assert body["value"][1] == text(data)
            (answer,) = await operation(
                socket, "chainHead_v1_call", identity, block, "Metadata_metadata_versions", "0x"
            )
            assert answer["output"] == "0x080e0000000f000000"
            (failed,) = await operation(
                socket, "chainHead_v1_call", identity, block, "No_such", "0x"
            )
            assert failed["event"] == "operationError"
            assert "Exported method No_such is not found" in failed["error"]

    asyncio.run(run())


def test_storage_of_a_pinned_block() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            block = text(node.seal().hash)
            identity, _ = await followed(socket)
            state = node.backend.state.reader(
                node.backend.header(node.backend.best.hash).state_root  # type: ignore[union-attr]
            )
            code = state.get(b":code")
            assert code is not None
            items = [
                {"key": CODE, "type": "value"},
                {"key": CODE, "type": "hash"},
                {"key": "0x00", "type": "value"},
                {"key": ACCOUNTS, "type": "descendantsValues"},
                {"key": ACCOUNTS, "type": "descendantsHashes"},
                {"key": ACCOUNTS, "type": "closestDescendantMerkleValue"},
            ]
            events = await operation(socket, "chainHead_v1_storage", identity, block, items)
            assert events[-1]["event"] == "operationStorageDone"
            found = [item for event in events[:-1] for item in event["items"]]
            assert found[0] == {"key": CODE, "value": text(code)}
            assert found[1] == {"key": CODE, "hash": text(blake2b_256(code))}
            pairs = [
                (text(key), text(value)) for key, value in state.pairs(bytes.fromhex(ACCOUNTS[2:]))
            ]
            values = [(item["key"], item["value"]) for item in found[2:] if "value" in item]
            assert values == pairs
            assert len([item for item in found if "hash" in item]) == len(pairs) + 1
            assert "closestDescendantMerkleValue" in found[-1]

    asyncio.run(run())


def test_blocks_are_unpinned_and_states_let_go() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            block = text(node.seal().hash)
            genesis = text(node.backend.genesis)
            identity, _ = await followed(socket)
            pins = node.backend.state._pins
            assert len(pins) == 2
            twice = await socket.call("chainHead_v1_unpin", identity, [block, block])
            assert twice["code"] == -32804
            partly = await socket.call("chainHead_v1_unpin", identity, [block, "0x" + "11" * 32])
            assert partly["code"] == -32801
            assert await socket.call("chainHead_v1_unpin", identity, block) is None
            gone = await socket.call("chainHead_v1_header", identity, block)
            assert gone["code"] == -32801
            assert await socket.call("chainHead_v1_unpin", identity, [genesis]) is None
            assert not pins
            await socket.call("chainHead_v1_unfollow", identity)
            other, _ = await followed(socket)
            assert len(pins) == 2
            assert await socket.call("chainHead_v1_header", identity, block) is None
            limit = await socket.call("chainHead_v1_body", identity, block)
            assert limit == {"result": "limitReached"}
            assert await socket.call("chainHead_v1_unfollow", other) is None
            assert not pins

    asyncio.run(run())


def test_limits_of_following() -> None:
    async def run() -> None:
        async with dev_node() as node:
            async with connected(node.ws_url) as socket:
                first, _ = await followed(socket, runtime=False)
                await followed(socket)
                third = await socket.call("chainHead_v1_follow", False)
                assert third["code"] == -32800
                block = text(node.backend.best.hash)
                denied = await socket.call("chainHead_v1_call", first, block, "Core_version", "0x")
                assert denied["code"] == -32802
                waiting = await socket.call("chainHead_v1_continue", first, "1")
                assert waiting["code"] == -32803
                assert await socket.call("chainHead_v1_stopOperation", first, "1") is None
                assert OPERATIONS_MAX == 16
            await settle(lambda: not node.backend.state._pins)

    asyncio.run(run())
