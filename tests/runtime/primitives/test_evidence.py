"""Evidence: two signatures that no honest authority gives, and what only looks like it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flockchain.consensus.babe.seal import seal_header
from flockchain.keys import key_pair_from_seed
from runtime.primitives.babe_digest import SlotClaim, SlotKind, claim_log
from runtime.primitives.evidence import (
    BlockEquivocation,
    InvalidEvidence,
    VoteEquivocation,
    verify_blocks,
    verify_votes,
)
from runtime.primitives.grandpa_votes import (
    Message,
    Precommit,
    Prevote,
    PrimaryPropose,
    SignedMessage,
    signing_payload,
)
from runtime.primitives.header import Digest, Header
from runtime.primitives.types import ZERO_HASH, Hash

KEY, OTHER = (key_pair_from_seed(bytes([seed]) * 32, "ed25519") for seed in (1, 2))
A, B = Hash(b"a" * 32), Hash(b"b" * 32)


def sealed(slot: int, root: Hash) -> Header:
    claim = SlotClaim(SlotKind.PRIMARY, 0, slot, bytes(64), bytes(80))
    return seal_header(Header(ZERO_HASH, 3, root, ZERO_HASH, Digest([claim_log(claim)])), KEY.sign)


def signed(message: Message, key: object = KEY) -> SignedMessage:
    assert key in (KEY, OTHER)
    signer = KEY if key is KEY else OTHER
    return SignedMessage(message, signer.sign(signing_payload(message, 5, 1)), signer.account)


BLOCKS = BlockEquivocation(KEY.account, 50, sealed(50, A), sealed(50, B))
VOTES = VoteEquivocation(1, 5, signed(Prevote(A, 9)), signed(Prevote(B, 9)))


def test_two_blocks_for_a_slot_and_two_votes_in_a_round_are_evidence() -> None:
    verify_blocks(BLOCKS)
    verify_votes(VOTES)
    verify_votes(replace(VOTES, first=signed(Precommit(A, 9)), second=signed(Precommit(A, 10))))


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (replace(BLOCKS, second=BLOCKS.first), "the two headers are one"),
        (replace(BLOCKS, authority=OTHER.account), "seal of header 3 is not of 0x"),
        (replace(BLOCKS, second=BLOCKS.second.without_seal()), "header 3 ends without a seal"),
        (replace(BLOCKS, second=sealed(51, B)), "header 3 is not of slot 50"),
    ],
)
def test_what_is_no_evidence_against_an_author(evidence: BlockEquivocation, reason: str) -> None:
    with pytest.raises(InvalidEvidence, match=f"^{reason}"):
        verify_blocks(evidence)


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (replace(VOTES, second=VOTES.first), "the two votes are one"),
        (replace(VOTES, second=signed(Prevote(B, 9), OTHER)), "the two votes are of two"),
        (replace(VOTES, second=signed(Precommit(B, 9))), "the two votes may stand beside"),
        (
            replace(VOTES, first=signed(PrimaryPropose(A, 9)), second=signed(PrimaryPropose(B, 9))),
            "the two votes may stand beside",
        ),
        (replace(VOTES, round=6), "a vote of 0x[0-9a-f]+ is not signed"),
        (replace(VOTES, set_id=2), "a vote of 0x[0-9a-f]+ is not signed"),
        (replace(VOTES, second=replace(VOTES.second, signature=bytes(64))), "a vote of 0x"),
    ],
)
def test_what_is_no_evidence_against_a_voter(evidence: VoteEquivocation, reason: str) -> None:
    with pytest.raises(InvalidEvidence, match=f"^{reason}"):
        verify_votes(evidence)
