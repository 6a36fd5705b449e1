"""Each node's own clock: virtual time, set wrong by some seconds and running a little too fast.

Source: WP II.A; reliability C10 (clock skew).
"""

from __future__ import annotations

from typing import Final

from p2p.memory import MemoryHub

START_MS: Final = 1_700_000_000_000  # what a right clock says first
MILLION: Final = 1_000_000


class SkewedClock:
    """Virtual time as one node sees it; it never stands still and never runs backwards by itself.

    `skew_ms` may be changed at any time, as an operator or a time server does.
    """

    def __init__(self, hub: MemoryHub, skew_ms: int = 0, drift_ppm: int = 0) -> None:
        self._hub = hub
        self.skew_ms = skew_ms
        self.drift_ppm = drift_ppm

    def now_ms(self) -> int:
        """Milliseconds since 1970, as this node believes."""
        elapsed = self._hub.now_ms
        return START_MS + elapsed + elapsed * self.drift_ppm // MILLION + self.skew_ms

    def hub_ms(self, local_ms: int) -> int:
        """The first instant of virtual time at which this clock says `local_ms` or more."""
        elapsed = local_ms - START_MS - self.skew_ms
        return -(-elapsed * MILLION // (MILLION + self.drift_ppm)) if elapsed > 0 else 0
