"""No more than so many ticks a second, however often something changes.

Invariant: between two ticks lie at least `gap_s`; the first change after a quiet time waits for
nothing. A node that catches up tells of a thousand best blocks a second: what is known last counts.

Source: WP II.B (roles as programs).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """Holds a loop back. `clock` in seconds and `sleep` are given by tests."""

    def __init__(
        self,
        gap_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gap_s = gap_s
        self._clock = clock
        self._sleep = sleep
        self._not_before = clock()

    async def wait(self) -> None:
        """Until the next tick may begin."""
        ahead_s = self._not_before - self._clock()
        if ahead_s > 0:
            await self._sleep(ahead_s)

    def done(self) -> None:
        """A tick has ended."""
        self._not_before = self._clock() + self._gap_s
