"""What a host counts, for Prometheus: calls, how long they took, errors, tokens.

Owns one registry for each host, so that several may live in one process.
Source: Prometheus exposition format; WP II.C (monitoring).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest

_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)


class MarketMetrics:
    """Counters and histograms of a host."""

    def __init__(self, running: Callable[[], int] = lambda: 0) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "flockchain_market_calls",
            "Calls by path, model and HTTP status",
            ["path", "model", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "flockchain_market_call_seconds",
            "From a call's first byte to its answer's last",
            ["path", "model"],
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._first = Histogram(
            "flockchain_market_first_token_seconds",
            "From a call's first byte to its answer's first token",
            ["model"],
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._tokens = Counter(
            "flockchain_market_tokens", "Tokens", ["model", "direction"], registry=self.registry
        )
        self._charged = Counter(
            "flockchain_market_charges",
            "Calls that were served, free and for pay",
            ["model", "charge"],
            registry=self.registry,
        )
        gauge = Gauge("flockchain_market_running", "Calls that run now", registry=self.registry)
        gauge.set_function(running)
        ProcessCollector(registry=self.registry)

    def on_call(self, path: str, model: str, status: int, seconds: float) -> None:
        """A call ended."""
        self._calls.labels(path, model, status).inc()
        self._seconds.labels(path, model).observe(seconds)

    def on_first_token(self, model: str, seconds: float) -> None:
        """An answer began."""
        self._first.labels(model).observe(seconds)

    def on_served(self, model: str, prompt_tokens: int, completion_tokens: int, paid: int) -> None:
        """An answer is whole; `paid` in planck."""
        self._tokens.labels(model, "read").inc(prompt_tokens)
        self._tokens.labels(model, "written").inc(completion_tokens)
        self._charged.labels(model, "paid" if paid else "free").inc()

    def expose(self) -> bytes:
        """Everything in the text format."""
        return generate_latest(self.registry)
