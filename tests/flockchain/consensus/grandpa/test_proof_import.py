"""Proofs of finality that come with blocks: followed up one chain, by the right voters only."""

from __future__ import annotations

import pytest

from flockchain.consensus.grandpa.justification import JustificationError
from flockchain.consensus.grandpa.messages import (
    JUSTIFICATION,
    Commit,
    GrandpaJustification,
    Precommit,
    SignedMessage,
    signed_precommit,
    signing_payload,
)
from flockchain.consensus.grandpa.proof_import import finalize_by_proof
from flockchain.keys import KeyPair
from runtime.primitives.header import Header
from runtime.primitives.types import Hash
from tests.flockchain.chain.chain_fixture import FIRST, KEYS, Place


def prove(block: Hash, number: int, keys: list[KeyPair], set_id: int = 0) -> bytes:
    """A justification by these voters."""
    vote = Precommit(block, number)
    signed = [
        SignedMessage(vote, key.sign(signing_payload(vote, 1, set_id)), key.public) for key in keys
    ]
    commit = Commit(block, number, [signed_precommit(one) for one in signed])
    return JUSTIFICATION.encode(GrandpaJustification(1, commit, []))


def grown(count: int = 3) -> tuple[Place, list[Header]]:
    place = Place()
    headers = [place.backend.header(block) for block in place.grow(count)]
    return place, [header for header in headers if header is not None]


def test_a_proof_finalizes_its_block_and_is_kept() -> None:
    place, headers = grown()
    proof = prove(headers[1].hash(), 2, KEYS)
    finalize_by_proof(place.backend, headers[1], proof)
    assert place.backend.finalized.number == 2
    assert place.backend.blocks.justification(headers[1].hash()) == proof
    finalize_by_proof(place.backend, headers[0], b"whatever: it is final already")
    assert place.backend.finalized.number == 2


@pytest.mark.parametrize(
    ("keys", "set_id", "target"), [(KEYS[:1], 0, 1), (KEYS, 1, 1), (KEYS, 0, 0)]
)
def test_too_few_voters_another_set_or_another_block_prove_nothing(
    keys: list[KeyPair], set_id: int, target: int
) -> None:
    place, headers = grown()
    proof = prove(headers[target].hash(), target + 1, keys, set_id)
    with pytest.raises(JustificationError):
        finalize_by_proof(place.backend, headers[1], proof)
    assert place.backend.finalized.number == 0


def test_bytes_that_are_no_proof_are_refused() -> None:
    place, headers = grown(1)
    with pytest.raises(JustificationError, match="cannot be read"):
        finalize_by_proof(place.backend, headers[0], b"\0" * 40)


def test_a_fork_of_what_is_final_stays_a_fork() -> None:
    place, headers = grown()
    lost, _ = place.make(headers[0].hash(), FIRST + 9)
    finalize_by_proof(place.backend, headers[1], prove(headers[1].hash(), 2, KEYS))
    with pytest.raises(JustificationError, match="does not build on the finalized block 2"):
        finalize_by_proof(place.backend, lost, prove(lost.hash(), 2, KEYS))
