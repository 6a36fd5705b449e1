"""The state under one root, for whoever reads: runtime, RPC, workers.

Owns `StateReader`. Invariant: it gives what the state with its root holds, or raises; it never
gives data of another state, also when its state is pruned while it reads.

Source: WP II.A (state and ledger), Substrate `StateBackend`.
"""

from collections.abc import Iterable, Iterator

from flockchain.storage.trie_codec import encode_node
from flockchain.storage.trie_proof import read_proof
from flockchain.storage.trie_update import NodeSource, TrieRoot
from flockchain.storage.trie_view import TrieView
from flockchain.storage.value_cache import ITEM_BYTES, Values


class StateReader:
    """Reads one state. Raises StateDiscarded where it needs what was given up meanwhile."""

    def __init__(self, source: NodeSource, root: TrieRoot, values: Values) -> None:
        self._source = source
        self._root = root
        self._view = TrieView(source, root)
        self._values = values

    def get(self, key: bytes) -> bytes | None:
        """The value at `key`, or None."""
        known = self._values.by_key
        value = known.get(key)
        if value is not None or key in known:
            return value
        item = key[:ITEM_BYTES]
        if item in self._values.empty_items:
            return None
        value = self._view.get(key)
        if value is None and self._view.is_empty_item(item):
            self._values.remember_empty(item)
        else:
            self._values.remember(key, value)
        return value

    @property
    def root(self) -> bytes:
        return self._root.hash

    def keys(self, prefix: bytes = b"", after: bytes | None = None) -> Iterator[bytes]:
        """The keys under `prefix` in byte order, those strictly above `after` if it is given."""
        return self._view.keys(prefix, after)

    def pairs(
        self, prefix: bytes = b"", after: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """As `keys`, with the values."""
        item = prefix[:ITEM_BYTES]
        if item in self._values.empty_items:
            return iter(())
        if self._view.is_empty_item(item):
            self._values.remember_empty(item)
        return self._view.pairs(prefix, after)

    def nodes(self, after: str | None = None) -> Iterator[tuple[bytes, bytes | None]]:
        """The trie's nodes behind the path `after`, each before its children, for a peer.

        Each as its encoding, and the value if the encoding holds only its hash.
        """
        for _, node in self._view.nodes(after):
            yield encode_node(node), None if node.value_hash is None else node.value

    def closest_descendant_merkle_value(self, key: bytes) -> bytes | None:
        """The merkle value of the shallowest node at or below `key`, None if there is none."""
        return self._view.closest_descendant_merkle_value(key)

    def read_proof(self, keys: Iterable[bytes]) -> list[bytes]:
        """The nodes and values that prove what the state holds at `keys`."""
        return read_proof(self._source, self._root, keys)
