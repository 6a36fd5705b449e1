"""Trie nodes at hand: what stays reachable stays, what is replaced or lost takes little room."""

from __future__ import annotations

from flockchain.storage.kv import MemoryStore, WriteBatch
from flockchain.storage.node_cache import NodeCache
from flockchain.storage.node_store import NODE_PREFIX
from flockchain.storage.state import StateStore
from flockchain.storage.trie_codec import EMPTY_ROOT, TrieNode

GENESIS = b"g" * 32
ACCOUNTS = {bytes([i]) * 8: bytes([i]) * 80 for i in range(64)}
LEAF_BYTES = 400 + 3 * (32 + 80)  # as the cache counts a leaf with a value of 80 bytes


class CountingStore(MemoryStore):
    """Counts the trie nodes that are read from it."""

    nodes_read = 0

    def get(self, key: bytes) -> bytes | None:
        self.nodes_read += key.startswith(NODE_PREFIX)
        return super().get(key)


class Chain:
    """A chain of states of 64 accounts; each block changes some of them."""

    def __init__(self, cache: NodeCache) -> None:
        self.disk, self.cache = CountingStore(), cache
        self.states = StateStore(self.disk, states_max=2, cache=cache)
        self.roots = {GENESIS: EMPTY_ROOT}
        batch = WriteBatch()
        self.roots[GENESIS] = self.states.commit(EMPTY_ROOT, ACCOUNTS, GENESIS, bytes(32), 0, batch)
        self.states.canonicalize(GENESIS, batch)
        self.disk.write(batch)

    def add(self, block: bytes, parent: bytes, number: int, accounts: int = 16) -> bytes:
        batch, value = WriteBatch(), block[:8].ljust(80, b".")
        changes = dict.fromkeys(list(ACCOUNTS)[:accounts], value)
        self.roots[block] = self.states.commit(
            self.roots[parent], changes, block, parent, number, batch
        )
        self.disk.write(batch)
        return block

    def finalize(self, block: bytes) -> None:
        batch = WriteBatch()
        self.states.canonicalize(block, batch)
        self.disk.write(batch)

    def read_all(self, block: bytes) -> int:
        """How many nodes come from the disk when all accounts are read."""
        before, reader = self.disk.nodes_read, self.states.reader(self.roots[block])
        assert all(reader.get(key) is not None for key in ACCOUNTS)
        return self.disk.nodes_read - before


def name(number: int, branch: str = "a") -> bytes:
    return f"{number:07}{branch}".encode().ljust(32, b".")


def leaf() -> TrieNode:
    return TrieNode("", b"v" * 80, None)


def test_a_long_chain_holds_one_state_and_a_little() -> None:
    room = 100 * LEAF_BYTES
    chain = Chain(NodeCache(retired_bytes_max=room))
    one_state = len(chain.cache)
    parent = GENESIS
    for number in range(1, 200):
        parent = chain.add(name(number), parent, number)
        chain.finalize(parent)
        assert len(chain.cache) <= one_state + 100
    assert len(chain.cache.young) <= one_state
    assert chain.read_all(parent) == 0


def test_lost_forks_leave_the_young_generation() -> None:
    chain = Chain(NodeCache(retired_bytes_max=0))
    one_state = len(chain.cache.young)
    parent = GENESIS
    for number in range(1, 50):
        lost = chain.add(name(number, "b"), parent, number, accounts=20)
        parent = chain.add(name(number), parent, number)
        assert lost != parent
        chain.finalize(parent)
        assert len(chain.cache.young) <= one_state + 20
    # What the lost blocks alone replaced is still the chain's, and comes back by being read.
    assert 0 < chain.read_all(parent) < 20
    assert chain.read_all(parent) == 0


def test_a_sibling_finds_what_the_first_child_replaced() -> None:
    chain = Chain(NodeCache())
    parent = chain.add(name(1), GENESIS, 1)
    chain.add(name(2), parent, 2)
    before = chain.disk.nodes_read
    chain.add(name(2, "b"), parent, 2)
    assert chain.disk.nodes_read == before
    assert chain.read_all(parent) == 0


def test_replacing_nodes_does_not_push_out_those_that_stay() -> None:
    cache = NodeCache(size_bytes_max=2 * 4 * LEAF_BYTES, retired_bytes_max=2 * LEAF_BYTES)
    cache.add_many([b"stays"], [leaf()])
    for round_number in range(1_000):
        location = b"%d" % round_number
        cache.add_many([location], [leaf()])
        cache.retire([location])
    assert list(cache.young) == [b"stays"]
    assert len(cache) <= 1 + 2 * 2


def test_a_full_young_generation_grows_old_and_what_is_used_is_young_again() -> None:
    cache = NodeCache(nodes_max=8)
    used = leaf()
    cache.add_many([b"used"], [used])
    for place in range(4):
        cache.add_many([b"%d" % place], [leaf()])
    assert not cache.young
    assert cache.find_old(b"used") is used
    assert list(cache.young) == [b"used"]
    for place in range(5, 9):
        cache.add_many([b"%d" % place], [leaf()])
    assert cache.find_old(b"0") is None
    assert cache.find_old(b"used") is used


def test_a_node_of_the_old_generation_can_be_retired() -> None:
    cache = NodeCache(nodes_max=2, retired_bytes_max=2 * LEAF_BYTES)
    first = leaf()
    cache.add_many([b"1", b"2"], [first, leaf()])
    cache.retire([b"1", b"unknown"])
    assert cache.find_old(b"1") is first
    assert not cache.young
    cache.retire([b"2"])
    assert len(cache) == 2
