"""Who watches which extrinsic: one listener at the pool for all connections.

Source: Substrate `sc_transaction_pool::graph::watcher`.
"""

from __future__ import annotations

from collections.abc import Callable

from flockchain.pool.entry import Status
from flockchain.pool.pool import Pool
from runtime.primitives.types import Hash

Watcher = Callable[[Status, Hash | None], None]


class ExtrinsicWatch:
    """Hands the pool's news of an extrinsic to those who asked for it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._watchers: dict[Hash, list[Watcher]] = {}
        pool.listeners.append(self._on_status)

    def add(self, extrinsic: Hash, watcher: Watcher) -> None:
        """Tell `watcher` what becomes of an extrinsic."""
        self._watchers.setdefault(extrinsic, []).append(watcher)

    def remove(self, extrinsic: Hash, watcher: Watcher) -> None:
        """Tell it no more; nothing happens if it is not told any more."""
        watchers = self._watchers.get(extrinsic, [])
        if watcher in watchers:
            watchers.remove(watcher)
        if not watchers:
            self._watchers.pop(extrinsic, None)

    def close(self) -> None:
        """Stop listening to the pool."""
        self._pool.listeners.remove(self._on_status)
        self._watchers.clear()

    def _on_status(self, extrinsic: Hash, status: Status, block: Hash | None) -> None:
        for watcher in list(self._watchers.get(extrinsic, ())):
            watcher(status, block)
