"""A node that dies while it writes: whatever is left of the log, every state in it is whole."""

import shutil
from pathlib import Path

from flockchain.storage.kv import KeyValueStore, PendingView, WriteBatch
from flockchain.storage.leveldb import LevelDbStore
from flockchain.storage.node_cache import NodeCache
from flockchain.storage.node_store import NODE_PREFIX, NodeStore
from flockchain.storage.state import StateStore
from flockchain.storage.state_records import ROOT_PREFIX, decode_block_state
from flockchain.storage.trie_codec import EMPTY_ROOT

BLOCKS = 12


def hash_of(number: int, side: int = 0) -> bytes:
    return bytes([side]) * 28 + number.to_bytes(4, "big")


def grow(store: KeyValueStore, numbers: range) -> None:
    """One batch a block: two rivals at each height, and the block two below made final."""
    states = StateStore(store, states_max=3, cache=NodeCache(64))
    for number in numbers:
        batch = WriteBatch()
        parent = EMPTY_ROOT
        if number:
            view = PendingView(store, batch)
            rows = [decode_block_state(*row) for row in view.iterate(ROOT_PREFIX)]
            wanted = hash_of(number - 1)
            parent = next(row.root.hash for row in rows if row.block_hash == wanted)
        for side in range(2 if number else 1):
            changes = {bytes([n % 7, side]): bytes([n]) * 40 for n in range(number + 3)}
            states.commit(
                parent,
                changes,
                hash_of(number, side),
                hash_of(number - 1) if number else bytes(32),
                number,
                batch,
            )
        if number in (0, 1):
            states.canonicalize(hash_of(0), batch)
        else:
            states.canonicalize(hash_of(number - 2), batch)
        store.write(batch)


def check(store: KeyValueStore) -> int:
    """Every state reads, no node is lost or left over; returns how many blocks are there."""
    view = PendingView(store, WriteBatch())
    nodes = NodeStore(view, NodeCache(64), lambda at: AssertionError(f"no node {at.hex()}"))
    rows = [decode_block_state(*row) for row in store.iterate(ROOT_PREFIX)]
    reached = {at for row in rows for at in nodes.reachable(row.root)}
    assert reached == {key[len(NODE_PREFIX) :] for key, _ in store.iterate(NODE_PREFIX)}
    return max((row.number + 1 for row in rows), default=0)


def test_a_log_cut_anywhere_leaves_whole_blocks_that_can_be_built_upon(tmp_path: Path) -> None:
    source = tmp_path / "source"
    store = LevelDbStore(source)
    grow(store, range(BLOCKS))
    assert check(store) == BLOCKS
    store.close()
    (log,) = source.glob("*.log")
    content = log.read_bytes()
    heights = set()
    for size in range(0, len(content), 997):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(source, copy)
        (copy / log.name).write_bytes(content[:size])
        store = LevelDbStore(copy)
        height = check(store)
        heights.add(height)
        grow(store, range(height, BLOCKS))
        assert check(store) == BLOCKS
        store.close()
    assert len(heights) > BLOCKS // 2
