"""`state_*`: storage, proofs, metadata, runtime calls, and subscriptions to them.

Source: Substrate `sc_rpc::state`.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from flockchain.chain.notifications import Imported
from flockchain.rpc.errors import (
    CLIENT_ERROR,
    COUNT_TOO_LARGE,
    ExecutionFailed,
    InvalidParams,
    RpcError,
    UnknownBlock,
)
from flockchain.rpc.lookup import BlockState, state_at
from flockchain.rpc.params import HexBytes
from flockchain.rpc.registry import Call, method
from flockchain.rpc.runtime_call import runtime_call
from flockchain.rpc.wire import Json, to_hex, to_hex_or_none, version_json
from runtime.frame.api_types import OpaqueMetadata, RuntimeVersion
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import codec_of
from runtime.primitives.types import Hash
from runtime.version import CODE_KEY

PAGE_MAX: Final = 1_000  # keys of state_getKeysPaged
KEYS_MAX: Final = 1_024  # keys that one query, proof or subscription may name
RANGE_BLOCKS_MAX: Final = 256
_UNSAFE_APIS: Final = ("BlockBuilder_",)  # they execute calls, which takes time
_METADATA: Final = codec_of(OpaqueMetadata)
_VERSION: Final = codec_of(RuntimeVersion)


@method("state_call", aliases=["state_callAt"])
def call_api(call: Call, name: str, data: HexBytes, at: Hash | None) -> Json:
    """The SCALE result of a runtime API, for SCALE arguments."""
    ensure_safe_api(call, name)
    found = state_at(call.context, at)
    return to_hex(runtime_call(found.state, found.hash, found.header.number, name, data))


def ensure_safe_api(call: Call, name: str) -> None:
    """Keep dear runtime APIs to trusted callers. Raises ExecutionFailed."""
    if name.startswith(_UNSAFE_APIS) and not call.is_trusted:
        raise ExecutionFailed(f"{name} is unsafe to be called externally")


@method("state_getMetadata")
def get_metadata(call: Call, at: Hash | None) -> Json:
    """The metadata, version 14."""
    raw = _call_constant(state_at(call.context, at), "Metadata_metadata")
    return to_hex(_METADATA.decode_all(raw))


@method("state_getRuntimeVersion", aliases=["chain_getRuntimeVersion"])
def get_runtime_version(call: Call, at: Hash | None) -> Json:
    """The runtime's version."""
    return version_json(version_of(state_at(call.context, at)))


def version_of(found: BlockState) -> RuntimeVersion:
    """The version of the runtime that a state names. Raises ExecutionFailed."""
    return _VERSION.decode_all(_call_constant(found, "Core_version"))


def _call_constant(found: BlockState, name: str) -> bytes:
    return runtime_call(found.state, found.hash, found.header.number, name, b"")


@method("state_getStorage", aliases=["state_getStorageAt"])
def get_storage(call: Call, key: HexBytes, at: Hash | None) -> Json:
    """The value of a key, or null."""
    return to_hex_or_none(state_at(call.context, at).state.get(key))


@method("state_getStorageHash", aliases=["state_getStorageHashAt"])
def get_storage_hash(call: Call, key: HexBytes, at: Hash | None) -> Json:
    """The blake2b-256 of a key's value, or null."""
    value = state_at(call.context, at).state.get(key)
    return None if value is None else to_hex(blake2b_256(value))


@method("state_getStorageSize", aliases=["state_getStorageSizeAt"])
def get_storage_size(call: Call, key: HexBytes, at: Hash | None) -> Json:
    """The bytes of a key's value, or null."""
    value = state_at(call.context, at).state.get(key)
    return None if value is None else len(value)


@method("state_getKeysPaged", aliases=["state_getKeysPagedAt"])
def get_keys_paged(
    call: Call, prefix: HexBytes | None, count: int, start_key: HexBytes | None, at: Hash | None
) -> Json:
    """At most `count` keys with a prefix, in byte order, strictly after `start_key`."""
    if count > PAGE_MAX:
        raise RpcError(
            COUNT_TOO_LARGE, f"count exceeds maximum value. value: {count}, max: {PAGE_MAX}"
        )
    keys = state_at(call.context, at).state.keys(prefix or b"", start_key or None)
    return [to_hex(key) for key in islice(keys, count)]


@method("state_queryStorageAt")
def query_storage_at(call: Call, keys: list[HexBytes], at: Hash | None) -> Json:
    """The values of keys at one block: every key, in the order of the question."""
    _ensure_count(keys)
    found = state_at(call.context, at)
    return [{"block": to_hex(found.hash), "changes": _changes(found, keys)}]


@method("state_queryStorage", safe=False)
def query_storage(
    call: Call, keys: list[HexBytes], from_block: Hash, to_block: Hash | None
) -> Json:
    """How keys changed over a range of blocks of the best chain: all first, then changes."""
    _ensure_count(keys)
    first, last = state_at(call.context, from_block), state_at(call.context, to_block)
    start, end = first.header.number, last.header.number
    if not start <= end < start + RANGE_BLOCKS_MAX:
        raise RpcError(
            CLIENT_ERROR,
            f"Cannot resolve a block range from #{start} to #{end}, "
            f"the most are {RANGE_BLOCKS_MAX} blocks",
        )
    result: list[Json] = []
    before: dict[str, str | None] = {}
    for number in range(start, end + 1):
        block = call.context.backend.blocks.hash_at(number)
        if block is None:
            raise UnknownBlock(to_block or last.hash)
        now = {to_hex(key): to_hex_or_none(value) for key, value in _values(call, block, keys)}
        changes = [[key, value] for key, value in now.items() if before.get(key, "") != value]
        if changes:
            result.append({"block": to_hex(block), "changes": changes})
        before = now
    return result


@method("state_getReadProof")
def get_read_proof(call: Call, keys: list[HexBytes], at: Hash | None) -> Json:
    """The trie nodes and values that prove what keys hold."""
    _ensure_count(keys)
    found = state_at(call.context, at)
    proof = [to_hex(node) for node in found.state.read_proof(keys)]
    return {"at": to_hex(found.hash), "proof": proof}


@method("state_subscribeStorage", subscription=True)
def subscribe_storage(call: Call, keys: list[HexBytes] | None) -> Json:
    """Values of keys, at first all of them, then those that change with the best block."""
    if not keys:
        raise InvalidParams("state_subscribeStorage needs keys: the whole state is too much")
    _ensure_count(keys)
    assert call.connection is not None, "subscriptions are refused over HTTP"
    context = call.context
    best = state_at(context, None)
    subscription = call.connection.subscribe("state_storage")
    seen = {key: best.state.get(key) for key in keys}
    subscription.notify({"block": to_hex(best.hash), "changes": _changes(best, keys)})

    def on_imported(event: Imported) -> None:
        if not event.is_new_best:
            return
        state = context.backend.state.reader(event.header.state_root)
        changed = [key for key in seen if state.get(key) != seen[key]]
        if changed:
            found = BlockState(event.hash, event.header, state)
            seen.update((key, state.get(key)) for key in changed)
            subscription.notify({"block": to_hex(event.hash), "changes": _changes(found, changed)})

    listeners = context.backend.notifications.on_imported
    listeners.append(on_imported)
    subscription.on_close(lambda: listeners.remove(on_imported))
    return subscription.id


@method("state_unsubscribeStorage", subscription=True)
def unsubscribe_storage(call: Call, subscription: str) -> Json:
    """End a subscription; false if there is none."""
    assert call.connection is not None, "subscriptions are refused over HTTP"
    return call.connection.unsubscribe(subscription, "state_storage")


@method(
    "state_subscribeRuntimeVersion",
    aliases=["chain_subscribeRuntimeVersion"],
    subscription=True,
)
def subscribe_runtime_version(call: Call) -> Json:
    """The runtime's version now, and whenever the best block changes it."""
    assert call.connection is not None, "subscriptions are refused over HTTP"
    context = call.context
    best = state_at(context, None)
    subscription = call.connection.subscribe("state_runtimeVersion")
    subscription.notify(version_json(version_of(best)))
    code = best.state.get(CODE_KEY)

    def on_imported(event: Imported) -> None:
        nonlocal code
        if not event.is_new_best:
            return
        found = BlockState(
            event.hash, event.header, context.backend.state.reader(event.header.state_root)
        )
        current = found.state.get(CODE_KEY)
        if current != code:
            code = current
            subscription.notify(version_json(version_of(found)))

    listeners = context.backend.notifications.on_imported
    listeners.append(on_imported)
    subscription.on_close(lambda: listeners.remove(on_imported))
    return subscription.id


@method(
    "state_unsubscribeRuntimeVersion",
    aliases=["chain_unsubscribeRuntimeVersion"],
    subscription=True,
)
def unsubscribe_runtime_version(call: Call, subscription: str) -> Json:
    """End a subscription; false if there is none."""
    assert call.connection is not None, "subscriptions are refused over HTTP"
    return call.connection.unsubscribe(subscription, "state_runtimeVersion")


def _ensure_count(keys: list[HexBytes]) -> None:
    if len(keys) > KEYS_MAX:
        raise InvalidParams(f"{len(keys)} keys, the most is {KEYS_MAX}")


def _changes(found: BlockState, keys: list[HexBytes]) -> list[list[str | None]]:
    return [[to_hex(key), to_hex_or_none(found.state.get(key))] for key in keys]


def _values(call: Call, block: Hash, keys: list[HexBytes]) -> list[tuple[bytes, bytes | None]]:
    state = state_at(call.context, block).state
    return [(key, state.get(key)) for key in keys]
