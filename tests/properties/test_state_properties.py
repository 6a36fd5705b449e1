"""The state store against a plain model: forks, finality, pruning, pins, dropped batches, restarts.

The model is a dict of every block's pairs. After each step every state that must be kept is read
in full, and the store may hold no node that no kept state reaches.
"""

from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flockchain.storage.errors import StateDiscarded
from flockchain.storage.kv import MemoryStore, PendingView, WriteBatch
from flockchain.storage.node_cache import NodeCache
from flockchain.storage.node_store import NODE_PREFIX, NodeStore
from flockchain.storage.state import StateStore
from flockchain.storage.state_records import ROOT_PREFIX, decode_block_state
from flockchain.storage.trie_codec import EMPTY_ROOT
from tests.flockchain.storage.naive_trie import naive_root

STATES_MAX = 3
keys = st.binary(max_size=3).map(lambda raw: bytes((0, 1, 0x10)[b % 3] for b in raw))
values = st.sampled_from([b"a", b"b", b"c" * 33, b"d" * 33])
changes = st.dictionaries(keys, st.one_of(st.none(), values), max_size=5)


@dataclass
class Block:
    number: int
    block_hash: bytes
    parent: "Block | None"
    pairs: dict[bytes, bytes]
    root: bytes = field(default=EMPTY_ROOT)


class StateModel(RuleBasedStateMachine):
    """Random blocks on random parents, finality along random branches."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = MemoryStore()
        self.final: list[Block] = []
        self.forks: list[Block] = []
        self.held: list[Block] = []
        self.pinned: list[bytes] = []
        self.blocks_made = 0

    @initialize(pairs=st.dictionaries(keys, values, max_size=8))
    def begin(self, pairs: dict[bytes, bytes]) -> None:
        self.open()
        block = self.new_block(None, pairs)
        batch = WriteBatch()
        block.root = self.states.commit(
            EMPTY_ROOT, pairs, block.block_hash, bytes(32), block.number, batch
        )
        self.states.canonicalize(block.block_hash, batch)
        self.disk.write(batch)
        self.final = [block]

    @rule(pick=st.integers(0, 99), change=changes, is_precomputed=st.booleans())
    def commit(self, pick: int, change: dict[bytes, bytes | None], is_precomputed: bool) -> None:
        block, batch = self.prepare(pick, change, is_precomputed)
        self.disk.write(batch)
        self.forks.append(block)

    @rule(pick=st.integers(0, 99), change=changes)
    def commit_and_drop_the_batch(self, pick: int, change: dict[bytes, bytes | None]) -> None:
        self.prepare(pick, change, is_precomputed=False)

    @rule(pick=st.integers(0, 99), change=changes)
    def commit_one_delta_twice(self, pick: int, change: dict[bytes, bytes | None]) -> None:
        parent = self.parents()[pick % len(self.parents())]
        root, delta = self.states.compute_root(parent.root, change)
        for _ in range(2):
            block = self.new_block(parent, applied(parent.pairs, change))
            batch = WriteBatch()
            block.root = self.states.commit_delta(
                delta, block.block_hash, parent.block_hash, block.number, batch
            )
            assert block.root == root
            self.disk.write(batch)
            self.forks.append(block)

    @rule(pick=st.integers(0, 99), is_dropped=st.booleans())
    def finalize(self, pick: int, is_dropped: bool) -> None:
        if not self.forks:
            return
        target = self.forks[pick % len(self.forks)]
        batch = WriteBatch()
        self.states.canonicalize(target.block_hash, batch)
        if is_dropped:
            return
        self.disk.write(batch)
        path, block = [target], target.parent
        while block is not None and block is not self.final[-1]:
            path.append(block)
            block = block.parent
        self.final += reversed(path)
        alive = [b for b in self.forks if b not in path and target in ancestors(b)]
        dead = [b for b in self.forks if b not in path and b not in alive] + self.held
        wanted = {id(a) for b in dead if b.root in self.pinned for a in (b, *ancestors(b))}
        self.forks, self.held = alive, [b for b in dead if id(b) in wanted]
        floor = min((b.number - 1 for b in self.held), default=10**9)
        while (
            self.final[0].number <= self.final[-1].number - STATES_MAX
            and self.final[0].root not in self.pinned
            and self.final[0].number < floor
        ):
            self.final.pop(0)

    @rule(pick=st.integers(0, 99))
    def pin(self, pick: int) -> None:
        blocks = self.final + self.forks + self.held
        root = blocks[pick % len(blocks)].root
        if root == EMPTY_ROOT:
            return
        self.states.pin(root)
        self.pinned.append(root)

    @rule(pick=st.integers(0, 99))
    def unpin(self, pick: int) -> None:
        if self.pinned:
            self.states.unpin(self.pinned.pop(pick % len(self.pinned)))

    @rule()
    def crash(self) -> None:
        """Only what was written is there after a restart; pins are gone."""
        self.disk = self.disk.clone()
        self.pinned = []
        self.open()

    @invariant()
    def every_kept_state_reads_in_full(self) -> None:
        for block in self.final + self.forks + self.held:
            assert block.root == naive_root(block.pairs, 1)
            reader = self.states.reader(block.root)
            assert list(reader.pairs()) == sorted(block.pairs.items())

    @invariant()
    def no_node_is_left_that_no_state_reaches(self) -> None:
        view = PendingView(self.disk, WriteBatch())
        nodes = NodeStore(view, NodeCache(4), lambda at: AssertionError(f"missing {at.hex()}"))
        reached: set[bytes] = set()
        kept = set()
        for key, record in self.disk.iterate(ROOT_PREFIX):
            state = decode_block_state(key, record)
            kept.add(state.block_hash)
            reached.update(nodes.reachable(state.root))
        blocks = self.final + self.forks + self.held
        assert kept == {block.block_hash for block in blocks}
        stored = {key[len(NODE_PREFIX) :] for key, _ in self.disk.iterate(NODE_PREFIX)}
        assert stored == reached

    def open(self) -> None:
        self.states = StateStore(self.disk, states_max=STATES_MAX, cache=NodeCache(8))

    def parents(self) -> list[Block]:
        return [self.final[-1], *self.forks]

    def new_block(self, parent: Block | None, pairs: dict[bytes, bytes]) -> Block:
        self.blocks_made += 1
        number = 0 if parent is None else parent.number + 1
        return Block(number, self.blocks_made.to_bytes(32, "big"), parent, pairs)

    def prepare(
        self, pick: int, change: dict[bytes, bytes | None], is_precomputed: bool
    ) -> tuple[Block, WriteBatch]:
        parent = self.parents()[pick % len(self.parents())]
        block = self.new_block(parent, applied(parent.pairs, change))
        batch = WriteBatch()
        if is_precomputed:
            _, delta = self.states.compute_root(parent.root, change)
            block.root = self.states.commit_delta(
                delta, block.block_hash, parent.block_hash, block.number, batch
            )
        else:
            block.root = self.states.commit(
                parent.root, change, block.block_hash, parent.block_hash, block.number, batch
            )
        return block, batch


def applied(pairs: dict[bytes, bytes], change: dict[bytes, bytes | None]) -> dict[bytes, bytes]:
    merged = {**pairs, **change}
    return {key: value for key, value in merged.items() if value is not None}


def ancestors(block: Block) -> list[Block]:
    found = []
    while block.parent is not None:
        block = block.parent
        found.append(block)
    return found


StateModel.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestStateModel = StateModel.TestCase


def test_a_pruned_state_is_named_and_never_wrong() -> None:
    disk = MemoryStore()
    states = StateStore(disk, states_max=2, cache=NodeCache(2, retired_bytes_max=0))
    parent, parent_hash, roots = EMPTY_ROOT, bytes(32), []
    for number in range(6):
        batch, block_hash = WriteBatch(), bytes([number + 1]) * 32
        parent = states.commit(
            parent, {b"key": bytes([number]) * 40}, block_hash, parent_hash, number, batch
        )
        states.canonicalize(block_hash, batch)
        disk.write(batch)
        parent_hash = block_hash
        roots.append((parent, states.reader(parent)))
    for number, (root, reader) in enumerate(roots):
        if number >= 4:
            assert reader.get(b"key") == bytes([number]) * 40
            continue
        with pytest.raises(StateDiscarded, match="no state is kept for root"):
            states.reader(root)
        with pytest.raises(StateDiscarded, match="was discarded while it was read"):
            list(reader.keys())
        with suppress(StateDiscarded):  # a value that is still at hand is right
            assert reader.get(b"key") == bytes([number]) * 40
