"""The key-value store on disk: LevelDB through plyvel.

Owns one database directory. Every write is one atomic batch in LevelDB's log; with `sync` it is
flushed to the disk before the call returns. Checksums are verified on every read and the log is
replayed in paranoid mode: without it LevelDB would skip a damaged block in the middle of its log
and go on with later ones, which is a state that never was. A torn end of the log, as a crash
leaves it, is no damage: the unfinished batch is dropped whole.

Source: WP V.D (state and ledger), LevelDB log format.
"""

from collections.abc import Iterator
from pathlib import Path

import plyvel

from flockchain.storage.errors import StorageError, StoreClosed, StoreCorrupted, StoreLocked
from flockchain.storage.kv import WriteBatch, prefix_end

BLOOM_FILTER_BITS = 10
CACHE_BYTES = 64 * 1024 * 1024
WRITE_BUFFER_BYTES = 16 * 1024 * 1024
OPEN_FILES_MAX = 256


class LevelDbStore:
    """`KeyValueStore` in the LevelDB directory `path`, made if it is missing.

    Raises: StoreLocked, StoreCorrupted, StorageError on opening.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._database = plyvel.DB(
                str(path),
                create_if_missing=True,
                paranoid_checks=True,
                bloom_filter_bits=BLOOM_FILTER_BITS,
                lru_cache_size=CACHE_BYTES,
                write_buffer_size=WRITE_BUFFER_BYTES,
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
        low, high, includes_high = prefix, prefix_end(prefix), False
        if start is not None and reverse:
            if high is None or start < high:
                high, includes_high = start, True
        elif start is not None:
            low = max(low, start)
        try:
            iterator = self._database.iterator(
                start=low,
                stop=high,
                include_stop=includes_high,
                reverse=reverse,
                verify_checksums=True,
            )
        except (plyvel.Error, RuntimeError) as error:
            raise self._explain(error) from error
        return self._walk(iterator)

    def close(self) -> None:
        self._database.close()

    def _walk(self, iterator: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        try:
            yield from iterator
        except (plyvel.Error, RuntimeError) as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> StorageError:
        """The named error for what LevelDB said, with what the operator can do about it."""
        said = str(error)
        if isinstance(error, RuntimeError):
            return StoreClosed(f"database {self._path} used after close: {said}")
        if isinstance(error, plyvel.CorruptionError) or "orruption" in said:
            return StoreCorrupted(
                f"database {self._path} is damaged ({said}): check the disk, then put back a "
                "backup of the directory, or remove it and let the node sync again; "
                "the keystore lies elsewhere and is not touched"
            )
        if "lock" in said.lower():
            return StoreLocked(
                f"database {self._path} is in use ({said}): stop the other node that runs on this "
                "base path, or give this one a base path of its own"
            )
        return StorageError(
            f"database {self._path} cannot be used ({said}): check that the disk has room and "
            "that the directory can be written by this user"
        )
