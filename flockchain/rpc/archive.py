"""`archive_v1_*`: any block that the node keeps, whether it is final or not.

Source: the new JSON-RPC specification, group archive.
"""

from __future__ import annotations

import asyncio

from flockchain.rpc.connection import Connection, Subscription
from flockchain.rpc.errors import RpcError
from flockchain.rpc.lookup import state_at
from flockchain.rpc.params import HexBytes, JsonItem
from flockchain.rpc.registry import Call, method
from flockchain.rpc.runtime_call import runtime_call
from flockchain.rpc.state import ensure_safe_api
from flockchain.rpc.storage_query import Query, find_items, parse_queries
from flockchain.rpc.wire import Json, to_hex
from flockchain.storage.errors import StorageError
from flockchain.storage.state_reader import StateReader
from runtime.primitives.types import Hash


@method("archive_v1_genesisHash")
def genesis_hash(call: Call) -> Json:
    """The hash of block 0."""
    return to_hex(call.context.backend.genesis)


@method("archive_v1_finalizedHeight")
def finalized_height(call: Call) -> Json:
    """The number of the last finalized block."""
    return call.context.backend.finalized.number


@method("archive_v1_hashByHeight")
def hash_by_height(call: Call, height: int) -> Json:
    """The hashes of all blocks of a number: one when it is final, none when it is unknown."""
    backend = call.context.backend
    if height <= backend.finalized.number:
        known = backend.blocks.hash_at(height)
        return [] if known is None else [to_hex(known)]
    tree = backend.tree
    found = [node for node in tree.descendants(tree.root.hash) if node.number == height]
    return [to_hex(node.hash) for node in sorted(found, key=lambda node: node.hash)]


@method("archive_v1_header")
def header(call: Call, hash_: Hash) -> Json:
    """The SCALE header; null if the block is not known."""
    found = call.context.backend.header(hash_)
    return None if found is None else to_hex(found.encode())


@method("archive_v1_body")
def body(call: Call, hash_: Hash) -> Json:
    """The extrinsics; null if the block is not known."""
    found = call.context.backend.blocks.body(hash_)
    return None if found is None else [to_hex(data) for data in found]


@method("archive_v1_call")
def call_api(call: Call, hash_: Hash, function: str, parameters: HexBytes) -> Json:
    """The result of a runtime API, or why there is none; null if the block is not known."""
    if call.context.backend.header(hash_) is None:
        return None
    try:
        ensure_safe_api(call, function)
        found = state_at(call.context, hash_)
        output = runtime_call(found.state, found.hash, found.header.number, function, parameters)
    except RpcError as error:
        return {"success": False, "error": error.message}
    return {"success": True, "value": to_hex(output)}


@method("archive_v1_storage", subscription=True)
def storage(call: Call, hash_: Hash, items: list[JsonItem], child_trie: JsonItem | None) -> Json:
    """What the state of a block holds, as events: storage, then storageDone or storageError."""
    assert call.connection is not None, "subscriptions are refused over HTTP"
    queries = parse_queries(items, child_trie)
    connection = call.connection
    subscription = connection.subscribe("archive_v1_storageEvent")
    try:
        state = state_at(call.context, hash_).state
    except RpcError as error:
        subscription.notify({"event": "storageError", "error": error.message})
        subscription.close()
        return subscription.id

    def start() -> None:
        task = asyncio.create_task(_send(connection, subscription, state, queries))
        subscription.on_close(lambda: _cancel(task))

    connection.after_response(start)
    return subscription.id


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


async def _send(
    connection: Connection, subscription: Subscription, state: StateReader, queries: list[Query]
) -> None:
    try:
        for piece in find_items(state, queries):
            for item in piece:
                subscription.notify({"event": "storage", **item})
            await connection.wait_for_room()
            await asyncio.sleep(0)
        subscription.notify({"event": "storageDone"})
    except StorageError as error:
        subscription.notify({"event": "storageError", "error": str(error)})
    asyncio.get_running_loop().call_soon(subscription.close)  # not from within: it cancels us


@method("archive_v1_stopStorage", subscription=True)
def stop_storage(call: Call, subscription: str) -> Json:
    """Stop an answer of archive_v1_storage."""
    assert call.connection is not None, "subscriptions are refused over HTTP"
    call.connection.unsubscribe(subscription, "archive_v1_storageEvent")
    return None
