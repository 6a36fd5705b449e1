"""A state that comes node by node: whole, resumed, and past every kind of lie."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from flockchain.storage.errors import ProofError, StateConflict, StoreCorrupted
from flockchain.storage.kv import MemoryStore, WriteBatch
from flockchain.storage.node_store import NODE_PREFIX
from flockchain.storage.state import StateStore
from flockchain.storage.state_reader import StateReader
from flockchain.storage.trie_codec import EMPTY_ROOT
from flockchain.storage.trie_download import TrieDownload, drop_nodes

BLOCK, PARENT = b"\x01" * 32, b"\x02" * 32


def source_of(pairs: dict[bytes, bytes]) -> StateReader:
    store = MemoryStore()
    states, batch = StateStore(store), WriteBatch()
    root = states.commit(EMPTY_ROOT, pairs, BLOCK, PARENT, 5, batch)
    states.canonicalize(BLOCK, batch)
    store.write(batch)
    return states.reader(root)


def random_pairs(count: int, seed: int = 1) -> dict[bytes, bytes]:
    prng = Random(seed)
    return {
        prng.randbytes(prng.choice((1, 2, 16, 40))): prng.randbytes(
            prng.choice((0, 3, 32, 33, 300))
        )
        for _ in range(count)
    }


def answer(source: StateReader, after: str | None, nodes_max: int) -> list[bytes]:
    entries: list[bytes] = []
    for count, (encoded, value) in enumerate(source.nodes(after)):
        if count == nodes_max:
            break
        entries += [encoded] if value is None else [encoded, value]
    return entries


def download(source: StateReader, store: MemoryStore, nodes_max: int) -> TrieDownload:
    """As a node does it that is restarted after each answer."""
    record = TrieDownload(source.root).encode()
    while True:
        walk, batch = TrieDownload.resume(source.root, record), WriteBatch()
        states = StateStore(store)
        walk.take(answer(source, walk.cursor, nodes_max), states.take_stem(batch), batch)
        store.write(batch)
        if walk.root is not None:
            return walk
        record = walk.encode()


@pytest.mark.parametrize("nodes_max", [1, 7, 10_000])
@pytest.mark.parametrize("count", [1, 2, 40, 400])
def test_a_state_arrives_whole_over_restarts(count: int, nodes_max: int) -> None:
    pairs = random_pairs(count)
    source, store = source_of(pairs), MemoryStore()
    root = download(source, store, nodes_max).root
    assert root is not None
    states, batch = StateStore(store), WriteBatch()
    states.adopt(root, BLOCK, PARENT, 5, batch)
    store.write(batch)
    assert states.last_final() == (5, BLOCK)
    assert dict(states.reader(source.root).pairs()) == pairs


def test_what_was_adopted_can_be_built_upon_and_is_pruned() -> None:
    pairs = random_pairs(100)
    source, store = source_of(pairs), MemoryStore()
    states, batch = StateStore(store, states_max=1), WriteBatch()
    genesis = states.commit(EMPTY_ROOT, {b"old": b"state" * 20}, b"\x09" * 32, bytes(32), 0, batch)
    states.canonicalize(b"\x09" * 32, batch)
    store.write(batch)
    root = download(source, store, 9).root
    assert root is not None
    states, batch = StateStore(store, states_max=1), WriteBatch()
    states.adopt(root, BLOCK, PARENT, 5, batch)
    store.write(batch)
    assert not states.has_state(genesis)
    batch = WriteBatch()
    key = min(pairs)
    new = states.commit(root.hash, {key: b"new"}, b"\x03" * 32, BLOCK, 6, batch)
    states.canonicalize(b"\x03" * 32, batch)
    store.write(batch)
    assert dict(states.reader(new).pairs()) == {**pairs, key: b"new"}
    assert not states.has_state(root.hash)
    reachable = {
        NODE_PREFIX + at for at in states._nodes(store, new).reachable(states._get_root(new))
    }
    assert {at for at, _ in store.iterate(NODE_PREFIX)} == reachable


def test_only_a_higher_block_is_adopted() -> None:
    source, store = source_of({b"a": b"b"}), MemoryStore()
    root = download(source, store, 9).root
    assert root is not None
    states, batch = StateStore(store), WriteBatch()
    states.adopt(root, BLOCK, PARENT, 5, batch)
    store.write(batch)
    with pytest.raises(StateConflict, match="block 5 is not above final block 5"):
        states.adopt(root, b"\x03" * 32, PARENT, 5, WriteBatch())


def test_the_empty_state_is_whole_at_once() -> None:
    assert TrieDownload(EMPTY_ROOT).root is not None


LIES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "nothing": (lambda entries: [], "no node where some are missing"),
    "another root": (lambda entries: entries[1:], "does not hash to its name"),
    "a node left out": (lambda entries: entries[:3] + entries[4:], "does not hash to"),
    "a bit turned": (
        lambda entries: [*entries[:5], bytes([entries[5][0] ^ 1]) + entries[5][1:], *entries[6:]],
        "does not hash to",
    ),
    "endless": (lambda entries: [*entries, entries[-1]], "goes on behind the last node"),
    "a value left out": (
        lambda entries: [one for one in entries if len(one) != 300],
        "does not hash to",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found_and_what_was_checked_before_stays(lie: str) -> None:
    make, message = LIES[lie]
    source, store = source_of(random_pairs(200)), MemoryStore()
    walk, batch = TrieDownload(source.root), WriteBatch()
    with pytest.raises(ProofError, match=message):
        walk.take(make(answer(source, None, 10_000)), b"\x00\x00\x00\x00\x07", batch)
    assert download(source, store, 50).root is not None


def test_a_given_up_download_leaves_nothing() -> None:
    source, store = source_of(random_pairs(300)), MemoryStore()
    states, batch = StateStore(store), WriteBatch()
    first = states.take_stem(batch)
    walk = TrieDownload(source.root)
    walk.take(answer(source, None, 100), first, batch)
    store.write(batch)
    assert list(store.iterate(NODE_PREFIX))
    drop_nodes(store, first, states.take_stem(WriteBatch()))
    assert not list(store.iterate(NODE_PREFIX))


def test_a_damaged_record_is_named() -> None:
    with pytest.raises(StoreCorrupted, match="the record of a state on its way is damaged"):
        TrieDownload.resume(b"\x01" * 32, b"\x04")
