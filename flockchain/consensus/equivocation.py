"""Two headers of one author for one slot.

Owns the detection. Both blocks stay importable, since honest nodes may have seen either first; the
pair is evidence for the offences pallet. Invariant: one piece of evidence a slot and author; what
is remembered is bounded by twice the window of slots times the authors, all headers being sealed.
Source: WP II.A (nothing at stake); Substrate `sp_consensus_slots::EquivocationProof`.
"""

from typing import Final

from runtime.primitives.evidence import BlockEquivocation
from runtime.primitives.header import Header
from runtime.primitives.slot_seal import seal_payload

WINDOW_SLOTS: Final = 1_000
"""Slots remembered behind the newest one seen."""


class EquivocationDetector:
    """Remembers who sealed what in the last slots."""

    __slots__ = ("_newest", "_seen", "_window")

    def __init__(self, window_slots: int = WINDOW_SLOTS) -> None:
        self._window = window_slots
        self._newest = 0
        self._seen: dict[int, dict[bytes, Header | None]] = {}

    def observe(self, authority: bytes, slot: int, header: Header) -> BlockEquivocation | None:
        """Note a header whose claim and seal were checked; the evidence if it is a second one."""
        if slot + self._window < self._newest:
            return None
        if slot > self._newest:
            self._newest = slot
            if len(self._seen) > 2 * self._window:  # seldom: most slots have one block
                self._seen = {
                    one: kept for one, kept in self._seen.items() if one + self._window >= slot
                }
        authors = self._seen.setdefault(slot, {})
        if authority not in authors:
            authors[authority] = header
            return None
        first = authors[authority]
        # A second signature on one block is no second block.
        if first is None or seal_payload(first) == seal_payload(header):
            return None
        authors[authority] = None  # proved already: a third header adds nothing
        return BlockEquivocation(authority, slot, first, header)
