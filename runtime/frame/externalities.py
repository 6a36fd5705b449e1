"""The state that a block executes on: reads through to a base, writes and events undoable.

One dictionary holds every key's current value; a journal of former values makes a rollback exact
and a read a single look-up. Decoded values are kept beside the bytes, for types that cannot be
changed in place.

Source: Substrate `sp_state_machine::OverlayedChanges`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Protocol

_MISSING: Final = object()

Journal = list[tuple[bytes, bytes | None, bool]]
"""Former values: key, value, whether the key was written before."""


class StateReader(Protocol):
    """The state at the end of some block."""

    def get(self, key: bytes, /) -> bytes | None:
        """The value, or None."""

    def keys(self, prefix: bytes, after: bytes | None = None, /) -> Iterator[bytes]:
        """Keys with `prefix`, in byte order, strictly above `after`."""


class DictState:
    """A state in memory: genesis building, tests, `economics evaluate`."""

    def __init__(self, top: dict[bytes, bytes] | None = None) -> None:
        self.top = {} if top is None else top

    def get(self, key: bytes, /) -> bytes | None:
        return self.top.get(key)

    def keys(self, prefix: bytes, after: bytes | None = None, /) -> Iterator[bytes]:
        found = sorted(key for key in self.top if key.startswith(prefix))
        yield from found if after is None else found[bisect_right(found, after) :]


class Externalities:
    """Layered writes over a base, plus the events of the block so far.

    `phase` is what events are stamped with; the executive sets it. `decoded` holds decoded forms
    of current bytes and is open to look-ups, for storage items; only the methods may change it.
    `journal` belongs to the transaction that is open.
    """

    __slots__ = ("_base", "_dirty", "_values", "decoded", "events", "journal", "phase")

    def __init__(self, base: StateReader) -> None:
        self._base = base
        self._values: dict[bytes, bytes | None] = {}
        self.decoded: dict[bytes, Any] = {}
        self._dirty: dict[bytes, None] = {}
        self.journal: Journal | None = None
        self.events: list[tuple[Any, object]] = []
        self.phase: Any = None

    def get(self, key: bytes) -> bytes | None:
        """The current value, or None."""
        value = self._values.get(key, _MISSING)
        if value is _MISSING:
            value = self._values[key] = self._base.get(key)
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
        """Keys with `prefix` in byte order; writes made while iterating are not seen."""
        written = sorted(key for key in self._dirty if key.startswith(prefix))
        position, count = 0, len(written)
        for key in self._base.keys(prefix):
            while position < count and written[position] < key:
                yield from self._alive(written[position])
                position += 1
            if position < count and written[position] == key:
                yield from self._alive(key)
                position += 1
            elif key not in self._dirty or self._values[key] is not None:
                yield key
        while position < count:
            yield from self._alive(written[position])
            position += 1

    def _alive(self, key: bytes) -> Iterator[bytes]:
        if self._values[key] is not None:
            yield key

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
