"""The pallets over one block's state, with a record of every storage key that they read.

Owns `StateBook` and its pages: each page has pallets of its own, so that what one term read is not
served to the next from a cache. Invariant: `reads` names every key whose presence, absence or value
the page's answers depend on; what is written to a page is lost.
Source: FRAME storage keys; WP IV.A, WP V.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from flockchain.economics.derivation.terms import Read
from runtime.api import preset_of
from runtime.frame.externalities import Externalities, StateReader
from runtime.frame.naming import pascal_case
from runtime.primitives.types import Hash
from runtime.runtime import PALLETS, Runtime
from runtime.version import CODE_KEY

_PREFIX_BYTES: Final = 32


class _Recorder:
    """A state that remembers what it was asked."""

    def __init__(self, state: StateReader) -> None:
        self._state = state
        self.seen: dict[bytes, None] = {}

    def get(self, key: bytes, /) -> bytes | None:
        self.seen[key] = None
        return self._state.get(key)

    def pairs(self, prefix: bytes, after: bytes | None = None, /) -> Iterator[tuple[bytes, bytes]]:
        for key, value in self._state.pairs(prefix, after):
            self.seen[key] = None
            yield key, value


class Page:
    """Pallets whose reads are recorded."""

    def __init__(self, book: StateBook, state: StateReader) -> None:
        self._block = book.block
        self._recorder = _Recorder(state)
        self.runtime = Runtime(Externalities(self._recorder), book.preset)

    def reads(self) -> tuple[Read, ...]:
        """The storage keys read so far, in the order of their first read."""
        return tuple(Read(self._block, item_of(key), key) for key in self._recorder.seen)


class StateBook:
    """The state after `block`."""

    def __init__(self, block: Hash, state: StateReader) -> None:
        """Raises UnknownRuntime if the state is of another release."""
        self.block = block
        self.state = state
        self.preset = preset_of(state)
        self.code_read = Read(block, item_of(CODE_KEY), CODE_KEY)

    def open(self) -> Page:
        """Pallets that have read nothing."""
        return Page(self, self.state)


def item_of(key: bytes) -> str:
    """The storage item that a key belongs to, as `Arena.DayResults`; `:code` for the runtime."""
    if key == CODE_KEY:
        return ":code"
    return _items().get(key[:_PREFIX_BYTES], "unknown")


@cache
def _items() -> dict[bytes, str]:
    return {
        item.prefix: f"{pallet.__name__}.{pascal_case(item.name)}"
        for pallet in PALLETS
        for item in pallet.storage_items
    }
