"""`chainHead_v1_*`: follow the head of the chain, and ask about the blocks on the way.

What takes time is an operation: its id is the answer, its result an event of the subscription,
which always leaves after the answer.

Source: the new JSON-RPC specification, group chainHead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from flockchain.rpc.errors import NOT_PINNED, RpcError
from flockchain.rpc.follow import OPERATIONS_MAX, Follow, KnownBlock
from flockchain.rpc.lookup import BlockState
from flockchain.rpc.params import HexBytes, JsonItem, parse_hash
from flockchain.rpc.registry import Call, method
from flockchain.rpc.runtime_call import runtime_call
from flockchain.rpc.state import ensure_safe_api
from flockchain.rpc.storage_query import find_items, parse_queries
from flockchain.rpc.wire import Json, to_hex
from flockchain.storage.errors import StorageError
from runtime.primitives.types import Hash

FOLLOWS_MAX: Final = 2  # of one connection
_EVENT: Final = "chainHead_v1_followEvent"
_LIMIT_REACHED: Final[Json] = {"result": "limitReached"}
TOO_MANY_FOLLOWS: Final = -32800
NO_RUNTIME: Final = -32802
NOT_WAITING: Final = -32803
DUPLICATES: Final = -32804

Work = Callable[[str], Awaitable[None]]  # gets the operation's id


@method("chainHead_v1_follow", subscription=True)
def follow(call: Call, with_runtime: bool) -> Json:
    """Follow the chain: final blocks, new ones, which is best, which become final."""
    connection = call.connection
    assert connection is not None, "subscriptions are refused over HTTP"
    if len(connection.follows) >= FOLLOWS_MAX:
        raise RpcError(TOO_MANY_FOLLOWS, "Maximum number of chainHead_follow has been reached")
    subscription = connection.subscribe(_EVENT)
    found = Follow(call.context, subscription, with_runtime=with_runtime)
    follows = connection.follows
    follows[subscription.id] = found

    def forget() -> None:
        del follows[subscription.id]

    subscription.on_close(forget)
    try:
        found.start()
    except StorageError as error:
        subscription.close()
        raise RpcError(TOO_MANY_FOLLOWS, "Too many blocks are pinned", str(error)) from error
    return subscription.id


@method("chainHead_v1_unfollow", subscription=True)
def unfollow(call: Call, follow_subscription: str) -> Json:
    """Stop following; every block is unpinned."""
    assert call.connection is not None, "subscriptions are refused over HTTP"
    call.connection.unsubscribe(follow_subscription, _EVENT)
    return None


@method("chainHead_v1_header", subscription=True)
def header(call: Call, follow_subscription: str, hash_: Hash) -> Json:
    """The SCALE header of a pinned block; null if the subscription ended."""
    found = _find(call, follow_subscription)
    return None if found is None else to_hex(_pinned(found, hash_).header.encode())


@method("chainHead_v1_body", subscription=True)
def body(call: Call, follow_subscription: str, hash_: Hash) -> Json:
    """The extrinsics of a pinned block, by an event."""
    found = _find(call, follow_subscription)
    if found is None:
        return _LIMIT_REACHED
    _pinned(found, hash_)

    async def work(operation: str) -> None:
        extrinsics = call.context.backend.blocks.body(hash_)
        if extrinsics is None:  # its fork lost, and only its state is kept
            _tell(found, "operationInaccessible", operation)
        else:
            value = [to_hex(data) for data in extrinsics]
            _tell(found, "operationBodyDone", operation, value=value)

    return _begin(call, found, work)


@method("chainHead_v1_call", subscription=True)
def call_api(
    call: Call, follow_subscription: str, hash_: Hash, function: str, call_parameters: HexBytes
) -> Json:
    """The result of a runtime API on a pinned block, by an event."""
    found = _find(call, follow_subscription)
    if found is None:
        return _LIMIT_REACHED
    block = _pinned(found, hash_)
    if not found.with_runtime:
        raise RpcError(NO_RUNTIME, "The runtime updates flag must be set")

    async def work(operation: str) -> None:
        try:
            ensure_safe_api(call, function)
            at = _state(call, hash_, block)
            output = runtime_call(at.state, hash_, at.header.number, function, call_parameters)
        except RpcError as error:
            _tell(found, "operationError", operation, error=error.message)
        else:
            _tell(found, "operationCallDone", operation, output=to_hex(output))

    return _begin(call, found, work)


@method("chainHead_v1_storage", subscription=True)
def storage(
    call: Call,
    follow_subscription: str,
    hash_: Hash,
    items: list[JsonItem],
    child_trie: JsonItem | None,
) -> Json:
    """What the state of a pinned block holds, by events."""
    queries = parse_queries(items, child_trie)
    found = _find(call, follow_subscription)
    if found is None:
        return _LIMIT_REACHED
    block = _pinned(found, hash_)

    async def work(operation: str) -> None:
        assert call.connection is not None, "subscriptions are refused over HTTP"
        for piece in find_items(_state(call, hash_, block).state, queries):
            _tell(found, "operationStorageItems", operation, items=piece)
            await call.connection.wait_for_room()
            await asyncio.sleep(0)
        _tell(found, "operationStorageDone", operation)

    return _begin(call, found, work, discarded=True)


@method("chainHead_v1_continue", subscription=True)
def continue_operation(call: Call, follow_subscription: str, operation_id: str) -> Json:
    """No operation of this node waits to be continued: they wait for the connection instead."""
    if _find(call, follow_subscription) is None:
        return None
    raise RpcError(NOT_WAITING, "Operation is not waiting to be continued", operation_id)


@method("chainHead_v1_stopOperation", subscription=True)
def stop_operation(call: Call, follow_subscription: str, operation_id: str) -> Json:
    """Stop an operation; nothing happens if it ended."""
    found = _find(call, follow_subscription)
    task = None if found is None else found.operations.get(operation_id)
    if task is not None:
        task.cancel()
    return None


@method("chainHead_v1_unpin", subscription=True)
def unpin(call: Call, follow_subscription: str, hash_or_hashes: JsonItem) -> Json:
    """Let one or several blocks go: all of them or, if one is not pinned, none."""
    found = _find(call, follow_subscription)
    if found is None:
        return None
    given = hash_or_hashes if isinstance(hash_or_hashes, list) else [hash_or_hashes]
    blocks = [parse_hash(item) for item in given]
    if len(dict.fromkeys(blocks)) != len(blocks):
        raise RpcError(DUPLICATES, "Received duplicate hashes for the chainHead_unpin method")
    for block in blocks:
        _pinned(found, block)
    for block in blocks:
        found.unpin(block)
    return None


def _find(call: Call, identity: str) -> Follow | None:
    assert call.connection is not None, "subscriptions are refused over HTTP"
    return call.connection.follows.get(identity)


def _pinned(found: Follow, block: Hash) -> KnownBlock:
    known = found.pinned.get(block)
    if known is None:
        raise RpcError(NOT_PINNED, "Invalid block hash", f"0x{block.hex()} is not pinned")
    return known


def _state(call: Call, block: Hash, known: KnownBlock) -> BlockState:
    reader = call.context.backend.state.reader(known.header.state_root)
    return BlockState(block, known.header, reader)


def _tell(found: Follow, event: str, operation: str, **fields: Json) -> None:
    found.subscription.notify({"event": event, "operationId": operation, **fields})


def _begin(call: Call, found: Follow, work: Work, *, discarded: bool = False) -> Json:
    """Start an operation once its id has been answered."""
    if len(found.operations) >= OPERATIONS_MAX:
        return _LIMIT_REACHED
    connection = call.connection
    assert connection is not None, "subscriptions are refused over HTTP"
    operation, answered = found.reserve(), asyncio.Event()

    async def run() -> None:
        await answered.wait()
        try:
            await work(operation)
        except StorageError:
            _tell(found, "operationInaccessible", operation)

    found.begin(operation, run())
    connection.after_response(answered.set)
    answer: dict[str, Json] = {"result": "started", "operationId": operation}
    return {**answer, "discardedItems": 0} if discarded else answer
