"""Is this block its author's to make? Slot, lottery and seal against the parent's state.

Source: WP II.A, VI.B; Substrate `sc_consensus_babe::verification`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from flockchain.chain.backend import Backend
from flockchain.chain.errors import EarlyBlock, FutureBlock, InvalidBlock
from flockchain.clock import Clock
from flockchain.consensus.babe.epochs import Epoch, EpochData
from flockchain.consensus.babe.lottery import SlotInFuture, check_claim, check_slot
from flockchain.consensus.babe.seal import check_seal
from flockchain.consensus.equivocation import EquivocationDetector
from runtime.api import epoch_of_slot
from runtime.primitives.babe_digest import find_claim
from runtime.primitives.header import Header
from runtime.primitives.types import Hash

log = logging.getLogger(__name__)


def epoch_after(backend: Backend, parent: Hash, slot: int) -> Epoch:
    """The epoch of a child of `parent` in `slot`."""
    header = backend.header(parent)
    assert header is not None, "the parent is known"
    found = epoch_of_slot(backend.state_at(parent), header.number, slot)
    return Epoch(found.index, EpochData.of(found.authorities, found.randomness))


class BabeConsensus:
    """Checks headers by slot lottery, and names authors that seal two for one slot."""

    def __init__(self, backend: Backend, clock: Clock, slot_ms: int) -> None:
        self._backend = backend
        self._clock = clock
        self.slot_ms = slot_ms
        self._detector = EquivocationDetector()
        self.on_sealed: list[Callable[[bytes, int], None]] = []
        """Told the author and slot of every block of others that passed the checks."""

    def verify(self, header: Header, parent: Header) -> None:
        """Check slot, claim and seal. Raises InvalidBlock, EarlyBlock, FutureBlock."""
        now_slot = self._clock.now_ms() // self.slot_ms
        try:
            claim, before = find_claim(header), find_claim(parent)
            if claim is None:
                raise InvalidBlock(f"block {header.number} claims no slot")
            try:
                check_slot(claim.slot, None if before is None else before.slot, now_slot)
            except SlotInFuture as error:
                raise EarlyBlock(claim.slot, now_slot, claim.slot * self.slot_ms) from error
            epoch = epoch_after(self._backend, header.parent_hash, claim.slot)
            check_claim(claim, epoch)
            author = epoch.data.authorities[claim.authority_index].key
            check_seal(header, author)
        except ValueError as error:
            raise InvalidBlock(f"block {header.number}: {error}") from error
        if claim.slot > now_slot:
            raise FutureBlock(claim.slot, now_slot, claim.slot * self.slot_ms)
        self._watch(author, claim.slot, header)

    def _watch(self, author: bytes, slot: int, header: Header) -> None:
        """Log and count a second block of an author for a slot; both remain importable."""
        for listener in self.on_sealed:
            listener(author, slot)
        evidence = self._detector.observe(author, slot, header)
        if evidence is None:
            return
        log.warning(
            "author 0x%s equivocated in slot %d: 0x%s and 0x%s",
            author.hex(),
            slot,
            evidence.first.hash().hex(),
            evidence.second.hash().hex(),
        )
        self._backend.notifications.evidence(evidence)
