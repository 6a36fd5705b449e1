"""Two headers of one author for one slot.

Owns the detection. Both blocks stay importable, since honest nodes may have seen either first; the
pair is evidence for the offences pallet. Invariant: one piece of evidence a slot and author; what
is remembered is bounded by the window of slots times the authors, all headers being sealed.
Source: reliability C1 (nothing at stake); Substrate `sp_consensus_slots::EquivocationProof`.
"""

from dataclasses import dataclass
from typing import Final

from flockchain.consensus.babe.seal import BadSeal, check_seal
from runtime.primitives.babe_digest import find_claim
from runtime.primitives.header import Header
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import Hash

WINDOW_SLOTS: Final = 1_000
"""Slots remembered behind the newest one seen."""


class InvalidEvidence(ValueError):
    """The two headers do not prove an offence; the message says why."""


@dataclass(frozen=True, slots=True)
class BlockEquivocation:
    """Two different sealed headers of `authority`, a 32-byte key, for `slot`."""

    authority: bytes
    slot: int
    first: Header
    second: Header


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
            for old in [one for one in self._seen if one + self._window < slot]:
                del self._seen[old]
        authors = self._seen.setdefault(slot, {})
        if authority not in authors:
            authors[authority] = header
            return None
        first = authors[authority]
        if first is None or _body(first) == _body(header):
            return None
        authors[authority] = None  # proved already: a third header adds nothing
        return BlockEquivocation(authority, slot, first, header)


def verify_evidence(evidence: BlockEquivocation) -> None:
    """Check that both headers are the author's, for the slot, and differ.

    Raises: InvalidEvidence.
    """
    if _body(evidence.first) == _body(evidence.second):
        raise InvalidEvidence("the two headers are one")
    for header in (evidence.first, evidence.second):
        try:
            claim = find_claim(header)
            check_seal(header, evidence.authority)
        except (DecodeError, BadSeal) as error:
            raise InvalidEvidence(str(error)) from error
        if claim is None or claim.slot != evidence.slot:
            raise InvalidEvidence(f"header {header.number} is not of slot {evidence.slot}")


def _body(header: Header) -> Hash:
    """The header's hash without its seal: a second signature on one block is no second block."""
    return header.without_seal().hash()
