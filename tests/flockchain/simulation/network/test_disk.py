"""A simulated disk keeps what was synced, whole batches only, wherever power fails."""

from __future__ import annotations

from random import Random

import pytest

from flockchain.simulation.network.disk import (
    Crash,
    CrashMode,
    PowerCut,
    SimulatedDisk,
    encode_record,
    read_records,
)
from flockchain.storage.errors import StorageError
from flockchain.storage.kv import WriteBatch


def batch_of(**pairs: bytes | None) -> WriteBatch:
    batch = WriteBatch()
    for key, value in pairs.items():
        if value is None:
            batch.delete(key.encode())
        else:
            batch.put(key.encode(), value)
    return batch


def crashed(mode: CrashMode, seed: int = 0) -> SimulatedDisk:
    """A disk that lost power in a write of `last`, with `early` written before without sync."""
    disk = SimulatedDisk(Random(seed))
    disk.write(batch_of(synced=b"1", gone=b"1"))
    disk.write(batch_of(early=b"2", gone=None), sync=False)
    disk.crash = Crash(1, mode)
    with pytest.raises(PowerCut):
        disk.write(batch_of(last=b"3"))
    return disk


@pytest.mark.parametrize("mode", CrashMode)
def test_what_was_synced_survives_and_a_batch_is_whole(mode: CrashMode) -> None:
    for seed in range(20):
        disk = crashed(mode, seed)
        assert disk.get(b"synced") == b"1"
        assert (disk.get(b"early") is None) == (disk.get(b"gone") == b"1")
        assert (disk.get(b"last") == b"3") == (mode is CrashMode.AFTER)


@pytest.mark.parametrize("mode", [CrashMode.TORN, CrashMode.UNSYNCED])
def test_unsynced_writes_are_lost_in_some_crashes_and_kept_in_others(mode: CrashMode) -> None:
    found = {crashed(mode, seed).get(b"early") for seed in range(20)}
    assert found == {None, b"2"}


def test_a_torn_log_keeps_the_first_of_several_writes() -> None:
    found = set()
    for seed in range(40):
        disk = SimulatedDisk(Random(seed))
        disk.write(batch_of(a=b"1"), sync=False)
        disk.write(batch_of(b=b"2"), sync=False)
        disk.crash = Crash(1, CrashMode.TORN)
        with pytest.raises(PowerCut):
            disk.write(batch_of(c=b"3"))
        found.add((disk.get(b"a"), disk.get(b"b"), disk.get(b"c")))
    assert found == {(None, None, None), (b"1", None, None), (b"1", b"2", None)}


def test_power_between_writes_takes_only_what_was_not_synced() -> None:
    disk = SimulatedDisk(Random(1))
    disk.write(batch_of(a=b"1"), sync=False)
    assert not disk.is_durable(b"a")
    disk.write(batch_of(b=b"2"))
    assert disk.is_durable(b"a")
    disk.lose_power()
    assert (disk.get(b"a"), disk.get(b"b")) == (b"1", b"2")


def test_a_full_disk_refuses_and_goes_on_later() -> None:
    disk = SimulatedDisk(Random(1))
    disk.crash = Crash(2, CrashMode.BEFORE, is_refusal=True)
    disk.write(batch_of(a=b"1"))
    with pytest.raises(StorageError, match="no space left on the simulated disk"):
        disk.write(batch_of(b=b"2"))
    disk.write(batch_of(c=b"3"))
    assert [disk.get(key) for key in (b"a", b"b", b"c")] == [b"1", None, b"3"]


def test_a_torn_log_gives_whole_records_only() -> None:
    batches = [batch_of(a=b"1", b=None), batch_of(c=b"3" * 40)]
    log = b"".join(map(encode_record, batches))
    first = len(encode_record(batches[0]))
    for cut in range(len(log) + 1):
        read = [batch.operations for batch in read_records(log[:cut])]
        whole = (cut >= first) + (cut == len(log))
        assert read == [batch.operations for batch in batches[:whole]]


def test_a_flipped_bit_is_noticed() -> None:
    record = encode_record(batch_of(a=b"1"))
    for place in range(4, len(record)):
        flipped = bytearray(record)
        flipped[place] ^= 1
        assert list(read_records(bytes(flipped))) == []
