"""Justifications: what honest nodes make is accepted, every forgery is refused by its own rule."""

from dataclasses import replace

import pytest

from flockchain.consensus.grandpa.justification import (
    BadSignature,
    BrokenAncestry,
    DuplicateVoter,
    InsufficientWeight,
    JustificationError,
    UnknownVoter,
    UnusedHeader,
    VoteBelowTarget,
    WrongTarget,
    from_commit,
    verify,
    verify_for,
)
from flockchain.consensus.grandpa.messages import (
    JUSTIFICATION,
    Commit,
    GrandpaJustification,
    PrecommitTarget,
    SignedPrecommit,
    signed_precommit,
)
from flockchain.consensus.grandpa.round import Round
from runtime.primitives.scale import DecodeError
from tests.flockchain.consensus.grandpa.keys import (
    authority,
    authority_set,
    precommit,
    prevote,
)
from tests.flockchain.consensus.grandpa.tree import fork_tree

TREE = fork_tree()
AUTHORITIES = authority_set({"alice": 4, "bob": 7, "eve": 3, "dave": 2}, set_id=6)  # threshold 11
ROUND = 8


def vote(name: str, block: str, round_number: int = ROUND, set_id: int = 6) -> SignedPrecommit:
    return signed_precommit(precommit(name, TREE[block], round_number, set_id))


def justify(target: str, *votes: SignedPrecommit, headers: str | None = None):
    """A justification with the ancestry its votes need, or with the headers named."""
    commit = Commit(TREE[target].hash, TREE[target].number, list(votes))
    if headers is None:
        return from_commit(ROUND, commit, TREE)
    named = [TREE.header(TREE[name].hash) for name in headers.split()]
    return GrandpaJustification(ROUND, commit, named)


GOOD = justify("E", vote("alice", "EB"), vote("bob", "E"), vote("eve", "FA"))


def test_votes_at_and_above_the_target_suffice():
    verify(GOOD, AUTHORITIES)
    verify_for(GOOD, AUTHORITIES, TREE["E"])
    assert [TREE[name].hash for name in ("EA", "EB", "F", "FA")].sort() == [
        header.hash() for header in GOOD.votes_ancestries
    ].sort()


def test_what_a_round_finalizes_verifies():
    votes = Round(ROUND, AUTHORITIES, TREE["C"], TREE)
    for name, block in [("alice", "EC"), ("bob", "EB"), ("eve", "FA"), ("dave", "EA")]:
        votes.import_vote(prevote(name, TREE["EC"], ROUND, 6))
        votes.import_vote(precommit(name, TREE[block], ROUND, 6))
    commit = votes.finalizing_commit()
    assert commit is not None
    assert commit.target == TREE["EB"]
    verify(from_commit(ROUND, commit, TREE), AUTHORITIES)


def with_votes(*votes: SignedPrecommit) -> GrandpaJustification:
    return justify("E", *votes)


def with_signature_of(signer: SignedPrecommit, claimed: SignedPrecommit) -> SignedPrecommit:
    return replace(claimed, signature=signer.signature)


ALICE, BOB, EVE = vote("alice", "EB"), vote("bob", "E"), vote("eve", "FA")
WRONG_HEIGHT = replace(ALICE, precommit=PrecommitTarget(TREE["EB"].hash, 8))
OTHER_GRANDCHILD = TREE.header(TREE["EB"].hash)
FORGERIES = {
    "duplicate voter": (with_votes(BOB, BOB, EVE), DuplicateVoter),
    "two votes of one": (with_votes(BOB, vote("bob", "EA"), EVE), DuplicateVoter),
    "unknown voter": (with_votes(ALICE, BOB, vote("mallory", "E")), UnknownVoter),
    "no votes": (with_votes(), InsufficientWeight),
    "too light": (with_votes(ALICE, EVE, vote("dave", "E")), InsufficientWeight),
    "one below the threshold": (with_votes(BOB, EVE), InsufficientWeight),
    "another round": (with_votes(ALICE, vote("bob", "E", 9), EVE), BadSignature),
    "another set": (with_votes(ALICE, vote("bob", "E", ROUND, 5), EVE), BadSignature),
    "another's signature": (with_votes(ALICE, with_signature_of(EVE, BOB), EVE), BadSignature),
    "a prevote's signature": (
        with_votes(
            ALICE, replace(BOB, signature=prevote("bob", TREE["E"], ROUND, 6).signature), EVE
        ),
        BadSignature,
    ),
    "round renumbered": (replace(GOOD, round=ROUND + 1), BadSignature),
    "vote below the target": (
        justify("E", ALICE, vote("bob", "D"), EVE, headers="EA EB F FA"),
        VoteBelowTarget,
    ),
    "vote beside the target": (
        justify("EA", ALICE, vote("bob", "F"), vote("eve", "EA"), headers="EB"),
        VoteBelowTarget,
    ),
    "vote on another branch": (
        justify("EA", ALICE, vote("bob", "FA"), vote("eve", "EA"), headers="EB F FA"),
        BrokenAncestry,
    ),
    "missing header": (justify("E", ALICE, BOB, EVE, headers="EB F FA"), BrokenAncestry),
    "no headers": (justify("E", ALICE, BOB, EVE, headers=""), BrokenAncestry),
    "unused header": (justify("E", ALICE, BOB, EVE, headers="EA EB EC F FA"), UnusedHeader),
    "target's own header": (justify("E", ALICE, BOB, EVE, headers="E EA EB F FA"), UnusedHeader),
    "header twice": (justify("E", ALICE, BOB, EVE, headers="EA EA EB F FA"), UnusedHeader),
    "wrong height of a vote": (
        justify("E", WRONG_HEIGHT, BOB, EVE, headers="EA EB F FA"),
        BrokenAncestry,
    ),
    "target moved down": (
        replace(GOOD, commit=replace(GOOD.commit, target_hash=TREE["D"].hash, target_number=4)),
        BrokenAncestry,
    ),
    "target renumbered": (
        replace(GOOD, commit=replace(GOOD.commit, target_number=4)),
        BrokenAncestry,
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_refused(name):
    forgery, rule = FORGERIES[name]
    with pytest.raises(JustificationError) as refused:
        verify(forgery, AUTHORITIES)
    assert type(refused.value) is rule


def test_a_justification_serves_its_own_block_only():
    with pytest.raises(WrongTarget, match=r"justification for #5 .*, not for #4"):
        verify_for(GOOD, AUTHORITIES, TREE["D"])


def test_messages_name_the_rule():
    with pytest.raises(InsufficientWeight, match=r"^weight 10, 11 is needed$"):
        verify(with_votes(BOB, EVE), AUTHORITIES)
    with pytest.raises(DuplicateVoter, match=f"^two precommits of 0x{authority('bob').hex()}$"):
        verify(with_votes(BOB, BOB, EVE), AUTHORITIES)


def test_every_flipped_bit_is_refused():
    wire = JUSTIFICATION.encode(GOOD)
    accepted = []
    for position in range(8 * len(wire)):
        flipped = bytearray(wire)
        flipped[position // 8] ^= 1 << position % 8
        try:
            forged = JUSTIFICATION.decode_all(bytes(flipped))
            verify(forged, AUTHORITIES)
        except (DecodeError, JustificationError):
            continue
        accepted.append(position)
    assert accepted == []


def test_weights_near_the_limit_do_not_overflow():
    heavy = authority_set({"alice": 2**64 - 1, "bob": 2**64 - 1, "eve": 2**64 - 1}, set_id=6)
    verify(GOOD, heavy)
    with pytest.raises(InsufficientWeight):
        verify(with_votes(BOB, EVE), heavy)
