"""The state that a block executes on: reads through to a base, writes and events undoable.

One dictionary holds every key's current value; a journal of former values makes a rollback exact
and a read a single look-up. Decoded values are kept beside the bytes, for types that cannot be
changed in place.

Source: Substrate `sp_state_machine::OverlayedChanges`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from types import TracebackType
from typing import Any, Final, Protocol

_MISSING: Final = object()
_UNGROUPED_MAX: Final = 64  # so few written keys are looked at faster than grouped
_ITEM_BYTES: Final = 32  # what the keys of one storage item begin with
KEPT_VALUES_MAX: Final = 4_096
"""Values that are kept from a block to its child; with more, or more bytes, all are read anew."""
KEPT_BYTES_MAX: Final = 16 * 1024 * 1024

Journal = list[tuple[bytes, bytes | None, bool]]
"""Former values: key, value, whether the key was written before."""


class StateReader(Protocol):
    """The state at the end of some block."""

    def get(self, key: bytes, /) -> bytes | None:
        """The value, or None."""

    def pairs(self, prefix: bytes, after: bytes | None = None, /) -> Iterator[tuple[bytes, bytes]]:
        """Keys with `prefix` and their values, in byte order, strictly above `after`."""


class DictState:
    """A state in memory: genesis building, tests, `economics evaluate`. It does not change."""

    def __init__(self, top: dict[bytes, bytes] | None = None) -> None:
        self.top = {} if top is None else top

    @cached_property
    def _keys(self) -> list[bytes]:
        return sorted(self.top)

    def get(self, key: bytes, /) -> bytes | None:
        return self.top.get(key)

    def pairs(self, prefix: bytes, after: bytes | None = None, /) -> Iterator[tuple[bytes, bytes]]:
        keys = self._keys
        start = bisect_left(keys, prefix)
        if after is not None:
            start = max(start, bisect_right(keys, after))
        for index in range(start, len(keys)):
            key = keys[index]
            if not key.startswith(prefix):
                return
            yield key, self.top[key]


class Externalities:
    """Layered writes over a base, plus the events of the block so far.

    `phase` is what events are stamped with; the executive sets it. `decoded` holds decoded forms
    of current bytes and is open to look-ups, for storage items; only the methods may change it.
    `journal` belongs to the transaction that is open.
    """

    __slots__ = (
        "_base",
        "_by_item",
        "_bytes",
        "_dirty",
        "_grouped",
        "_values",
        "decoded",
        "events",
        "journal",
        "phase",
    )

    def __init__(self, base: StateReader) -> None:
        self._base = base
        self._values: dict[bytes, bytes | None] = {}
        self._bytes = 0  # at least as many as the values have, once `go_on` counted the written
        self.decoded: dict[bytes, Any] = {}
        self._dirty: dict[bytes, None] = {}
        # The first so many of the dirty keys by storage item: made when something is iterated.
        self._by_item: dict[bytes, list[bytes]] = {}
        self._grouped = 0
        self.journal: Journal | None = None
        self.events: list[tuple[Any, object]] = []
        self.phase: Any = None

    def get(self, key: bytes) -> bytes | None:
        """The current value, or None."""
        value = self._values.get(key, _MISSING)
        if value is _MISSING:
            value = self._values[key] = self._base.get(key)
            self._bytes += len(value or b"")
        return value  # type: ignore[return-value]

    def put(self, key: bytes, value: bytes | None, decoded: Any = None) -> None:
        """Write, or remove with None; keep the decoded form if it is given (`keep_decoded`)."""
        values = self._values
        if self.journal is not None:
            former = values.get(key, _MISSING)
            if former is _MISSING:
                former = self.get(key)
            self.journal.append((key, former, key in self._dirty))  # type: ignore[arg-type]
        values[key] = value
        self._dirty[key] = None
        if decoded is not None:
            self.decoded[key] = decoded
        else:
            self.decoded.pop(key, None)

    def get_decoded(self, key: bytes) -> Any:
        """The decoded value that was kept for the current bytes, or None."""
        return self.decoded.get(key)

    def keep_decoded(self, key: bytes, value: Any) -> None:
        """Keep the decoded form of the current bytes; only values that nothing can change."""
        self.decoded[key] = value

    def keys(self, prefix: bytes) -> Iterator[bytes]:
        """Keys with `prefix` in byte order; keys written first while iterating are not seen."""
        return (key for key, _ in self.pairs(prefix))

    def pairs(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """As `keys`, with the values; those strictly above `after`."""
        written = sorted(
            key
            for key in self._written(prefix)
            if key.startswith(prefix) and (after is None or key > after)
        )
        position, count = 0, len(written)
        values, dirty = self._values, self._dirty
        for key, value in self._base.pairs(prefix, after):
            while position < count and written[position] <= key:
                if written[position] < key:
                    yield from self._alive(written[position])
                position += 1
            if key in dirty:
                yield from self._alive(key)
            else:
                values[key] = value
                self._bytes += len(value)
                yield key, value
        for key in written[position:]:
            yield from self._alive(key)

    def _alive(self, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        value = self._values[key]
        if value is not None:
            yield key, value

    def _written(self, prefix: bytes) -> Iterable[bytes]:
        """Dirty keys, those with `prefix` among them: few where the prefix names an item."""
        if len(prefix) < _ITEM_BYTES or len(self._dirty) <= _UNGROUPED_MAX:
            return self._dirty
        for key in islice(self._dirty, self._grouped, None):
            self._by_item.setdefault(key[:_ITEM_BYTES], []).append(key)
        self._grouped = len(self._dirty)
        return self._by_item.get(prefix[:_ITEM_BYTES], ())

    def deposit_event(self, event: object) -> None:
        """Record an event under the current phase."""
        self.events.append((self.phase, event))

    def transaction(self, *, is_trial: bool = False) -> Transaction:
        """Undo every write and event inside if an exception leaves it, in a trial always. Nests."""
        return Transaction(self, is_trial)

    def undo(self, journal: Journal, event_count: int) -> None:
        """Back to what `journal` tells, and to so many events. For `Transaction`."""
        del self.events[event_count:]
        for key, value, was_dirty in reversed(journal):
            self._values[key] = value
            self.decoded.pop(key, None)
            if not was_dirty:
                self._dirty.pop(key, None)
        if len(self._dirty) < self._grouped:
            self._by_item, self._grouped = {}, 0

    def go_on(self, base: StateReader) -> None:
        """Begin the next block over `base`, which holds what was reached here: reads are kept."""
        self._base = base
        self._bytes += sum(map(len, filter(None, map(self._values.get, self._dirty))))
        self._dirty.clear()
        self.events.clear()
        self._by_item, self._grouped = {}, 0
        self.journal = self.phase = None
        if len(self._values) > KEPT_VALUES_MAX or self._bytes > KEPT_BYTES_MAX:
            self._values.clear()
            self.decoded.clear()  # in place: storage items hold on to it
            self._bytes = 0

    def start_anew(self, base: StateReader) -> None:
        """Begin over another state, as if built for it."""
        self.forget()
        self.go_on(base)

    def forget(self) -> None:
        """Let go of what was read and written: nobody goes on from here."""
        self._values.clear()
        self.decoded.clear()
        self._dirty.clear()
        self.events.clear()
        self._by_item, self._grouped, self._bytes = {}, 0, 0

    def changes(self) -> dict[bytes, bytes | None]:
        """Every key that was written, with its value; None for removals."""
        return {key: self._values[key] for key in self._dirty}


class Transaction:
    """A context of `Externalities.transaction`; two a extrinsic, so no generator."""

    __slots__ = ("_event_count", "_ext", "_is_trial", "_journal", "_outer")

    def __init__(self, ext: Externalities, is_trial: bool) -> None:
        self._ext = ext
        self._is_trial = is_trial

    def __enter__(self) -> None:
        ext = self._ext
        self._outer = ext.journal
        self._event_count = len(ext.events)
        self._journal = ext.journal = []

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ext.journal = self._outer
        if error is not None or self._is_trial:
            self._ext.undo(self._journal, self._event_count)
        elif self._outer is not None:
            self._outer += self._journal
