"""The ordered key-value store everything durable lies in, and its twin in memory.

Owns the `KeyValueStore` protocol, the `WriteBatch` that is its only way to write, and
`MemoryStore`, which the simulator and the tests use. Invariant: a batch is seen whole or not at
all, by readers and by a restart; keys are ordered as unsigned bytes.

Source: WP II.A (state and ledger), LevelDB write batches.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from heapq import merge
from typing import Protocol

from flockchain.storage.errors import StoreClosed

_INSERTED_SINGLY_MAX = 256
_HEAD_BYTES = 2
"""What the keys of one kind begin with, for all kinds of which many are stored."""


class WriteBatch:
    """Puts and deletes that become durable together; of several for one key the last counts."""

    __slots__ = ("operations",)

    def __init__(self) -> None:
        self.operations: dict[bytes, bytes | None] = {}
        """key -> the value to put, or None to delete."""

    def put(self, key: bytes, value: bytes) -> None:
        self.operations[key] = value

    def put_many(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        self.operations.update(pairs)

    def delete(self, key: bytes) -> None:
        self.operations[key] = None

    def delete_many(self, keys: Iterable[bytes]) -> None:
        self.operations.update(dict.fromkeys(keys))

    def __len__(self) -> int:
        return len(self.operations)


class KeyValueStore(Protocol):
    """An ordered map from bytes to bytes with atomic writes."""

    def get(self, key: bytes) -> bytes | None:
        """The value at `key`, or None. Raises: StorageError."""
        ...

    def write(self, batch: WriteBatch, sync: bool = True) -> None:
        """Apply `batch` atomically; with `sync` it has reached the disk on return.

        Raises: StorageError; then nothing of the batch may be relied upon.
        """
        ...

    def iterate(
        self, prefix: bytes, start: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """The pairs under `prefix` in key order, or against it if `reverse`.

        `start` is the key to begin at, itself included, in the direction of the walk. The walk
        sees the store as it was at the call, whatever is written meanwhile.
        """
        ...

    def close(self) -> None:
        """Let go of the store; calling again does nothing."""
        ...


def prefix_end(prefix: bytes) -> bytes | None:
    """The smallest key above every key that starts with `prefix`; None if there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None


class MemoryStore:
    """`KeyValueStore` in a dict: deterministic, ordered, cheap to clone; lost on exit.

    Keys are sorted by what they begin with, when somebody walks there: nobody does where most are.
    """

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._sorted_keys: dict[bytes, list[bytes]] = {}
        self._unsorted_keys: dict[bytes, list[bytes]] = {}
        self._listed = 0  # keys in these lists at most: deleted ones stay until they are many
        self._is_closed = False

    def get(self, key: bytes) -> bytes | None:
        self._ensure_open()
        return self._values.get(key)

    def write(self, batch: WriteBatch, sync: bool = True) -> None:
        self._ensure_open()
        values, fresh = self._values, self._unsorted_keys
        for key, value in batch.operations.items():
            if value is None:
                values.pop(key, None)
                continue
            if key not in values:
                self._listed += 1
                head = key[:_HEAD_BYTES]
                if head in fresh:
                    fresh[head].append(key)
                else:
                    fresh[head] = [key]
            values[key] = value
        if self._listed > 2 * len(values) + _INSERTED_SINGLY_MAX:
            self._sweep()

    def iterate(
        self, prefix: bytes, start: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        self._ensure_open()
        keys, end = self._keys_with(prefix[:_HEAD_BYTES]), prefix_end(prefix)
        low = bisect_left(keys, prefix)
        high = len(keys) if end is None else bisect_left(keys, end)
        if start is not None and reverse:
            high = min(high, bisect_right(keys, start))
        elif start is not None:
            low = max(low, bisect_left(keys, start))
        chosen = keys[low:high]
        if reverse:
            chosen.reverse()
        values = self._values
        return iter([(key, values[key]) for key in chosen if key in values])

    def close(self) -> None:
        self._is_closed = True

    def clone(self) -> "MemoryStore":
        """An independent, open copy of what the store holds now."""
        copy = MemoryStore()
        copy._values = dict(self._values)
        copy._sorted_keys = {head: list(keys) for head, keys in self._sorted_keys.items()}
        copy._unsorted_keys = {head: list(keys) for head, keys in self._unsorted_keys.items()}
        copy._listed = self._listed
        return copy

    def __len__(self) -> int:
        return len(self._values)

    def _ensure_open(self) -> None:
        if self._is_closed:
            raise StoreClosed("memory store used after close")

    def _keys_with(self, head: bytes) -> list[bytes]:
        """The keys that begin like this, in order, some deleted ones among them."""
        if len(head) == _HEAD_BYTES:
            return self._sort(head)
        heads = {*self._sorted_keys, *self._unsorted_keys}
        return [key for one in sorted(heads) if one.startswith(head) for key in self._sort(one)]

    def _sort(self, head: bytes) -> list[bytes]:
        """Bring a list of keys up to date."""
        known = self._sorted_keys.setdefault(head, [])
        fresh = self._unsorted_keys.pop(head, None)
        if fresh is None:
            return known
        if len(fresh) > _INSERTED_SINGLY_MAX:
            # A key may be listed twice: deleted, not yet swept, and put again.
            known[:] = sorted({*known, *fresh})
        else:
            for key in fresh:
                place = bisect_left(known, key)
                if known[place : place + 1] != [key]:
                    known.insert(place, key)
        return known

    def _sweep(self) -> None:
        """Let go of deleted keys, and of kinds of which there are none any more."""
        for lists in (self._sorted_keys, self._unsorted_keys):
            for head, keys in list(lists.items()):
                kept = [key for key in dict.fromkeys(keys) if key in self._values]
                if kept:
                    lists[head] = kept
                else:
                    del lists[head]
        self._listed = len(self._values)


class PendingView:
    """A store as it will read once `batch` is written, so that a batch can build on itself."""

    def __init__(self, store: KeyValueStore, batch: WriteBatch) -> None:
        self._store = store
        self._batch = batch

    def get(self, key: bytes) -> bytes | None:
        operations = self._batch.operations
        return operations[key] if key in operations else self._store.get(key)

    def iterate(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The pairs under `prefix` in key order, read as the walk goes; both seen as of now."""
        pending = {k: v for k, v in self._batch.operations.items() if k.startswith(prefix)}
        put = sorted((key, value) for key, value in pending.items() if value is not None)
        stored = self._store.iterate(prefix)
        return merge(put, ((key, value) for key, value in stored if key not in pending))
