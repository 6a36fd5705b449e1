"""The state store's rules one by one: parents, conflicts, forks, pins, deltas, whole states."""

import pytest

from flockchain.storage.errors import (
    PinLimitReached,
    StateConflict,
    StateCorrupted,
    StateDiscarded,
)
from flockchain.storage.kv import MemoryStore, WriteBatch
from flockchain.storage.node_cache import NodeCache
from flockchain.storage.node_store import NODE_PREFIX
from flockchain.storage.state import StateStore
from flockchain.storage.trie_codec import EMPTY_ROOT
from flockchain.storage.trie_proof import verify_read_proof

GENESIS = bytes(31) + b"\x01"
VALUES = {bytes([i]): bytes([i]) * 40 for i in range(20)}


class Chain:
    """A state store on a memory disk, and the roots of its blocks by name."""

    def __init__(self, states_max: int | None = 2, pins_max: int = 8) -> None:
        self.disk = MemoryStore()
        self.states_max, self.pins_max = states_max, pins_max
        self.roots: dict[bytes, bytes] = {}
        self.numbers: dict[bytes, int] = {}
        self.open()
        batch = WriteBatch()
        self.roots[GENESIS] = self.states.commit(EMPTY_ROOT, VALUES, GENESIS, bytes(32), 0, batch)
        self.numbers[GENESIS] = 0
        self.states.canonicalize(GENESIS, batch)
        self.disk.write(batch)

    def open(self) -> None:
        self.states = StateStore(
            self.disk, states_max=self.states_max, cache=NodeCache(4), pins_max=self.pins_max
        )

    def add(self, name: str, parent: bytes, **changes: str | None) -> bytes:
        block_hash, batch = name.encode().rjust(32, b"."), WriteBatch()
        number = self.numbers[parent] + 1
        encoded = {k.encode(): None if v is None else v.encode() for k, v in changes.items()}
        self.roots[block_hash] = self.states.commit(
            self.roots[parent], encoded, block_hash, parent, number, batch
        )
        self.numbers[block_hash] = number
        self.disk.write(batch)
        return block_hash

    def finalize(self, block_hash: bytes) -> None:
        batch = WriteBatch()
        self.states.canonicalize(block_hash, batch)
        self.disk.write(batch)

    def grow(self, parent: bytes, names: str) -> bytes:
        for name in names:
            parent = self.add(name, parent, count=name)
            self.finalize(parent)
        return parent

    def get(self, block_hash: bytes, key: str) -> bytes | None:
        return self.states.reader(self.roots[block_hash]).get(key.encode())

    def count_nodes(self) -> int:
        return sum(1 for _ in self.disk.iterate(NODE_PREFIX))


def test_forks_read_apart_and_finality_drops_the_other() -> None:
    chain = Chain()
    left = chain.add("left", GENESIS, side="left")
    right = chain.add("right", GENESIS, side="right")
    child = chain.add("child", left, more="x")
    assert (chain.get(left, "side"), chain.get(right, "side")) == (b"left", b"right")
    chain.finalize(left)
    assert chain.get(child, "side") == b"left"
    with pytest.raises(
        StateDiscarded, match=f"^no state is kept for root 0x{chain.roots[right].hex()}$"
    ):
        chain.get(right, "side")


def test_a_value_that_goes_a_b_a_survives_pruning() -> None:
    chain = Chain()
    one = chain.add("1", GENESIS, key="a" * 50)
    two = chain.add("2", one, key="b" * 50)
    three = chain.add("3", two, key="a" * 50)
    assert chain.roots[one] == chain.roots[three]
    chain.finalize(two)
    nodes = chain.count_nodes()
    chain.finalize(three)
    last = chain.grow(three, "45")
    assert chain.count_nodes() <= nodes + 2
    assert chain.get(last, "key") == b"a" * 50


def test_a_block_without_changes_shares_its_parents_state_safely() -> None:
    chain = Chain()
    same = chain.add("same", GENESIS)
    assert chain.roots[same] == chain.roots[GENESIS]
    chain.finalize(same)
    last = chain.grow(same, "abc")
    assert chain.get(last, "\x03") == VALUES[b"\x03"]
    assert not chain.states.has_state(chain.roots[GENESIS])


def test_a_pinned_final_state_holds_pruning_back_until_it_is_unpinned() -> None:
    chain = Chain()
    chain.states.pin(chain.roots[GENESIS])
    chain.states.pin(chain.roots[GENESIS])
    last = chain.grow(GENESIS, "abcde")
    chain.states.unpin(chain.roots[GENESIS])
    last = chain.grow(last, "f")
    assert chain.get(GENESIS, "\x01") == VALUES[b"\x01"]
    chain.states.unpin(chain.roots[GENESIS])
    chain.grow(last, "g")
    assert not chain.states.has_state(chain.roots[GENESIS])
    assert sum(1 for _ in chain.disk.iterate(b"sc")) == 2


def test_a_pinned_fork_keeps_its_branch_and_what_the_branch_stands_on() -> None:
    chain = Chain()
    fork = chain.add("fork", GENESIS, side="x" * 40)
    deep = chain.add("deep", fork, deep="y" * 40)
    chain.states.pin(chain.roots[deep])
    last = GENESIS
    for name in "abcd":
        last = chain.add(name, last, **{chr(i): name * 50 for i in range(20)})
        chain.finalize(last)
    reader = chain.states.reader(chain.roots[deep])
    assert dict(reader.pairs()) == {**VALUES, b"side": b"x" * 40, b"deep": b"y" * 40}
    chain.states.unpin(chain.roots[deep])
    chain.grow(last, "e")
    assert not chain.states.has_state(chain.roots[deep])
    assert not chain.states.has_state(chain.roots[fork])
    assert sum(1 for _ in chain.disk.iterate(b"sf")) == 0


def test_pins_are_gone_after_a_restart_and_the_next_finality_cleans_up() -> None:
    chain = Chain()
    fork = chain.add("fork", GENESIS, side="x")
    chain.states.pin(chain.roots[fork])
    last = chain.grow(GENESIS, "abc")
    assert chain.states.has_state(chain.roots[fork])
    chain.open()
    chain.grow(last, "d")
    assert not chain.states.has_state(chain.roots[fork])


def test_an_archive_keeps_every_final_state() -> None:
    chain = Chain(states_max=None)
    last = chain.grow(GENESIS, "abcdef")
    assert chain.get(GENESIS, "count") is None
    assert chain.get(last, "count") == b"f"
    chain.states_max = 2
    chain.open()
    chain.grow(last, "g")
    assert sum(1 for _ in chain.disk.iterate(b"sc")) == 2


def test_a_delta_is_committed_without_being_computed_again() -> None:
    chain = Chain()
    root, delta = chain.states.compute_root(chain.roots[GENESIS], {b"k": b"v" * 40})
    batch = WriteBatch()
    assert chain.states.commit_delta(delta, b"n" * 32, GENESIS, 1, batch) == root
    chain.disk.write(batch)
    assert chain.states.reader(root).get(b"k") == b"v" * 40


def test_one_delta_under_two_blocks_gives_each_its_own_nodes() -> None:
    chain = Chain()
    root, delta = chain.states.compute_root(chain.roots[GENESIS], {b"k": b"v" * 40})
    for block_hash in (b"1" * 32, b"2" * 32):
        batch = WriteBatch()
        assert chain.states.commit_delta(delta, block_hash, GENESIS, 1, batch) == root
        chain.disk.write(batch)
    chain.finalize(b"2" * 32)
    assert dict(chain.states.reader(root).pairs()) == {**VALUES, b"k": b"v" * 40}


def test_a_delta_computed_on_a_siblings_equal_state_does_not_lean_on_it() -> None:
    chain = Chain()
    left = chain.add("left", GENESIS, same="s" * 40)
    right = chain.add("right", GENESIS, same="s" * 40)
    root, delta = chain.states.compute_root(chain.roots[left], {b"k": b"v" * 40})
    batch = WriteBatch()
    chain.states.commit_delta(delta, b"n" * 32, right, 2, batch)
    chain.disk.write(batch)
    chain.finalize(right)
    assert dict(chain.states.reader(root).pairs()) == {
        **VALUES,
        b"same": b"s" * 40,
        b"k": b"v" * 40,
    }


def test_blocks_can_be_committed_and_made_final_in_one_batch() -> None:
    chain, batch = Chain(), WriteBatch()
    first = chain.states.commit(
        chain.roots[GENESIS], {b"k": b"v" * 40}, b"1" * 32, GENESIS, 1, batch
    )
    second = chain.states.commit(first, {b"l": b"w" * 40}, b"2" * 32, b"1" * 32, 2, batch)
    chain.states.canonicalize(b"2" * 32, batch)
    chain.disk.write(batch)
    assert chain.states.last_final() == (2, b"2" * 32)
    assert chain.states.reader(second).get(b"k") == b"v" * 40


def test_a_synced_state_replaces_all_that_was_there() -> None:
    chain, batch = Chain(), WriteBatch()
    chain.add("fork", GENESIS, side="x")
    root = chain.states.commit(EMPTY_ROOT, {b"k": b"v" * 40}, b"s" * 32, b"?" * 32, 900, batch)
    chain.states.canonicalize(b"s" * 32, batch)
    chain.disk.write(batch)
    chain.roots[b"s" * 32], chain.numbers[b"s" * 32] = root, 900
    chain.grow(b"s" * 32, "ab")
    assert not chain.states.has_state(chain.roots[GENESIS])
    assert dict(chain.states.reader(chain.roots[b"b".rjust(32, b".")]).pairs()) == {
        b"k": b"v" * 40,
        b"count": b"b",
    }
    assert chain.count_nodes() <= 6


def test_a_proof_from_a_reader_verifies() -> None:
    chain = Chain()
    reader = chain.states.reader(chain.roots[GENESIS])
    asked = [b"\x03", b"nothing here"]
    proof = reader.read_proof(asked)
    assert VALUES[b"\x03"] in proof
    assert verify_read_proof(reader.root, proof, asked) == {
        b"\x03": VALUES[b"\x03"],
        b"nothing here": None,
    }


def test_blocks_that_do_not_fit_are_refused() -> None:
    chain = Chain()
    one = chain.add("1", GENESIS, a="b")
    root, batch = chain.roots[one], WriteBatch()
    with pytest.raises(StateConflict, match=f"^block 1 0x{one.hex()} has a state already$"):
        chain.add("1", GENESIS, a="b")
    with pytest.raises(StateConflict, match=r"^block 5 has a parent with number 1$"):
        chain.states.commit(root, {}, b"x" * 32, one, 5, batch)
    with pytest.raises(StateDiscarded, match=f"^no state 0x{root.hex()} is kept for block 0x78"):
        chain.states.commit(root, {}, b"y" * 32, b"x" * 32, 3, batch)
    chain.finalize(one)
    with pytest.raises(StateConflict, match=r"^block 1 is not above final block 1$"):
        chain.add("late", GENESIS, a="c")
    with pytest.raises(StateConflict, match=r"is no state above final block 1$"):
        chain.states.canonicalize(b"z" * 32, batch)
    chain.finalize(one)
    assert len(batch) == 0


def test_pins_are_limited_and_need_a_state() -> None:
    chain = Chain(pins_max=1)
    one = chain.add("1", GENESIS, a="b")
    chain.states.pin(chain.roots[one])
    with pytest.raises(PinLimitReached, match=r"^1 states are pinned, the most allowed$"):
        chain.states.pin(chain.roots[GENESIS])
    with pytest.raises(StateDiscarded):
        chain.states.pin(bytes(32))


def test_a_damaged_node_is_corruption_and_not_a_pruned_state() -> None:
    for is_missing in (True, False):
        chain, batch = Chain(), WriteBatch()
        for key, record in chain.disk.iterate(NODE_PREFIX):
            if is_missing:
                batch.delete(key)
            else:
                batch.put(key, record[:-1] + bytes([record[-1] ^ 1]))
        chain.disk.write(batch)
        chain.open()
        with pytest.raises(StateCorrupted):
            chain.get(GENESIS, "\x03")


def test_the_newest_final_state_cannot_be_configured_away() -> None:
    with pytest.raises(ValueError, match=r"^states_max is 0, the newest final state must be kept$"):
        StateStore(MemoryStore(), states_max=0)
