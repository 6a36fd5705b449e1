"""A store that gathers what need not be on disk at once into the next write that must be.

A node that catches up stores hundreds of blocks a second that it could fetch again; a flush to the
disk for each costs more than their rules. Owns what waits: at most `WRITES_MAX` batches or
`BYTES_MAX`. Invariant: what waits goes to the disk as one batch, with all that was written before
it and nothing after, so that a crash takes the last writes and never one out of their middle, which
LevelDB alone does not promise: it begins a new log without flushing the old one. When the disk has
refused a write, nothing is read any more: what was refused must not look as if it were stored.

Source: WP II.A (state and ledger), LevelDB write batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from operator import itemgetter
from typing import Final

from flockchain.storage.errors import StorageError, StoreClosed
from flockchain.storage.kv import KeyValueStore, WriteBatch

WRITES_MAX: Final = 64
BYTES_MAX: Final = 4 * 1024 * 1024
_MISSING: Final = object()
_KEY: Final = itemgetter(0)


class GatheredStore:
    """`KeyValueStore` in front of another: `sync` is as there, without it a write waits here."""

    def __init__(self, disk: KeyValueStore) -> None:
        self._disk = disk
        self._waiting = WriteBatch()
        self._writes = 0
        self._bytes = 0
        self._refusal: StorageError | None = None

    def get(self, key: bytes) -> bytes | None:
        if self._refusal is not None:
            self._ensure_whole()
        value = self._waiting.operations.get(key, _MISSING)
        return self._disk.get(key) if value is _MISSING else value  # type: ignore[return-value]

    def write(self, batch: WriteBatch, sync: bool = True) -> None:
        self._ensure_whole()
        if sync and not self._writes:
            self._write(batch)
            return
        self._waiting.operations.update(batch.operations)
        self._writes += 1
        self._bytes += sum(map(len, batch.operations))
        self._bytes += sum(map(len, filter(None, batch.operations.values())))
        if sync or self._writes >= WRITES_MAX or self._bytes >= BYTES_MAX:
            self.flush()

    def flush(self) -> None:
        """Everything written so far is on the disk on return. Raises: StorageError."""
        self._ensure_whole()
        if self._writes:
            self._write(self._waiting)
            self._waiting, self._writes, self._bytes = WriteBatch(), 0, 0

    def _write(self, batch: WriteBatch) -> None:
        try:
            self._disk.write(batch)
        except StoreClosed:  # nobody refused: it says so by itself to whoever goes on
            raise
        except StorageError as error:
            self._refusal = error
            raise

    def _ensure_whole(self) -> None:
        """Raises StorageError once the disk refused: the node ends before it reads on."""
        if self._refusal is not None:
            raise StorageError(f"the disk refused a write before: {self._refusal}")

    def iterate(
        self, prefix: bytes, start: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        self._ensure_whole()
        stored = self._disk.iterate(prefix, start, reverse)
        operations = self._waiting.operations
        waiting = {key: operations[key] for key in operations if key.startswith(prefix)}
        if not waiting:
            return stored
        fresh = [
            (key, value)
            for key, value in waiting.items()
            if value is not None and (start is None or (key <= start if reverse else key >= start))
        ]
        fresh.sort(reverse=reverse)
        kept = (pair for pair in stored if pair[0] not in waiting)
        return merge(fresh, kept, key=_KEY, reverse=reverse)

    def close(self) -> None:
        """Write what waits and let go of the disk, also if it refuses; again does nothing.

        After a refusal nothing is written any more. Raises: StorageError.
        """
        try:
            if self._refusal is None:
                self.flush()
        finally:
            self._disk.close()
