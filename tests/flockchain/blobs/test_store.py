"""The blob store: verified both ways, resumable, limited, and the same after a restart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flockchain.blobs import (
    BlobCorruptError,
    BlobLimitError,
    BlobMissingError,
    BlobNameError,
    BlobStore,
)
from runtime.primitives.content_id import CHUNK_BYTES, Manifest, content_id

DATA = b"a" * CHUNK_BYTES + b"b" * CHUNK_BYTES + b"c"


def open_store(path: Path, size_max_bytes: int = 1 << 26) -> BlobStore:
    return BlobStore(path, size_max_bytes=size_max_bytes, blob_max_bytes=1 << 23)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BlobStore]:
    opened = open_store(tmp_path / "blobs")
    yield opened
    opened.close()


def files(store_path: Path) -> set[str]:
    return {file.name for file in (store_path / "blobs").iterdir()}


def test_put_and_get(store: BlobStore, tmp_path: Path) -> None:
    blob = store.put(DATA)
    assert blob == content_id(DATA)
    assert store.has(blob)
    assert store.get(blob) == DATA
    assert store.manifest(blob) == Manifest.of(DATA)
    name = blob.hex()
    assert files(tmp_path) == {name, *(f"{name}-{index:08x}" for index in range(3))}
    assert store.put(DATA) == blob


def test_empty_blob(store: BlobStore) -> None:
    blob = store.put(b"")
    assert store.has(blob)
    assert store.get(blob) == b""


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 1), (CHUNK_BYTES - 1, 2), (2 * CHUNK_BYTES, 100), (5, 0), (1 << 40, 1), (0, 1 << 40)],
)
def test_ranges(store: BlobStore, offset: int, length: int) -> None:
    blob = store.put(DATA)
    assert store.read_range(blob, offset, length) == DATA[offset : offset + length]


def test_negative_range(store: BlobStore) -> None:
    blob = store.put(b"abc")
    with pytest.raises(BlobNameError, match=r"^range of 1 bytes at -1 is negative$"):
        store.read_range(blob, -1, 1)


def test_resumed_download_from_several_peers(store: BlobStore, tmp_path: Path) -> None:
    blob = store.begin(Manifest.of(DATA))
    assert store.chunks_missing(blob) == [0, 1, 2]
    store.put_chunk(blob, 2, b"c")
    assert store.read_chunk(blob, 2) == b"c"
    store.close()
    again = open_store(tmp_path / "blobs")
    assert again.chunks_missing(blob) == [0, 1]
    assert not again.has(blob)
    with pytest.raises(BlobMissingError, match=r"^chunk 0 of blob [0-9a-f]{64} is not held$"):
        again.get(blob)
    again.put_chunk(blob, 1, b"b" * CHUNK_BYTES)
    again.put_chunk(blob, 0, b"a" * CHUNK_BYTES)
    assert again.get(blob) == DATA


def test_wrong_chunk_is_refused_before_the_disk(store: BlobStore, tmp_path: Path) -> None:
    blob = store.begin(Manifest.of(DATA))
    for index, data in [(0, b"x" * CHUNK_BYTES), (2, b"cc"), (2, b""), (0, b"a")]:
        with pytest.raises(BlobCorruptError):
            store.put_chunk(blob, index, data)
    for index in (-1, 3, 1 << 40):
        with pytest.raises(BlobNameError):
            store.put_chunk(blob, index, b"c")
    with pytest.raises(BlobMissingError):
        store.put_chunk(bytes(32), 0, b"c")
    assert files(tmp_path) == {blob.hex()}


def test_corruption_on_disk_is_found_and_fetched_anew(store: BlobStore, tmp_path: Path) -> None:
    blob = store.put(DATA)
    (tmp_path / "blobs" / f"{blob.hex()}-00000002").write_bytes(b"x")
    with pytest.raises(BlobCorruptError):
        store.get(blob)
    assert store.chunks_missing(blob) == [2]
    store.put_chunk(blob, 2, b"c")
    assert store.get(blob) == DATA


def test_least_recently_used_goes_first_and_pins_stay(tmp_path: Path) -> None:
    store = open_store(tmp_path / "blobs", size_max_bytes=400)
    first, second, third = (store.put(letter * 64) for letter in (b"1", b"2", b"3"))
    store.pin(first)
    store.get(second)
    fourth = store.put(b"4" * 64)
    assert store.ids() == [first, second, fourth]
    assert not store.has(third)
    with pytest.raises(BlobLimitError, match=r"^no room for 364 bytes: the store is limited"):
        store.put(b"5" * 300)
    assert store.ids() == [first, second, fourth]
    store.close()
    again = open_store(tmp_path / "blobs", size_max_bytes=130)
    assert again.ids() == [first]
    assert again.reserved_bytes == 128
    again.unpin(first)
    again.put(b"6" * 64)
    assert not again.has(first)
    again.close()


def test_download_reserves_its_whole_size(tmp_path: Path) -> None:
    store = open_store(tmp_path / "blobs", size_max_bytes=CHUNK_BYTES * 4)
    store.begin(Manifest.of(DATA), pin=True)
    with pytest.raises(BlobLimitError):
        store.begin(Manifest.of(DATA + b"d"))
    store.close()


def test_blob_limit(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs", size_max_bytes=1 << 20, blob_max_bytes=10)
    with pytest.raises(BlobLimitError, match=r"^blob of 11 bytes is above the limit of 10$"):
        store.put(b"01234567890")
    store.close()


def test_delete(store: BlobStore, tmp_path: Path) -> None:
    blob = store.put(DATA, pin=True)
    store.delete(blob)
    store.delete(blob)
    assert not store.has(blob)
    assert store.reserved_bytes == 0
    assert files(tmp_path) == set()


def test_start_sweeps_what_a_crash_left(store: BlobStore, tmp_path: Path) -> None:
    kept, torn = store.put(b"kept"), store.put(b"torn")
    store.close()
    root = tmp_path / "blobs"
    (root / f"writing-{kept.hex()}").write_bytes(b"half")
    (root / f"{'0' * 64}-00000000").write_bytes(b"orphan")
    (root / f"{'0' * 64}-pin").write_bytes(b"")
    (root / torn.hex()).write_bytes(b"\x83")
    (root / f"{kept.hex()}-00000009").write_bytes(b"too many")
    again = open_store(root)
    assert again.ids() == [kept]
    assert again.get(kept) == b"kept"
    assert files(tmp_path) == {kept.hex(), f"{kept.hex()}-00000000"}
    again.close()


def test_symbolic_links_are_never_followed(store: BlobStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    blob = store.put(b"public")
    chunk = tmp_path / "blobs" / f"{blob.hex()}-00000000"
    chunk.unlink()
    os.symlink(secret, chunk)
    with pytest.raises(BlobCorruptError, match=r"is a symbolic link$"):
        store.get(blob)
    again = open_store(tmp_path / "blobs")
    assert again.chunks_missing(blob) == [0]
    again.put_chunk(blob, 0, b"public")
    assert again.get(blob) == b"public"
    assert secret.read_bytes() == b"secret"
    again.close()
