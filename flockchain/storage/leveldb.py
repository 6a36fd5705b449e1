"""The key-value store on disk: LevelDB through plyvel.

Owns one database directory. Every write is one atomic batch in LevelDB's log; with `sync` it is
flushed to the disk before the call returns. Checksums are verified on every read and the log is
replayed in paranoid mode: without it LevelDB would skip a damaged block in the middle of its log
and go on with later ones, which is a state that never was. A torn end of the log, as a crash
leaves it, is no damage: the unfinished batch is dropped whole.

Source: WP II.A (state and ledger), LevelDB log format.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import plyvel

from flockchain.storage.errors import StorageError, StoreClosed, StoreCorrupted, StoreLocked
from flockchain.storage.kv import WriteBatch, prefix_end

BLOOM_FILTER_BITS = 10
CACHE_BYTES = 64 * 1024 * 1024
WRITE_BUFFER_BYTES = 16 * 1024 * 1024
OPEN_FILES_MAX = 256


class RawCursor(Protocol):
    """What this module uses of plyvel's raw iterator; each method raises plyvel.Error."""

    def seek(self, key: bytes) -> None: ...
    def seek_to_last(self) -> None: ...
    def valid(self) -> bool: ...
    def item(self) -> tuple[bytes, bytes]: ...
    def next(self) -> None: ...
    def prev(self) -> None: ...
    def close(self) -> None: ...


class LevelDbStore:
    """`KeyValueStore` in the LevelDB directory `path`, made if it is missing.

    Raises: StoreLocked, StoreCorrupted, StorageError on opening.
    """

    def __init__(
        self,
        path: Path,
        cache_bytes: int = CACHE_BYTES,
        write_buffer_bytes: int = WRITE_BUFFER_BYTES,
    ) -> None:
        self._path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._database = plyvel.DB(
                str(path),
                create_if_missing=True,
                paranoid_checks=True,
                bloom_filter_bits=BLOOM_FILTER_BITS,
                lru_cache_size=cache_bytes,
                write_buffer_size=write_buffer_bytes,
                max_open_files=OPEN_FILES_MAX,
            )
        except (plyvel.Error, OSError) as error:
            raise self._explain(error) from error

    def get(self, key: bytes) -> bytes | None:
        try:
            value: bytes | None = self._database.get(key, verify_checksums=True)
        except (plyvel.Error, RuntimeError) as error:
            raise self._explain(error) from error
        return value

    def write(self, batch: WriteBatch, sync: bool = True) -> None:
        try:
            native = self._database.write_batch(sync=sync)
            put, delete = native.put, native.delete
            for key, value in batch.operations.items():
                if value is None:
                    delete(key)
                else:
                    put(key, value)
            native.write()
        except (plyvel.Error, RuntimeError) as error:
            raise self._explain(error) from error

    def iterate(
        self, prefix: bytes, start: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        end = prefix_end(prefix)
        try:
            # plyvel's friendlier iterator stops at a damaged block as if the data ended there.
            cursor = self._database.raw_iterator(verify_checksums=True)
        except (plyvel.Error, RuntimeError) as error:
            raise self._explain(error) from error
        if not reverse:
            return self._walk_up(cursor, prefix if start is None else max(prefix, start), end)
        if start is not None and (end is None or start < end):
            end = start + b"\x00"
        return self._walk_down(cursor, prefix, end)

    def close(self) -> None:
        self._database.close()

    def _walk_up(
        self, cursor: RawCursor, low: bytes, end: bytes | None
    ) -> Iterator[tuple[bytes, bytes]]:
        try:
            cursor.seek(low)
            while cursor.valid():
                pair = cursor.item()
                if end is not None and pair[0] >= end:
                    return
                yield pair
                cursor.next()
        except (plyvel.Error, RuntimeError) as error:
            raise self._explain(error) from error
        finally:
            cursor.close()

    def _walk_down(
        self, cursor: RawCursor, low: bytes, end: bytes | None
    ) -> Iterator[tuple[bytes, bytes]]:
        try:
            if end is not None:
                cursor.seek(end)
            if end is None or not cursor.valid():
                cursor.seek_to_last()
            else:
                cursor.prev()
            while cursor.valid():
                pair = cursor.item()
                if pair[0] < low:
                    return
                yield pair
                cursor.prev()
        except (plyvel.Error, RuntimeError) as error:
            raise self._explain(error) from error
        finally:
            cursor.close()

    def _explain(self, error: Exception) -> StorageError:
        """The named error for what LevelDB said, with what the operator can do about it."""
        said = str(error)
        if isinstance(error, RuntimeError):
            return StoreClosed(f"database {self._path} used after close: {said}")
        # A file that is shorter than its index says makes reads fail with "Invalid argument".
        if isinstance(error, plyvel.CorruptionError) or "Invalid argument" in said:
            return StoreCorrupted(
                f"database {self._path} is damaged ({said}): check the disk, then put back a "
                "backup of the directory, or remove it and let the node sync again; "
                "the keystore lies elsewhere and is not touched"
            )
        if "lock" in said.lower():
            return StoreLocked(
                f"database {self._path} is in use: stop the other node that runs on this "
                "base path, or give this one a base path of its own"
            )
        return StorageError(
            f"database {self._path} cannot be used ({said}): check that the disk has room and "
            "that the directory can be written by this user"
        )
