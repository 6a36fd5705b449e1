"""A rate for each of many keys, one integer a key.

Owns when each key may act next (the generic cell rate algorithm: a bucket that drains steadily,
written down as the time at which it will be empty). Invariant: over any span a key acts at most
`burst` times more than once an interval; at most `keys_max` keys are remembered, those unused for
longest go first.
Source: ITU-T I.371 (generic cell rate algorithm).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")


class KeyedRate(Generic[Key]):
    """Each key may act once an `interval_ms`, and `burst` times at once after a rest."""

    def __init__(self, interval_ms: int, burst: int, keys_max: int) -> None:
        self._interval_ms = interval_ms
        self._burst_ms = interval_ms * burst
        self._keys_max = keys_max
        self._empty_at_ms: OrderedDict[Key, int] = OrderedDict()

    def take(self, key: Key, now_ms: int) -> bool:
        """Whether `key` may act now; if so, that is counted."""
        empty_at_ms = max(self._empty_at_ms.get(key, 0), now_ms) + self._interval_ms
        if empty_at_ms - now_ms > self._burst_ms:
            return False
        self._empty_at_ms[key] = empty_at_ms
        self._empty_at_ms.move_to_end(key)
        if len(self._empty_at_ms) > self._keys_max:
            self._empty_at_ms.popitem(last=False)
        return True

    def __len__(self) -> int:
        return len(self._empty_at_ms)
