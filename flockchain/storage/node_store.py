"""Trie nodes in the key-value store, each at the location its update gave it.

Owns the records under `NODE_PREFIX` and the check that a node read is the node its parent names.
A location is the number of the update (5 bytes) and the node's index in it (3 bytes): unique for
ever, so equal nodes of two forks, or of a value that goes A, B, A, are different records, and
dropping a fork or pruning a state never asks who else uses a node. Locations grow, so that a
block's nodes lie side by side and LevelDB appends instead of scattering.

| part of a record | bytes |
|---|---|
| the node's encoding | as long as it says |
| locations of the children that are not inlined | 8 each |
| the value, if the encoding holds its hash | the rest |

Source: Substrate trie format; the location scheme is this project's own.
"""

from collections.abc import Callable
from typing import Final

from flockchain.storage.errors import StateCorrupted, StorageError
from flockchain.storage.kv import KeyValueStore, PendingView, WriteBatch
from flockchain.storage.node_cache import NodeCache
from flockchain.storage.trie_codec import (
    HASH_BYTES,
    HASH_REF_HEAD,
    LOCATION_BYTES,
    NodeFormatError,
    TrieNode,
    children_of,
    decode_node,
    hash_256,
)
from flockchain.storage.trie_update import TrieDelta, TrieRoot, load_child, load_root

NODE_PREFIX: Final = b"sn"


class NodeStore:
    """The `NodeSource` over a key-value store, with a cache in front.

    `explain_missing(location)` gives the error for a node that is not there.
    """

    __slots__ = ("_cache", "_explain_missing", "_store")

    def __init__(
        self,
        store: KeyValueStore | PendingView,
        cache: NodeCache,
        explain_missing: Callable[[bytes], StorageError],
    ) -> None:
        self._store = store
        self._cache = cache
        self._explain_missing = explain_missing

    def load(self, location: bytes, ref: bytes) -> TrieNode:
        """The node at `location`. Raises: StateCorrupted, or what `explain_missing` gives."""
        node = self._cache.young.get(location) or self._cache.find_old(location)
        if node is None:
            record = self._store.get(NODE_PREFIX + location)
            if record is None:
                raise self._explain_missing(location)
            node = decode_record(record, location, ref)
            self._cache.add_many((location,), (node,))
        return node

    def reachable(self, root: TrieRoot) -> list[bytes]:
        """The locations of all nodes of a trie; reads all of it."""
        found = [root.location] if root.location else []
        pending = [load_root(self, root)]
        while pending:
            node = pending.pop()
            if node is None or node.locations is None:
                continue
            for index, location in enumerate(node.locations):
                if location:
                    found.append(location)
                    pending.append(load_child(self, node, index))
        return found

    def insert(self, delta: TrieDelta, batch: WriteBatch) -> None:
        """Put the delta's nodes into `batch`, and at hand: harmless if the batch is dropped."""
        keys = [NODE_PREFIX + location for location in delta.locations]
        batch.put_many(zip(keys, delta.records, strict=True))
        self._cache.retire(delta.removed)
        self._cache.add_many(delta.locations, delta.nodes)


def decode_record(record: bytes, location: bytes, ref: bytes) -> TrieNode:
    """The node of a stored record, checked against its parent's `ref`.

    Raises: StateCorrupted.
    """
    try:
        node, end = decode_node(record)
    except NodeFormatError as error:
        raise StateCorrupted(f"node at {location.hex()} is damaged: {error}") from error
    if HASH_REF_HEAD + hash_256(record[:end]) != ref:
        raise StateCorrupted(f"node at {location.hex()} does not hash to {ref[1:].hex()}")
    if node.refs is not None and node.locations is not None:
        for index in children_of(node.bitmap):
            if len(node.refs[index]) > HASH_BYTES:
                node.locations[index] = record[end : end + LOCATION_BYTES]
                end += LOCATION_BYTES
    if node.value_hash is not None:
        node.value = record[end:]
        if hash_256(node.value) != node.value_hash:
            raise StateCorrupted(f"value at {location.hex()} does not hash to what its node says")
    elif len(record) != end:
        raise StateCorrupted(f"record at {location.hex()} has {len(record)} bytes, not {end}")
    return node
