"""Peers' finality has left ours behind: their chain is asked for, though nobody announced a block.

A node that was cut off may have a branch of its own that leaves the others' chain below what they
made final. If nobody makes blocks then, as at the end of a release, no announcement tells it of
theirs, and their votes are for blocks it cannot place. But neighbours say how far their finality
is; whoever stays below that for a while follows them as if they had announced their final block.
Invariant: no question while our own finality rises.
Source: Substrate `sc_consensus_grandpa` (neighbour packets), `sc_network_sync`; WP II.A.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flockchain.sync.block_sync import BlockSync
from p2p.interface import PeerId
from runtime.primitives.types import Hash

PATIENCE_MS: Final = 10_000
_UNKNOWN: Final = Hash(bytes(32))  # of a block that is final at a peer: it told the height alone

Heights = Callable[[], list[tuple[PeerId, int]]]


class BehindFinality:
    """Compares our final block with what neighbours say of theirs."""

    def __init__(self, sync: BlockSync) -> None:
        self._sync = sync
        self._final = -1
        self._next_ms = 0

    def look(self, now_ms: int, final: int, heights: Heights) -> None:
        """Our final block's number; `heights` tells how high those of peers are, if it is time."""
        if final != self._final:
            self._final, self._next_ms = final, now_ms + PATIENCE_MS
        elif now_ms >= self._next_ms:
            self._next_ms = now_ms + PATIENCE_MS
            for peer, height in heights():
                if height > final:
                    self._sync.on_peer(peer, height, _UNKNOWN)
