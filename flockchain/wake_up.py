"""The sleep of whoever drives a node: until it is due, or until something is due before that.

Owns one sleeper. Invariant: what is due later than the sleeper wakes anyhow wakes nobody, so that a
thousand submissions a second do not drive the node a thousand times.

Source: this project's own; Substrate's tasks are woken by their streams.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from flockchain.clock import Clock

STEP_MS_MAX: Final = 100
"""The longest sleep: what came meanwhile may have made something due."""


class WakeUp:
    """For one task that sleeps and many callers that know when something is due."""

    def __init__(self, clock: Clock, step_ms_max: int = STEP_MS_MAX) -> None:
        self._clock = clock
        self._step_ms_max = step_ms_max
        self._wakes_at_ms = 0
        self._wake = asyncio.Event()

    async def sleep_until(self, due_ms: int) -> None:
        """Return when it is due, 1 ms from now at the earliest, or after the longest sleep."""
        now_ms = self._clock.now_ms()
        wait_ms = min(max(due_ms - now_ms, 1), self._step_ms_max)
        self._wakes_at_ms = now_ms + wait_ms
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), wait_ms / 1_000)
        self._wake.clear()

    def expect(self, due_ms: int) -> None:
        """Something is due then: wake the sleeper if it would sleep longer."""
        if due_ms < self._wakes_at_ms:
            self._wake.set()
