"""Turns: the epochs that the chain has seen, counted, and when changes of membership act.

Members of epoch N are fixed when epoch N−2 begins, before its randomness R(N) is known. Epochs
without a block have no turn: the randomness announced before them serves the next one with a block,
so counting epochs by their index would let a key be chosen after its randomness.
Source: WP VI.B, VI.H (selection by VRF); consensus is the chain's own.
"""

from __future__ import annotations

from typing import Final

from runtime.pallets.fl_alliance.records import Turn
from runtime.pallets.fl_alliance.storage import FlAlliance
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import Hash

NOTICE_TURNS: Final = 3  # a change acts in the third epoch after the one in which it is made


class Turns:
    """Follows the epochs."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance

    def follow(self, number: int) -> None:
        """Note the epoch of this block, if it is a new one."""
        alliance = self.alliance
        epoch, known = self._epoch(number), alliance.turn.find()
        if known is None or known.epoch != epoch:
            count = 0 if known is None else known.count + 1
            alliance.turn.put(Turn(count, epoch, self._randomness(epoch)))

    def _is_instant(self) -> bool:
        return self.alliance.randomness.author_vrf_output() is None

    def _epoch(self, number: int) -> int:
        if self._is_instant():
            return number // self.alliance.config.epoch_blocks
        return self.alliance.randomness.epoch_index()

    def _randomness(self, epoch: int) -> Hash:
        if self._is_instant():
            parent = self.alliance.block.parent()
            return blake2b_256(b"flock/rand" + parent + epoch.to_bytes(8, "little"))
        return self.alliance.randomness.epoch_randomness()

    def now(self) -> Turn:
        """The turn of this block."""
        return self.alliance.turn.get()

    def acting(self) -> int:
        """The first turn in which what a member decides now acts."""
        return self.now().count + NOTICE_TURNS
