"""Evidence: two signatures of one authority that no honest one gives.

Owns what proves an offence by itself, without the chain: two headers for one slot, or two votes of
one kind in one round. Whose the key was, and what it costs, others say. Invariant: evidence that
verifies exists only if the key signed both.
Source: Substrate `sp_consensus_slots::EquivocationProof`, `sp_consensus_grandpa::Equivocation`;
WP II.A.
"""

from __future__ import annotations

from runtime.primitives.babe_digest import find_claim
from runtime.primitives.grandpa_votes import PrimaryPropose, SignedMessage, is_signed
from runtime.primitives.header import Header
from runtime.primitives.scale import DecodeError, scale_type
from runtime.primitives.slot_seal import BadSeal, check_seal, seal_payload
from runtime.primitives.types import U64, Bytes32


class InvalidEvidence(ValueError):
    """The two signatures do not prove an offence; the message says why."""


@scale_type(path="flockchain_consensus::BlockEquivocation")
class BlockEquivocation:
    """Two different sealed headers of `authority`, an ed25519 key, for `slot`."""

    authority: Bytes32
    slot: U64
    first: Header
    second: Header


@scale_type(path="flockchain_consensus::VoteEquivocation")
class VoteEquivocation:
    """Two votes of one authority, of one kind, in one round of a set."""

    set_id: U64
    round: U64
    first: SignedMessage
    second: SignedMessage


def verify_blocks(evidence: BlockEquivocation) -> None:
    """Check that both headers are the author's, for the slot, and differ.

    Raises: InvalidEvidence.
    """
    if seal_payload(evidence.first) == seal_payload(evidence.second):
        raise InvalidEvidence("the two headers are one")
    for header in (evidence.first, evidence.second):
        try:
            claim = find_claim(header)
            check_seal(header, evidence.authority)
        except (DecodeError, BadSeal) as error:
            raise InvalidEvidence(str(error)) from error
        if claim is None or claim.slot != evidence.slot:
            raise InvalidEvidence(f"header {header.number} is not of slot {evidence.slot}")


def verify_votes(evidence: VoteEquivocation) -> None:
    """Check that both votes are one authority's, of one kind, and differ.

    Raises: InvalidEvidence.
    """
    first, second = evidence.first, evidence.second
    if first.id != second.id:
        raise InvalidEvidence("the two votes are of two authorities")
    kind = type(first.message)
    if kind is not type(second.message) or kind is PrimaryPropose:
        raise InvalidEvidence("the two votes may stand beside each other")
    if first.message == second.message:
        raise InvalidEvidence("the two votes are one")
    for signed in (first, second):
        if not is_signed(signed, evidence.round, evidence.set_id):
            raise InvalidEvidence(f"a vote of 0x{signed.id.hex()} is not signed")
