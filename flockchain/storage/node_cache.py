"""Decoded trie nodes kept at hand, within bounds.

Owns `NodeCache`: least recently used in two generations. What is looked up moves to the young
generation; when that is full, the old one is forgotten and the young one grows old. That costs
one dict look-up where an ordered list would cost three. Invariant: a location is written once in
the life of a store, so an entry can be superfluous but never stale.

Source: WP II.A (state and ledger).
"""

from collections.abc import Sequence
from typing import Final

from flockchain.storage.trie_codec import HASH_BYTES, LOCATION_BYTES, TrieNode

NODES_MAX: Final = 1_000_000
SIZE_BYTES_MAX: Final = 256 * 1024 * 1024
_NODE_BYTES: Final = 400
_BYTES_PER_RECORD_BYTE: Final = 3
"""Memory by a node's record, fitted on CPython 3.11: about 2.4 kB for a branch of 16."""


class NodeCache:
    """At most `nodes_max` nodes of about `size_bytes_max` bytes, over both generations.

    `young` is open to look-ups, for the trie's innermost loop; only `add_many` may change it.
    """

    def __init__(self, nodes_max: int = NODES_MAX, size_bytes_max: int = SIZE_BYTES_MAX) -> None:
        self.young: dict[bytes, TrieNode] = {}
        self._old: dict[bytes, TrieNode] = {}
        self._size_bytes = 0
        self._old_bytes = 0
        self._nodes_max = nodes_max // 2
        self._size_bytes_max = size_bytes_max // 2

    def find_old(self, location: bytes) -> TrieNode | None:
        """The node at `location` if it is in the old generation; it is young again."""
        node = self._old.pop(location, None)
        if node is not None:
            self.add_many((location,), (node,), _record_bytes(node))
        return node

    def add_many(
        self, locations: Sequence[bytes], nodes: Sequence[TrieNode], records_bytes: int
    ) -> None:
        """Take in nodes whose records have `records_bytes` in all."""
        self.young.update(zip(locations, nodes, strict=True))
        self._size_bytes += _NODE_BYTES * len(nodes) + _BYTES_PER_RECORD_BYTE * records_bytes
        if len(self.young) > self._nodes_max or self._size_bytes > self._size_bytes_max:
            self._old, self._old_bytes = self.young, self._size_bytes
            self.young, self._size_bytes = {}, 0

    def retire(self, locations: Sequence[bytes]) -> None:
        """Let nodes that the newest state no longer reaches go first: they are old at once.

        So the young generation holds one version of each node, and seldom has to be forgotten.
        """
        if not self.young:
            return
        node_bytes = self._size_bytes // len(self.young)
        for location in locations:
            node = self.young.pop(location, None)
            if node is not None:
                self._old[location] = node
                self._size_bytes -= node_bytes
                self._old_bytes += node_bytes
        if self._old_bytes > self._size_bytes_max or len(self._old) > self._nodes_max:
            self._old, self._old_bytes = {}, 0

    def __len__(self) -> int:
        return len(self.young) + len(self._old)


def _record_bytes(node: TrieNode) -> int:
    """About the length of the node's record."""
    children = node.bitmap.bit_count() * (HASH_BYTES + LOCATION_BYTES)
    return HASH_BYTES + children + len(node.value or b"")
