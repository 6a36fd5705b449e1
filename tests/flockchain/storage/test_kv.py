"""Both key-value stores keep the same promises: order, atomic batches, snapshots, clear ends."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flockchain.storage.errors import StoreClosed
from flockchain.storage.gathered import GatheredStore
from flockchain.storage.kv import KeyValueStore, MemoryStore, PendingView, WriteBatch, prefix_end
from flockchain.storage.leveldb import LevelDbStore


@pytest.fixture(params=["memory", "leveldb", "gathered"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyValueStore]:
    kinds: dict[str, Callable[[], KeyValueStore]] = {
        "memory": MemoryStore,
        "leveldb": lambda: LevelDbStore(tmp_path / "db"),
        "gathered": lambda: GatheredStore(MemoryStore()),
    }
    opened = kinds[request.param]()
    yield opened
    opened.close()


def fill(store: KeyValueStore, *keys: bytes) -> None:
    batch = WriteBatch()
    for key in keys:
        batch.put(key, b"=" + key)
    store.write(batch)


def test_the_last_operation_on_a_key_counts(store: KeyValueStore) -> None:
    batch = WriteBatch()
    batch.put(b"a", b"1")
    batch.delete(b"a")
    batch.delete(b"b")
    batch.put(b"b", b"2")
    batch.put_many([(b"c", b"3"), (b"c", b"4")])
    assert len(batch) == 3
    store.write(batch, sync=False)
    assert [store.get(key) for key in (b"a", b"b", b"c", b"d")] == [None, b"2", b"4", None]


def test_walks_begin_at_start_and_stay_under_the_prefix(store: KeyValueStore) -> None:
    fill(store, b"a", b"p", b"p\x00", b"p\x01", b"p\xff", b"p\xff\xff", b"q")
    walk = lambda *args, **kwargs: [key for key, _ in store.iterate(*args, **kwargs)]
    under = [b"p", b"p\x00", b"p\x01", b"p\xff", b"p\xff\xff"]
    assert walk(b"p") == under
    assert walk(b"p", reverse=True) == under[::-1]
    assert walk(b"p", b"p\x01") == under[2:]
    assert walk(b"p", b"p\x01", reverse=True) == under[2::-1]
    assert walk(b"p", b"p\x00\x00", reverse=True) == under[1::-1]
    assert walk(b"p", b"a") == under
    assert walk(b"p", b"z", reverse=True) == under[::-1]
    assert walk(b"p", b"z") == walk(b"p", b"a", reverse=True) == []
    assert walk(b"p\xff") == under[3:]
    assert walk(b"") == [b"a", *under, b"q"]
    assert walk(b"", reverse=True) == [b"q", *under[::-1], b"a"]


def test_a_walk_sees_the_store_as_it_was(store: KeyValueStore) -> None:
    fill(store, b"a", b"b")
    walk = store.iterate(b"")
    batch = WriteBatch()
    batch.delete(b"a")
    batch.put(b"b", b"new")
    batch.put(b"c", b"new")
    store.write(batch)
    assert list(walk) == [(b"a", b"=a"), (b"b", b"=b")]


def test_a_closed_store_says_so(store: KeyValueStore) -> None:
    store.close()
    store.close()
    for use in (
        lambda: store.get(b"a"),
        lambda: store.write(WriteBatch()),
        lambda: store.iterate(b"a"),
    ):
        with pytest.raises(StoreClosed, match=r"used after close"):
            use()


def test_a_pending_view_reads_the_batch_over_the_store(store: KeyValueStore) -> None:
    fill(store, b"a", b"b", b"d")
    batch = WriteBatch()
    view = PendingView(store, batch)
    batch.delete(b"a")
    batch.put(b"b", b"new")
    batch.put(b"c", b"new")
    batch.put(b"x", b"elsewhere")
    assert [view.get(key) for key in (b"a", b"b", b"d")] == [None, b"new", b"=d"]
    assert [key for key, _ in view.iterate(b"")] == [b"b", b"c", b"d", b"x"]
    assert list(view.iterate(b"c")) == [(b"c", b"new")]


def test_a_clone_lives_its_own_life() -> None:
    store = MemoryStore()
    fill(store, b"a")
    store.close()
    copy = store.clone()
    fill(copy, b"b")
    assert [key for key, _ in copy.iterate(b"")] == [b"a", b"b"]
    assert (len(store), len(copy)) == (1, 2)


def test_prefix_end() -> None:
    assert prefix_end(b"a") == b"b"
    assert prefix_end(b"a\xff") == b"b"
    assert prefix_end(b"\xff\xff") is None
    assert prefix_end(b"") is None


small = st.binary(max_size=3).map(lambda raw: bytes((0, 1, 0xFF)[b % 3] for b in raw))


@given(
    batches=st.lists(st.dictionaries(small, st.one_of(st.none(), small), max_size=6), max_size=6),
    prefix=small,
    start=st.one_of(st.none(), small),
    reverse=st.booleans(),
)
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_memory_and_leveldb_agree_with_a_dict(
    store: KeyValueStore,
    batches: list[dict[bytes, bytes | None]],
    prefix: bytes,
    start: bytes | None,
    reverse: bool,
) -> None:
    emptying = WriteBatch()
    for key, _ in store.iterate(b""):
        emptying.delete(key)
    store.write(emptying, sync=False)
    model: dict[bytes, bytes] = {}
    for operations in batches:
        batch = WriteBatch()
        for key, value in operations.items():
            if value is None:
                batch.delete(key)
                model.pop(key, None)
            else:
                batch.put(key, value)
                model[key] = value
        store.write(batch, sync=False)
        list(store.iterate(b"\x00"))
    expected = [
        pair for pair in sorted(model.items(), reverse=reverse) if pair[0].startswith(prefix)
    ]
    if start is not None:
        expected = [(k, v) for k, v in expected if (k <= start if reverse else k >= start)]
    assert list(store.iterate(prefix, start, reverse)) == expected
