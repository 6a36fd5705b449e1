"""What the newest states hold at the keys that blocks read again and again.

Owns a few maps from key to value, one a state root; a block's state begins with its parent's map
and the block's changes. Invariant: an entry is what the state with that root holds, so it can be
superfluous but never stale, whatever became of a batch.
Source: WP II.A (state and ledger), Substrate `sp_trie::cache`, adapted.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

ROOTS_MAX: Final = 4
ENTRIES_MAX: Final = 4_096
"""Of one root: copying them costs a block some 40 microseconds."""
VALUE_BYTES_MAX: Final = 1_024
"""Larger values are read from the trie, so that 16 MiB bound all entries."""

Values = dict[bytes, bytes | None]
_UNKNOWN: Final = object()


class ValueCache:
    """Maps by root, least recently used first out."""

    def __init__(self) -> None:
        self._by_root: OrderedDict[bytes, Values] = OrderedDict()

    def of(self, root: bytes) -> Values:
        """The map of a root, empty if it has none yet; only `remember` writes to it."""
        values = self._by_root.get(root)
        if values is None:
            return self._put(root, {})
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
        find = known.get
        return {key: value for key, value in changes.items() if find(key, _UNKNOWN) != value}

    def derive(self, parent: bytes, root: bytes, changes: Mapping[bytes, bytes | None]) -> None:
        """A block led from one root to another."""
        before = self._by_root.get(parent)
        if before is None or root in self._by_root:
            return
        if len(before) + len(changes) > ENTRIES_MAX:
            before = {}
        values = {**before, **changes} if len(changes) <= ENTRIES_MAX else {}
        for key, value in changes.items():
            if value is not None and len(value) > VALUE_BYTES_MAX:
                values.pop(key, None)
        self._put(root, values)

    def _put(self, root: bytes, values: Values) -> Values:
        self._by_root[root] = values
        if len(self._by_root) > ROOTS_MAX:
            self._by_root.popitem(last=False)
        return values


def remember(values: Values, key: bytes, value: bytes | None) -> None:
    """Keep what a state holds at a key, if there is room."""
    if len(values) < ENTRIES_MAX and (value is None or len(value) <= VALUE_BYTES_MAX):
        values[key] = value
