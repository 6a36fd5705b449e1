"""Updates by a recipe are those that a store would make by itself, at its own places."""

from __future__ import annotations

from random import Random

import pytest

from flockchain.simulation.network.shared_tries import SharedTries
from flockchain.storage.errors import StateDiscarded
from flockchain.storage.kv import MemoryStore, WriteBatch
from flockchain.storage.node_cache import NodeCache
from flockchain.storage.node_store import NodeStore
from flockchain.storage.state_records import encode_stem
from flockchain.storage.trie_codec import StateVersion
from flockchain.storage.trie_update import EMPTY_TRIE, TrieDelta, TrieUpdate

Changes = dict[bytes, bytes | None]


class Store:
    """A store of one node, with its own places; what it is told is in its `root`."""

    def __init__(self, first_stem: int, cached: int = 1_000) -> None:
        self.store = MemoryStore()
        self.nodes = NodeStore(self.store, NodeCache(cached), lambda _: StateDiscarded("gone"))
        self.root = EMPTY_TRIE
        self.stem = first_stem

    def update(self, make: type[TrieUpdate] | SharedTries, changes: Changes) -> TrieDelta:
        update = make(self.nodes, StateVersion.V1, encode_stem(self.stem))
        return update.apply(self.root, changes)

    def keep(self, delta: TrieDelta) -> None:
        batch = WriteBatch()
        self.nodes.insert(delta, batch)
        self.store.write(batch)
        self.root = delta.root
        self.stem += 1


def draw_changes(prng: Random) -> Changes:
    """Short keys that begin alike: branches come, go, split and merge."""
    changes: Changes = {}
    for _ in range(prng.randint(0, 12)):
        key = bytes(prng.choice((0, 1, 16, 255)) for _ in range(prng.randint(1, 4)))
        size = prng.choice((None, 0, 1, 31, 32, 33, 90))
        changes[key] = None if size is None else prng.randbytes(size)
    return changes


def told(delta: TrieDelta) -> tuple[object, ...]:
    """All that a delta says, nodes by their fields."""
    nodes = [
        (node.partial, node.value, node.value_hash, node.bitmap, node.refs, node.locations)
        for node in delta.nodes
    ]
    return delta.root, delta.locations, nodes, delta.records, delta.removed


@pytest.mark.parametrize("seed", range(20))
def test_a_recipe_gives_what_the_store_would_make_itself(seed: int) -> None:
    prng, shared = Random(f"tries {seed}"), SharedTries(1_000)
    first, second = Store(first_stem=1), Store(first_stem=7_000, cached=2)
    for _ in range(60):
        changes = draw_changes(prng)
        first.keep(first.update(shared, changes))
        second.stem += prng.randint(0, 3)
        delta = second.update(shared, changes)
        assert told(delta) == told(second.update(TrieUpdate, changes))
        second.keep(delta)
        assert first.root.hash == second.root.hash
    assert len(shared.known) > 40, "most updates are simple enough to be shared"


def test_a_store_that_lacks_a_node_says_so() -> None:
    shared = SharedTries(10)
    first, second = Store(1), Store(1, cached=2)
    pairs: Changes = {bytes([number, 7]): bytes(40) for number in range(40)}
    for store in (first, second):
        store.keep(store.update(shared, pairs))
    first.keep(first.update(shared, {b"\x05\x07": b"other"}))
    gone = WriteBatch()
    for key, _ in second.store.iterate(b""):
        gone.delete(key)
    second.store.write(gone)
    with pytest.raises(StateDiscarded, match="gone"):
        second.update(shared, {b"\x05\x07": b"other"})


def test_the_oldest_recipe_gives_way() -> None:
    shared, store = SharedTries(3), Store(1)
    for number in range(5):
        store.keep(store.update(shared, {bytes([number]): b"value"}))
    assert len(shared.known) == 3
