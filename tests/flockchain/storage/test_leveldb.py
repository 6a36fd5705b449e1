"""LevelDB's failures have names, and a damaged database never passes for a sound one."""

import shutil
from pathlib import Path

import pytest

from flockchain.storage.errors import StorageError, StoreCorrupted, StoreLocked
from flockchain.storage.kv import WriteBatch
from flockchain.storage.leveldb import LevelDbStore

BATCHES = 12
KEYS = 5


def write_batches(path: Path) -> None:
    """Batch n sets every key to n, so that a half-applied batch or a lost middle one shows."""
    store = LevelDbStore(path)
    for number in range(1, BATCHES + 1):
        batch = WriteBatch()
        for key in range(KEYS):
            batch.put(b"key%d" % key, b"%d" % number * 30)
        batch.put(b"batch%02d" % number, b"")
        store.write(batch)
    store.close()


def read_batches(path: Path) -> int | None:
    """How many batches are there, None if the store says that it is damaged."""
    try:
        store = LevelDbStore(path)
    except StoreCorrupted:
        return None
    try:
        pairs = dict(store.iterate(b""))
    except StoreCorrupted:
        return None
    finally:
        store.close()
    count = sum(1 for key in pairs if key.startswith(b"batch"))
    expected = {b"batch%02d" % number: b"" for number in range(1, count + 1)}
    if count:
        expected |= {b"key%d" % key: b"%d" % count * 30 for key in range(KEYS)}
    assert pairs == expected, "neither damage reported nor a state that once was"
    return count


def damaged_copy(source: Path, target: Path, name: str, content: bytes) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    (target / name).write_bytes(content)
    return target


def test_a_second_opener_is_told_what_to_do(tmp_path: Path) -> None:
    store = LevelDbStore(tmp_path)
    with pytest.raises(StoreLocked, match=r"is in use: stop the other node that runs on this"):
        LevelDbStore(tmp_path)
    store.close()
    LevelDbStore(tmp_path).close()


def test_a_path_that_cannot_be_a_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"file cannot be used .*check that the disk has room"):
        LevelDbStore(tmp_path / "file")


def test_a_torn_log_loses_whole_batches_from_the_end_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write_batches(source)
    (log,) = source.glob("*.log")
    content = log.read_bytes()
    counts = [
        read_batches(damaged_copy(source, tmp_path / "copy", log.name, content[:size]))
        for size in range(0, len(content) + 1, 61)
    ]
    whole = read_batches(damaged_copy(source, tmp_path / "copy", log.name, content))
    assert None not in counts
    assert counts == sorted(counts)
    assert (counts[0], whole) == (0, BATCHES)


def test_a_flipped_bit_in_the_log_is_reported_or_ends_the_log(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write_batches(source)
    (log,) = source.glob("*.log")
    content = log.read_bytes()
    counts = []
    for at in range(0, len(content), 89):
        flipped = content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]
        counts.append(read_batches(damaged_copy(source, tmp_path / "copy", log.name, flipped)))
    assert None in counts
    assert all(count is None or count < BATCHES for count in counts)


def read_all(path: Path, reverse: bool) -> list[tuple[bytes, bytes]]:
    store = LevelDbStore(path)
    try:
        return list(store.iterate(b"", reverse=reverse))
    finally:
        store.close()


def test_damage_in_table_and_manifest_is_reported(tmp_path: Path) -> None:
    source, batch = tmp_path / "source", WriteBatch()
    store = LevelDbStore(source)
    for number in range(2_000):  # Several blocks of a table.
        batch.put(b"key%05d" % number, number.to_bytes(32, "big") * 2)
    store.write(batch)
    store.close()
    LevelDbStore(source).close()  # Opening moves the log's content into a table.
    (table,) = source.glob("*.ldb")
    content = table.read_bytes()
    pairs = read_all(source, reverse=False)
    for at in range(0, len(content), 4_001):
        flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        for reverse in (False, True):
            copy = damaged_copy(source, tmp_path / "copy", table.name, flipped)
            try:
                found = read_all(copy, reverse)
            except StoreCorrupted:
                continue
            assert found == (pairs[::-1] if reverse else pairs), f"byte {at} lost data silently"
    manifest = (source / "CURRENT").read_text().strip()
    for name, damaged in (
        (table.name, content[: len(content) // 2]),
        (table.name, content[:100] + b"X" + content[101:]),
        (table.name, b""),
        (manifest, b"no manifest"),
        ("CURRENT", b"nothing"),
    ):
        copy = damaged_copy(source, tmp_path / "copy", name, damaged)
        with pytest.raises(StoreCorrupted, match=r"is damaged .*remove it and let the node sync"):
            read_all(copy, reverse=False)
