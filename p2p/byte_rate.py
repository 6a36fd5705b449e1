"""How many bytes a second a peer gets from us: not a refusal, but a wait before the answer.

Owns when each key's answers so far will have been worth their time (the generic cell rate algorithm
over bytes). Invariant: over any span a key gets at most `burst_bytes` more than its rate; at most
`KEYS_MAX` keys are remembered, those unused for longest go first.
Source: WP II.A (peer-to-peer layer); ITU-T I.371 (generic cell rate algorithm)
"""

from collections import OrderedDict
from typing import Final

KEYS_MAX: Final = 1_024


class ByteRate:
    """Each key may have `bytes_per_s`, and `burst_bytes` at once after a rest."""

    def __init__(self, bytes_per_s: int, burst_bytes: int) -> None:
        self._bytes_per_s = bytes_per_s
        self._burst_us = burst_bytes * 1_000_000 // bytes_per_s
        self._empty_at_us: OrderedDict[str, int] = OrderedDict()

    def wait_us(self, key: str, size_bytes: int, now_us: int) -> int:
        """Count an answer of that size; how long it has to wait."""
        cost_us = size_bytes * 1_000_000 // self._bytes_per_s
        empty_at_us = max(self._empty_at_us.get(key, 0), now_us) + cost_us
        self._empty_at_us[key] = empty_at_us
        self._empty_at_us.move_to_end(key)
        if len(self._empty_at_us) > KEYS_MAX:
            self._empty_at_us.popitem(last=False)
        return max(0, empty_at_us - now_us - self._burst_us)
