"""Instant seal: a development node makes a block whenever there is something to put into it.

Blocks claim no slot and carry no seal; each is final at once. Only `--dev` chains accept them.

Source: Substrate `sc_consensus_manual_seal`.
"""

from __future__ import annotations

import logging
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.chain.builder import build_block
from flockchain.chain.errors import InvalidBlock
from flockchain.chain.importer import Importer
from flockchain.chain.notifications import Imported
from flockchain.clock import Clock
from flockchain.pool.pool import Pool
from runtime.api import runtime_at
from runtime.primitives.babe_digest import INSTANT_ENGINE, instant_log
from runtime.primitives.header import Header, PreRuntime

log = logging.getLogger(__name__)

_IDLE_MS: Final = 3_600_000


class InstantConsensus:
    """Accepts blocks of the instant engine only."""

    def verify(self, header: Header, parent: Header) -> None:
        """Check that the block was sealed at once. Raises InvalidBlock."""
        logs = header.digest.logs
        if len(logs) != 1 or not isinstance(logs[0], PreRuntime):
            raise InvalidBlock(f"block {header.number} is not sealed at once")
        if logs[0].engine != INSTANT_ENGINE:
            raise InvalidBlock(f"block {header.number} is of engine {logs[0].engine!r}")


class InstantAuthor:
    """Seals when the pool has something ready, or at an interval in milliseconds."""

    def __init__(
        self,
        backend: Backend,
        importer: Importer,
        pool: Pool,
        clock: Clock,
        interval_ms: int | None,
    ) -> None:
        self._backend = backend
        self._importer = importer
        self._pool = pool
        self._clock = clock
        self._interval_ms = interval_ms
        self._due_ms = clock.now_ms() + (interval_ms or 0)

    def next_slot_ms(self) -> int:
        """When a block is due: now, if an extrinsic waits."""
        if self._interval_ms:
            return self._due_ms
        now_ms = self._clock.now_ms()
        return now_ms if self._pool.ready.entries else now_ms + _IDLE_MS

    def on_time(self, now_ms: int) -> tuple[Imported, list[bytes]] | None:
        """Seal a block if one is due."""
        if now_ms < self.next_slot_ms():
            return None
        if self._interval_ms:
            self._due_ms = max(self._due_ms + self._interval_ms, now_ms)
        return self.seal()

    def seal(self) -> tuple[Imported, list[bytes]]:
        """Make a block of whatever is ready and make it final."""
        parent = self._backend.best
        state = self._backend.state_at(parent.hash)
        runtime = runtime_at(state)
        # The chain's time must rise; extrinsics may come faster than the minimum period.
        earliest_ms = runtime.timestamp.now.get() + runtime.timestamp.config.minimum_period
        now_ms = max(self._clock.now_ms(), earliest_ms)
        built = build_block(
            state,
            parent.hash,
            parent.number + 1,
            [instant_log(0)],
            now_ms,
            (entry.data for entry in list(self._pool.best())),
            self._importer.verify,
            lambda: False,
            lambda extrinsic: self._pool.remove_invalid(extrinsic, now_ms),
        )
        header, delta = self._importer.prepare(built)
        imported = self._importer.import_own(header, built.body, delta)
        log.info(
            "sealed #%d (0x%s..) %d extrinsics",
            header.number,
            imported.hash[:4].hex(),
            len(built.body),
        )
        self._backend.finalize(imported.hash)
        return imported, built.body
