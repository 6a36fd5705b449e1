"""A rate for each of many keys, one integer a key.

Owns when each key may act next (the generic cell rate algorithm: a bucket that drains steadily,
written down as the time at which it will be empty). Invariant: over any span a key is granted at
most `burst` acts more than one an interval; at most `keys_max` keys are remembered, those unused
for longest go first.
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
        self._remember(key, empty_at_ms)
        return True

    def may_act(self, key: Key, now_ms: int) -> bool:
        """Whether `take` would be granted now."""
        empty_at_ms = max(self._empty_at_ms.get(key, 0), now_ms) + self._interval_ms
        return empty_at_ms - now_ms <= self._burst_ms

    def charge(self, key: Key, now_ms: int, count: int) -> None:
        """Count what the key has done already, also beyond its burst: it then rests for longer."""
        empty_at_ms = max(self._empty_at_ms.get(key, 0), now_ms)
        self._remember(key, empty_at_ms + count * self._interval_ms)

    def _remember(self, key: Key, empty_at_ms: int) -> None:
        self._empty_at_ms[key] = empty_at_ms
        self._empty_at_ms.move_to_end(key)
        if len(self._empty_at_ms) > self._keys_max:
            self._empty_at_ms.popitem(last=False)

    def __len__(self) -> int:
        return len(self._empty_at_ms)
