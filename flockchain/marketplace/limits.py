"""How much a caller may ask of a host at once, and in a minute.

Owns the counts of running calls. Invariant: at most so many run, of one caller and of all.
Source: OpenAI's API reference (429); WP II.C (quotas).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from flockchain.clock import Clock
from flockchain.keyed_rate import KeyedRate
from flockchain.marketplace.errors import too_many
from runtime.primitives.types import AccountId

_MINUTE_MS: Final = 60_000
_CALLERS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a host takes. Sizes in bytes, times in seconds."""

    body_bytes_max: int = 1 << 20
    tokens_max: int = 4096
    tokens_default: int = 256
    calls_max: int = 32
    calls_max_per_caller: int = 4
    calls_per_minute: int = 600
    call_s_max: float = 300.0


class RunningCalls:
    """The calls that run now."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._running: Counter[AccountId] = Counter()
        burst = max(1, limits.calls_per_minute // 4)
        self._rate: KeyedRate[AccountId] = KeyedRate(
            _MINUTE_MS // limits.calls_per_minute, burst, _CALLERS_MAX
        )

    @property
    def total(self) -> int:
        """How many run."""
        return self._running.total()

    @contextmanager
    def enter(self, caller: AccountId) -> Iterator[None]:
        """For the length of a call. Raises ApiError."""
        if self.total >= self._limits.calls_max:
            raise too_many("the host is busy")
        if self._running[caller] >= self._limits.calls_max_per_caller:
            raise too_many(f"more than {self._limits.calls_max_per_caller} calls at a time")
        if not self._rate.take(caller, self._clock.now_ms()):
            raise too_many(f"more than {self._limits.calls_per_minute} calls a minute")
        self._running[caller] += 1
        try:
            yield
        finally:
            self._running[caller] -= 1
            if not self._running[caller]:
                del self._running[caller]
