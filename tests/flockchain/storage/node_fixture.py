"""A trie over a memory store, for tests that need no blocks."""

from collections.abc import Mapping

from flockchain.storage.errors import StorageError
from flockchain.storage.kv import MemoryStore, WriteBatch
from flockchain.storage.node_cache import NodeCache
from flockchain.storage.node_store import NODE_PREFIX, NodeStore
from flockchain.storage.trie_codec import StateVersion
from flockchain.storage.trie_update import EMPTY_TRIE, TrieDelta, TrieRoot, TrieUpdate


class LooseTrie:
    """Updates applied and written one after the other; old roots are kept."""

    def __init__(self, version: StateVersion, nodes_max: int = 10_000) -> None:
        self.store = MemoryStore()
        self.nodes = NodeStore(
            self.store, NodeCache(nodes_max), lambda at: StorageError(f"no node {at.hex()}")
        )
        self.version = version
        self.root = EMPTY_TRIE
        self.updates = 0

    def apply(self, changes: Mapping[bytes, bytes | None]) -> TrieDelta:
        self.updates += 1
        stem = self.updates.to_bytes(5, "big")
        delta = TrieUpdate(self.nodes, self.version, stem).apply(self.root, changes)
        batch = WriteBatch()
        self.nodes.insert(delta, batch)
        self.store.write(batch)
        self.root = delta.root
        return delta

    def remove(self, delta: TrieDelta) -> None:
        """Forget what the delta replaced: only its new root stays readable."""
        batch = WriteBatch()
        for location in delta.removed:
            batch.delete(NODE_PREFIX + location)
        self.store.write(batch)

    def root_of(self, changes: Mapping[bytes, bytes | None]) -> TrieRoot:
        return self.apply(changes).root
