"""Decoded trie nodes kept at hand, within bounds.

Owns `NodeCache`: least recently used in two generations. What is looked up moves to the young
generation; when that is full, the old one is forgotten and the young one grows old. That costs
one dict look-up where an ordered list would cost three. What the newest state no longer reaches
lies apart in two small generations of its own: only forks and readers of older states ask for it,
and it would otherwise be nearly all that a long-running node holds. Invariant: a location is
written once in the life of a store, so an entry can be superfluous but never stale.

Source: WP II.A (state and ledger).
"""

from collections.abc import Collection, Sequence
from typing import Final

from flockchain.storage.trie_codec import HASH_BYTES, LOCATION_BYTES, TrieNode

NODES_MAX: Final = 1_000_000
SIZE_BYTES_MAX: Final = 256 * 1024 * 1024
RETIRED_BYTES_MAX: Final = 16 * 1024 * 1024
"""About fourteen blocks of 200 transfers."""
# Memory by a node's record, fitted on CPython 3.11: about 2.4 kB for a branch of 16.
_BYTES_PER_RECORD_BYTE: Final = 3
_NODE_BYTES: Final = 400 + _BYTES_PER_RECORD_BYTE * HASH_BYTES
_CHILD_BYTES: Final = _BYTES_PER_RECORD_BYTE * (HASH_BYTES + LOCATION_BYTES)


class NodeCache:
    """At most `nodes_max` nodes of about `size_bytes_max` bytes, over both generations.

    What the newest state no longer reaches is as many more at most, of about `retired_bytes_max`.
    `young` is open to look-ups, for the trie's innermost loop; only the methods may change it.
    """

    def __init__(
        self,
        nodes_max: int = NODES_MAX,
        size_bytes_max: int = SIZE_BYTES_MAX,
        retired_bytes_max: int = RETIRED_BYTES_MAX,
    ) -> None:
        self.young: dict[bytes, TrieNode] = {}
        self._old: dict[bytes, TrieNode] = {}
        self._size_bytes = 0
        self._nodes_max = nodes_max // 2
        self._size_bytes_max = size_bytes_max // 2
        self._retired: dict[bytes, TrieNode] = {}
        self._long_retired: dict[bytes, TrieNode] = {}
        self._retired_bytes = 0
        self._retired_bytes_max = retired_bytes_max // 2

    def find_old(self, location: bytes) -> TrieNode | None:
        """The node at `location` if it is not among the young; one of the old is young again."""
        node = self._old.pop(location, None)
        if node is not None:
            self.add_many((location,), (node,))
            return node
        return self._retired.get(location) or self._long_retired.get(location)

    def add_many(self, locations: Sequence[bytes], nodes: Sequence[TrieNode]) -> None:
        """Take in nodes that are not here yet."""
        self.young.update(zip(locations, nodes, strict=True))
        self._size_bytes += _size_of(nodes)
        if len(self.young) > self._nodes_max or self._size_bytes > self._size_bytes_max:
            self._old, self.young, self._size_bytes = self.young, {}, 0

    def retire(self, locations: Sequence[bytes]) -> None:
        """Put apart nodes that the newest state no longer reaches, or that came with a lost fork.

        So the two generations hold one version of each node, and seldom have to be forgotten.
        """
        take = self.young.pop
        gone = {
            location: node for location in locations if (node := take(location, None)) is not None
        }
        size_bytes = _size_of(gone.values())
        self._size_bytes -= size_bytes
        if self._old and len(gone) < len(locations):
            for location in locations:
                node = self._old.pop(location, None)
                if node is not None:
                    gone[location] = node
                    size_bytes += _size_of((node,))
        self._retired.update(gone)
        self._retired_bytes += size_bytes
        if self._retired_bytes > self._retired_bytes_max or len(self._retired) > self._nodes_max:
            self._long_retired, self._retired, self._retired_bytes = self._retired, {}, 0

    def __len__(self) -> int:
        return sum(map(len, (self.young, self._old, self._retired, self._long_retired)))


def _size_of(nodes: Collection[TrieNode]) -> int:
    """About the memory that nodes take, from the lengths of their records."""
    children = sum([node.bitmap.bit_count() for node in nodes])
    values_bytes = sum([len(node.value) for node in nodes if node.value])
    return (
        _NODE_BYTES * len(nodes) + _CHILD_BYTES * children + _BYTES_PER_RECORD_BYTE * values_bytes
    )
