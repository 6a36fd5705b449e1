"""A disk that loses power: the key-value store as a log of checked records, cut where a crash cuts.

Owns what survives. A write becomes a record with its length and checksum, as in LevelDB's log;
reading back stops at the first record that is torn. Invariant: a write that returned with `sync` is
there after every crash, and no crash leaves half a batch.
Source: LevelDB log format.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final
from zlib import crc32

from flockchain.storage.errors import StorageError
from flockchain.storage.kv import KeyValueStore, MemoryStore, WriteBatch

NO_SPACE: Final = "no space left on the simulated disk"
_ABSENT: Final = 0xFFFF_FFFF  # stands for the length of a value that a batch deletes


class PowerCut(BaseException):
    """The machine is off. No `Exception`: nothing in a node may live through it."""


class CrashMode(enum.Enum):
    """What is on the disk of a write during which power fails."""

    BEFORE = "before"
    """Nothing of it; earlier writes without `sync` are kept."""
    TORN = "torn"
    """The log ends at some byte of its record or of earlier ones without `sync`."""
    UNSYNCED = "unsynced"
    """Nothing of it, and of earlier writes without `sync` an arbitrary number."""
    AFTER = "after"
    """All of it, though the caller never heard so."""


@dataclass(slots=True)
class Crash:
    """Power fails in the `countdown`-th write from now, 1 for the next."""

    countdown: int
    mode: CrashMode
    is_refusal: bool = False
    """Instead of losing power the disk is full: the write raises StorageError."""


class SimulatedDisk:
    """`KeyValueStore` of one machine; what is on the platter outlives the node."""

    def __init__(self, prng: Random, platter: KeyValueStore | None = None) -> None:
        self._prng = prng
        self._view = MemoryStore() if platter is None else platter
        self._unsynced: list[WriteBatch] = []
        self._undo: list[dict[bytes, bytes | None]] = []
        self.crash: Crash | None = None
        self.writes = 0

    def get(self, key: bytes) -> bytes | None:
        return self._view.get(key)

    def iterate(
        self, prefix: bytes, start: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        return self._view.iterate(prefix, start, reverse)

    def close(self) -> None:
        """The node lets go of it; the machine keeps it."""

    def write(self, batch: WriteBatch, sync: bool = True) -> None:
        """Apply a batch. Raises PowerCut or StorageError when a crash was ordered for it."""
        self.writes += 1
        crash = self.crash
        if crash is not None:
            crash.countdown -= 1
            if crash.countdown <= 0:
                self._fail(crash, batch)
        self._apply(batch, sync=sync)

    def is_durable(self, key: bytes) -> bool:
        """Whether the key is stored and would be after any crash now."""
        return self._view.get(key) is not None and not any(key in undo for undo in self._undo)

    def lose_power(self) -> None:
        """Power fails between two writes."""
        self._drop_unsynced(self._prng.randint(0, len(self._undo)))

    def _apply(self, batch: WriteBatch, *, sync: bool) -> None:
        if sync:
            self._undo.clear()
            self._unsynced.clear()
        else:
            self._undo.append({key: self._view.get(key) for key in batch.operations})
            self._unsynced.append(batch)
        self._view.write(batch, sync=False)  # the simulated machine's power is not this one's

    def _fail(self, crash: Crash, batch: WriteBatch) -> None:
        self.crash = None
        if crash.is_refusal:
            raise StorageError(NO_SPACE)
        match crash.mode:
            case CrashMode.BEFORE:
                kept = len(self._undo)
            case CrashMode.TORN:
                log = b"".join(map(encode_record, (*self._unsynced, batch)))
                kept = sum(1 for _ in read_records(log[: self._prng.randrange(len(log))]))
            case CrashMode.UNSYNCED:
                kept = self._prng.randint(0, len(self._undo))
            case CrashMode.AFTER:
                self._apply(batch, sync=True)
                kept = 0
        self._drop_unsynced(kept)
        raise PowerCut

    def _drop_unsynced(self, kept: int) -> None:
        """Only the first `kept` writes without `sync` reached the platter."""
        while len(self._undo) > kept:
            back = WriteBatch()
            for key, value in self._undo.pop().items():
                if value is None:
                    back.delete(key)
                else:
                    back.put(key, value)
            self._view.write(back, sync=False)
        self._undo.clear()
        self._unsynced.clear()


def encode_record(batch: WriteBatch) -> bytes:
    """Length and checksum, four bytes each, little endian, and the operations."""
    parts: list[bytes] = []
    for key, value in batch.operations.items():
        size = _ABSENT if value is None else len(value)
        parts += [len(key).to_bytes(4, "little"), size.to_bytes(4, "little"), key, value or b""]
    payload = b"".join(parts)
    return len(payload).to_bytes(4, "little") + crc32(payload).to_bytes(4, "little") + payload


def read_records(log: bytes) -> Iterator[WriteBatch]:
    """The batches of a log up to the first record that is torn or false."""
    place = 0
    while place + 8 <= len(log):
        size, checksum = (int.from_bytes(log[at : at + 4], "little") for at in (place, place + 4))
        payload = log[place + 8 : place + 8 + size]
        if len(payload) < size or crc32(payload) != checksum:
            return
        yield _read_batch(payload)
        place += 8 + size


def _read_batch(payload: bytes) -> WriteBatch:
    batch, place = WriteBatch(), 0
    while place < len(payload):
        key_size, size = (
            int.from_bytes(payload[at : at + 4], "little") for at in (place, place + 4)
        )
        place += 8
        key, place = payload[place : place + key_size], place + key_size
        if size == _ABSENT:
            batch.delete(key)
            continue
        batch.put(key, payload[place : place + size])
        place += size
    return batch
