"""A chain in memory that is played block by block: what all what-if chains share.

Owns blocks without extrinsics: pallets' hooks run as the executive runs them, without weights and
fees. Invariant: a block is always open for calls, and every rule that pays is the chain's own
pallet, wired as in a node; nothing here computes an amount.
Source: FRAME `frame_executive`; WP IV.A, V.E to V.I.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from runtime import frame
from runtime.frame.origin import signed
from runtime.frame.pallet import Pallet
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Digest, PreRuntime
from runtime.primitives.types import AccountId, Hash
from runtime.runtime import Runtime

SEALING_KEY: Final = (9).to_bytes(32, "little")  # the curve's base point: everybody's


class PlayedChain:
    """The pallets of a runtime by name; the hooks of `pallets` run, in that order."""

    def __init__(
        self,
        ext: frame.Externalities,
        runtime: Runtime,
        pallets: Sequence[Pallet[Any]],
        idle: frame.Weight,
    ) -> None:
        """`idle`: what a block has left for work that can wait."""
        self.ext = ext
        self.runtime = runtime
        self._pallets = pallets
        self._idle = idle
        self.system, self.balances = runtime.system, runtime.balances
        self.ledger, self.tasks = runtime.delegation, runtime.tasks
        self.emission, self.arena = runtime.emission, runtime.arena
        self.alliance = runtime.alliance

    @property
    def position(self) -> int:
        """The offset in the day of the block that is open."""
        return self.arena.config.calendar.position_of(self.system.block_number())

    def fund(self, who: AccountId, amount: int) -> None:
        """Mint to the account: `amount` can be staked, and the account exists."""
        deposit = self.balances.config.existential_deposit
        self.balances.mint(who, amount + deposit)

    def set_sealing_key(self, who: AccountId) -> None:
        """Let the account be drawn as a validator. Nothing is sealed here: scores are given."""
        self.arena.set_sealing_key(signed(who), SEALING_KEY)

    def advance(self) -> list[object]:
        """Close the open block and open the next; what happened since the block was opened."""
        number = self.system.block_number()
        self._close(number)
        self._open(number + 1, Hash(blake2b_256(number.to_bytes(4, "little"))))
        events = [event for _, event in self.ext.events]
        self.ext.events.clear()
        return events

    def advance_to(self, position: int) -> list[object]:
        """Close blocks until one at this offset of a day is open; the events of all of them."""
        events = self.advance()
        while self.position != position:
            events += self.advance()
        return events

    def _close(self, number: int) -> None:
        self.system.begin_finalization()
        for pallet in self._pallets:
            pallet.on_idle(number, self._idle)
        for pallet in self._pallets:
            pallet.on_finalize(number)

    def _open(self, number: int, parent: Hash, logs: Sequence[PreRuntime] = ()) -> None:
        self.system.initialize(number, parent, Digest(list(logs)))
        for pallet in self._pallets:
            pallet.on_initialize(number)
