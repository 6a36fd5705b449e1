"""What waits for the disk: read at once, written as one batch in order, lost from its end only."""

from __future__ import annotations

import pytest

from flockchain.storage import gathered
from flockchain.storage.errors import StorageError
from flockchain.storage.gathered import GatheredStore
from flockchain.storage.kv import MemoryStore, WriteBatch


class Disk(MemoryStore):
    """Counts its writes; the next one fails if it is full."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[dict[bytes, bytes | None]] = []
        self.is_full = False

    def write(self, batch: WriteBatch, sync: bool = True) -> None:
        assert sync, "nothing is left to the disk's own mercy"
        if self.is_full:
            raise StorageError("no space")
        self.writes.append(dict(batch.operations))
        super().write(batch)


def put(store: GatheredStore, key: bytes, value: bytes | None, *, sync: bool = False) -> None:
    batch = WriteBatch()
    if value is None:
        batch.delete(key)
    else:
        batch.put(key, value)
    store.write(batch, sync)


def test_a_synced_write_takes_along_what_waits() -> None:
    disk = Disk()
    store = GatheredStore(disk)
    put(store, b"a", b"1")
    put(store, b"a", b"2")
    put(store, b"b", b"3")
    assert (disk.writes, store.get(b"a")) == ([], b"2")
    put(store, b"b", None, sync=True)
    assert disk.writes == [{b"a": b"2", b"b": None}]
    put(store, b"c", b"4", sync=True)
    assert disk.writes[1:] == [{b"c": b"4"}], "nothing waits: straight to the disk"


def test_what_waits_hides_what_is_stored() -> None:
    store = GatheredStore(Disk())
    put(store, b"a", b"1", sync=True)
    put(store, b"a", None)
    assert store.get(b"a") is None
    assert list(store.iterate(b"")) == []
    store.flush()
    assert store.get(b"a") is None


@pytest.mark.parametrize(("count", "size"), [(3, 10), (100, 1)], ids=["bytes", "writes"])
def test_so_much_waits_and_no_more(count: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "WRITES_MAX", 5)
    monkeypatch.setattr(gathered, "BYTES_MAX", 31)
    disk = Disk()
    store = GatheredStore(disk)
    for number in range(count):
        put(store, bytes([number]), bytes(size))
    assert len(disk.writes) == (1 if size == 10 else count // 5)


def test_closing_writes_what_waits() -> None:
    disk = Disk()
    store = GatheredStore(disk)
    put(store, b"a", b"1")
    store.close()
    assert disk.writes == [{b"a": b"1"}]


@pytest.mark.parametrize("waits", [True, False])
def test_nothing_is_read_after_a_refused_write(waits: bool) -> None:
    disk = Disk()
    store = GatheredStore(disk)
    put(store, b"a", b"1", sync=True)
    if waits:
        put(store, b"a", b"2")
    disk.is_full = True
    with pytest.raises(StorageError, match=r"^no space$"):
        put(store, b"v", b"vote", sync=True)
    disk.is_full = False
    said = r"^the disk refused a write before: no space$"
    for use in (
        lambda: store.get(b"v"),
        lambda: store.iterate(b""),
        lambda: put(store, b"b", b"3"),
        store.flush,
    ):
        with pytest.raises(StorageError, match=said):
            use()
    store.close()
    assert disk.writes == [{b"a": b"1"}], "as after a crash: nothing of it and nothing later"
