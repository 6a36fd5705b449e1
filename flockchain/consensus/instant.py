"""Instant sealing for development: a block as soon as there is an extrinsic, final at once.

Takes the place of slots, lottery and voting on a chain of one node. Blocks carry the engine's
digest item and no seal, so they are worth nothing to any other consensus.

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
from flockchain.pool.entry import Status
from flockchain.pool.pool import Pool
from runtime.api import runtime_at
from runtime.primitives.babe_digest import INSTANT_ENGINE, instant_log
from runtime.primitives.header import Header, PreRuntime
from runtime.primitives.types import Hash

log = logging.getLogger(__name__)

_BUILD_MS: Final = 1_000  # for one block
_NEVER_MS: Final = 2**62


class InstantConsensus:
    """Checks headers: exactly one digest item of the engine in front, and no seal."""

    def verify(self, header: Header, parent: Header) -> None:
        """Raises InvalidBlock for a block that another engine made."""
        logs = header.digest.logs
        claims = [log for log in logs if isinstance(log, PreRuntime)]
        if len(claims) != 1 or claims[0].engine != INSTANT_ENGINE or len(claims[0].data) != 4:
            raise InvalidBlock(f"block {header.number} was not sealed by instant sealing")
        if header.seal() is not None:
            raise InvalidBlock(f"block {header.number} carries a seal, instant sealing has none")


class InstantSealer:
    """Makes blocks: when the pool has something new, and every `interval_ms` if that is given."""

    stopped_because: str | None = None

    def __init__(
        self,
        backend: Backend,
        importer: Importer,
        pool: Pool,
        clock: Clock,
        *,
        interval_ms: int | None = None,
        authority_index: int = 0,
    ) -> None:
        self._backend = backend
        self._importer = importer
        self._pool = pool
        self._clock = clock
        self._interval_ms = interval_ms
        self._authority_index = authority_index
        self._last_ms = clock.now_ms()
        self._is_wanted = bool(pool.ready.entries)
        pool.listeners.append(self._on_status)

    def next_slot_ms(self) -> int:
        """When a block is due: now, at the interval's end, or never."""
        if self._is_wanted:
            return 0
        return _NEVER_MS if self._interval_ms is None else self._last_ms + self._interval_ms

    def on_time(self, now_ms: int) -> tuple[Imported, list[bytes]] | None:
        """Seal and finalize if a block is due; the block and its body."""
        if now_ms < self.next_slot_ms():
            return None
        return self.seal(now_ms)

    def seal(self, now_ms: int) -> tuple[Imported, list[bytes]]:
        """Make a block of what is ready, import it, make it final."""
        self._last_ms, self._is_wanted = now_ms, False
        parent = self._backend.best
        deadline_ms = self._clock.now_ms() + _BUILD_MS
        state = self._backend.state_at(parent.hash)
        built = build_block(
            state,
            parent.hash,
            parent.number + 1,
            [instant_log(self._authority_index)],
            max(now_ms, self._earliest_ms(parent.hash)),
            (entry.data for entry in list(self._pool.best())),
            self._importer.verify,
            lambda: self._clock.now_ms() >= deadline_ms,
            lambda extrinsic: self._pool.remove_invalid(extrinsic, now_ms),
            self._importer.runtimes.take(Hash(state.root), state),
        )
        header, delta = self._importer.prepare(built)
        imported = self._importer.import_own(header, built.body, delta)
        self._backend.finalize(imported.hash)
        inherents = 1
        if len(built.body) > inherents and self._pool.ready.entries:
            self._is_wanted = True  # the block was full: the rest goes into the next one
        log.info("sealed #%d (0x%s..)", header.number, imported.hash[:4].hex())
        return imported, built.body

    def _earliest_ms(self, parent: Hash) -> int:
        """Times must rise by the minimum period, however fast blocks follow one another."""
        timestamp = runtime_at(self._backend.state_at(parent)).timestamp
        before = timestamp.now_ms()
        return before + timestamp.config.minimum_period if before else 0

    def _on_status(self, extrinsic: Hash, status: Status, block: Hash | None) -> None:
        if status is Status.READY:
            self._is_wanted = True
