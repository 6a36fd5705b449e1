"""What the newest states hold at the keys that blocks read again and again.

Owns a few maps from key to value, one a state root. A block's state takes over its parent's map
and puts the block's changes in; the parent keeps what it held at those keys, and reads the rest
anew if it is asked again. Invariant: an entry is what the state with that root holds, so it can be
superfluous but never stale, whatever became of a batch.
Source: WP II.A (state and ledger), Substrate `sp_trie::cache`, adapted.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

ROOTS_MAX: Final = 4
ENTRIES_MAX: Final = 4_096
"""Of one root."""
VALUE_BYTES_MAX: Final = 1_024
"""Larger values are read from the trie, so that 16 MiB bound all entries."""
ITEM_BYTES: Final = 32
"""What the keys of one storage item begin with."""
_ITEMS_MAX: Final = 1_024

_UNKNOWN: Final = object()


class Values:
    """What one state holds, as far as it is known. Readers keep this and never the map in it."""

    __slots__ = ("by_key", "empty_items")

    def __init__(self) -> None:
        self.by_key: dict[bytes, bytes | None] = {}
        self.empty_items: set[bytes] = set()
        """What keys begin with of which the state has none: blocks look there in vain."""

    def remember(self, key: bytes, value: bytes | None) -> None:
        """Keep what the state holds at a key, if there is room."""
        if len(self.by_key) < ENTRIES_MAX and (value is None or len(value) <= VALUE_BYTES_MAX):
            self.by_key[key] = value

    def remember_empty(self, item: bytes) -> None:
        """The state has no key that begins with these 32 bytes."""
        if len(self.empty_items) < _ITEMS_MAX:
            self.empty_items.add(item)


class ValueCache:
    """Maps by root, least recently used first out."""

    def __init__(self) -> None:
        self._by_root: OrderedDict[bytes, Values] = OrderedDict()

    def of(self, root: bytes) -> Values:
        """The values of a root; it knows none yet if nobody read or made it."""
        values = self._by_root.get(root)
        if values is None:
            return self._put(root, Values())
        self._by_root.move_to_end(root)
        return values

    def leave_out_same(
        self, root: bytes, changes: Mapping[bytes, bytes | None]
    ) -> Mapping[bytes, bytes | None]:
        """`changes` without those that are known to change nothing of the root's state.

        Of what an empty block writes a quarter is there already.
        """
        known = self._by_root.get(root)
        if known is None:
            return changes
        find = known.by_key.get
        return {key: value for key, value in changes.items() if find(key, _UNKNOWN) != value}

    def derive(self, parent: bytes, root: bytes, changes: Mapping[bytes, bytes | None]) -> None:
        """A block led from one root to another."""
        before = self._by_root.get(parent)
        if before is None or root in self._by_root:
            return
        known, empty, after = before.by_key, before.empty_items, Values()
        before.by_key = {key: known[key] for key in changes if key in known}
        before.empty_items = set()
        if len(known) + len(changes) > ENTRIES_MAX:
            known.clear()
        if len(changes) <= ENTRIES_MAX:
            known.update(changes)
        for key, value in changes.items():
            if value is None:
                continue
            empty.discard(key[:ITEM_BYTES])
            if len(value) > VALUE_BYTES_MAX:
                known.pop(key, None)
        after.by_key, after.empty_items = known, empty
        self._put(root, after)

    def _put(self, root: bytes, values: Values) -> Values:
        self._by_root[root] = values
        if len(self._by_root) > ROOTS_MAX:
            self._by_root.popitem(last=False)
        return values
