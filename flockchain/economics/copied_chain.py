"""A chain that goes on in memory from a copied state, as its own rules and hooks have it.

Owns what consensus adds to an empty block: time and slots go on by one a block. Whoever previews
something calls the pallets in the open block. What nobody can know is made up: the hashes and VRF
outputs of blocks to come, hence draws. Nothing leaves the copy.
Source: FRAME `frame_executive`; WP IV.A, V.E to V.I.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from flockchain.economics.played_chain import PlayedChain
from runtime import frame
from runtime.api import preset_of
from runtime.frame.externalities import StateReader
from runtime.frame.origin import NONE
from runtime.frame.pallet import Pallet
from runtime.primitives.babe_digest import (
    SlotClaim,
    SlotKind,
    claim_log,
    instant_log,
)
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import PreRuntime
from runtime.primitives.types import Hash
from runtime.runtime import Runtime

_NO_PROOF: Final = bytes(80)  # proofs are checked before a block is executed, and here none is


class CopiedChain(PlayedChain):
    """The chain after `block`, whose state is given; the next block is open."""

    def __init__(
        self, state: StateReader, block: Hash, still: Collection[type[Pallet[Any]]] = ()
    ) -> None:
        """The hooks of pallets that are `still` do not run: what only their people could do waits.

        Raises UnknownRuntime if the state is of another release.
        """
        ext = frame.Externalities(state)
        runtime = Runtime(ext, preset_of(state))
        moving = [pallet for pallet in runtime.ordered if type(pallet) not in still]
        super().__init__(ext, runtime, moving, runtime.weights.max_block)
        self._has_slots = runtime.babe.author_vrf_output() is not None
        self._open(self.system.block_number() + 1, block)

    def _open(self, number: int, parent: Hash, logs: Sequence[PreRuntime] = ()) -> None:
        slot_ms, slot = self.runtime.preset.slot_ms, self.runtime.babe.current_slot.get() + 1
        log = self._claim(number, slot) if self._has_slots else instant_log(0)
        super()._open(number, parent, [log, *logs])
        before_ms = self.runtime.timestamp.now_ms()
        now_ms = slot * slot_ms if self._has_slots else before_ms + slot_ms
        self.runtime.timestamp.set(NONE, now_ms)

    def _claim(self, number: int, slot: int) -> PreRuntime:
        """A slot for every block, the authorities in turn."""
        author = number % len(self.runtime.babe.authorities.get())
        output = blake2b_256(b"copied output" + number.to_bytes(4, "little")) * 2
        return claim_log(SlotClaim(SlotKind.SECONDARY, author, slot, output, _NO_PROOF))

    def try_state(self) -> None:
        """Raises AssertionError if an invariant of any pallet is broken."""
        self.runtime.try_state()
