"""Values of the newest states at hand: bounded, and each state's own."""

from __future__ import annotations

from flockchain.storage.kv import MemoryStore, WriteBatch
from flockchain.storage.state import StateStore
from flockchain.storage.trie_codec import EMPTY_ROOT
from flockchain.storage.value_cache import (
    ENTRIES_MAX,
    ITEM_BYTES,
    ROOTS_MAX,
    VALUE_BYTES_MAX,
    ValueCache,
)

A, B, C = b"\x0a" * 32, b"\x0b" * 32, b"\x0c" * 32


def test_a_block_inherits_and_changes_and_leaves_its_parent() -> None:
    cache = ValueCache()
    values = cache.of(A)
    values.remember(b"kept", b"1")
    values.remember(b"changed", b"1")
    values.remember(b"absent", None)
    cache.derive(A, B, {b"changed": b"2", b"new": b"3", b"gone": None})
    assert cache.of(B).by_key == {
        b"kept": b"1",
        b"changed": b"2",
        b"absent": None,
        b"new": b"3",
        b"gone": None,
    }
    assert cache.of(A) is values
    assert values.by_key == {b"changed": b"1"}
    values.remember(b"kept", b"1")
    cache.derive(A, C, {b"new": b"4"})
    assert cache.of(C).by_key == {b"kept": b"1", b"changed": b"1", b"new": b"4"}
    assert cache.of(B).by_key[b"new"] == b"3"


def test_a_root_that_is_read_again_stays() -> None:
    cache = ValueCache()
    cache.of(A).remember(b"key", b"value")
    for number in range(2 * ROOTS_MAX):
        cache.of(bytes([number]) * 32)
        assert cache.of(A).by_key == {b"key": b"value"}


def test_nothing_is_inherited_from_a_root_that_nobody_read() -> None:
    cache = ValueCache()
    cache.derive(A, B, {b"key": b"value"})
    assert cache.of(B).by_key == {}


def test_only_what_is_known_to_be_there_is_left_out() -> None:
    cache = ValueCache()
    changes = {b"same": b"1", b"other": b"1", b"gone": None, b"unread": b"1", b"unread too": None}
    assert cache.leave_out_same(A, changes) == changes
    values = cache.of(A)
    for key, value in ((b"same", b"1"), (b"other", b"0"), (b"gone", None)):
        values.remember(key, value)
    real = {b"other": b"1", b"unread": b"1", b"unread too": None}
    assert cache.leave_out_same(A, changes) == real
    assert len(changes) == 5


def test_what_a_block_writes_again_changes_no_root() -> None:
    roots = []
    for is_read in (False, True):
        store = MemoryStore()
        states, batch = StateStore(store), WriteBatch()
        root = states.commit(EMPTY_ROOT, {b"a": b"1", b"b": b"1"}, A, bytes(32), 0, batch)
        store.write(batch)
        if is_read:
            assert [states.reader(root).get(key) for key in (b"a", b"b", b"c")] == [
                b"1",
                b"1",
                None,
            ]
        changed, delta = states.compute_root(root, {b"a": b"1", b"b": b"2", b"c": None})
        assert delta.changes == {b"a": b"1", b"b": b"2", b"c": None}
        roots.append(changed)
        same, delta = states.compute_root(root, {b"a": b"1", b"c": None})
        assert (same, delta.trie.records, delta.trie.removed) == (root, [], [])
    assert roots[0] == roots[1]


def test_entries_values_and_roots_are_bounded() -> None:
    cache = ValueCache()
    values = cache.of(A)
    for number in range(ENTRIES_MAX + 1):
        values.remember(number.to_bytes(4, "big"), b"")
    assert len(values.by_key) == ENTRIES_MAX
    cache.derive(A, B, {b"key": b"value"})
    assert cache.of(B).by_key == {b"key": b"value"}
    cache.derive(B, C, {b"key": bytes(VALUE_BYTES_MAX + 1)})
    assert cache.of(C).by_key == {}
    for number in range(ROOTS_MAX):
        cache.of(bytes([number]) * 32)
    assert cache.of(A).by_key == {}


def test_two_forks_read_their_own_values() -> None:
    store = MemoryStore()
    states, batch = StateStore(store), WriteBatch()
    root = states.commit(EMPTY_ROOT, {b"key": b"genesis"}, A, bytes(32), 0, batch)
    states.canonicalize(A, batch)
    store.write(batch)
    reader = states.reader(root)
    assert reader.get(b"key") == b"genesis"
    roots = []
    for block, value in ((B, b"left"), (C, b"right")):
        batch = WriteBatch()
        roots.append(states.commit(root, {b"key": value}, block, A, 1, batch))
        store.write(batch)
    assert [states.reader(one).get(b"key") for one in roots] == [b"left", b"right"]
    assert reader.get(b"key") == b"genesis"


def test_where_a_state_has_no_key_of_an_item_nobody_looks_twice() -> None:
    item, other = b"\x01" * ITEM_BYTES, b"\x01" * (ITEM_BYTES - 1) + b"\x02"
    store = MemoryStore()
    states, batch = StateStore(store), WriteBatch()
    pairs = {other + b"key": b"1", b"\x02" * ITEM_BYTES + b"one": b"2"}
    root = states.commit(EMPTY_ROOT, pairs, A, bytes(32), 0, batch)
    states.canonicalize(A, batch)
    store.write(batch)
    reader = states.reader(root)
    assert reader.get(item + b"key") is None
    assert states._values.of(root).empty_items == {item}
    assert reader.get(item + b"another") is None
    assert list(reader.pairs(item)) == list(reader.pairs(item + b"key")) == []
    assert list(reader.pairs(other)) == [(other + b"key", b"1")]
    assert reader.get(other + b"another") is None
    assert states._values.of(root).empty_items == {item}
    roots = []
    for block, changes in ((B, {item + b"key": b"3"}), (C, {item + b"key": None, b"x": b"4"})):
        batch = WriteBatch()
        roots.append(states.commit(root, changes, block, A, 1, batch))
        store.write(batch)
    assert [states.reader(one).get(item + b"key") for one in roots] == [b"3", None]
    assert list(states.reader(roots[0]).pairs(item)) == [(item + b"key", b"3")]
    assert list(reader.pairs(item)) == []


def test_what_is_known_to_be_empty_is_bounded() -> None:
    values = ValueCache().of(A)
    for number in range(2_000):
        values.remember_empty(number.to_bytes(ITEM_BYTES, "big"))
    assert len(values.empty_items) == 1_024
