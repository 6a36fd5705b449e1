"""Byte forms of GRANDPA's messages, laid out by hand from Substrate's declarations."""

import pytest

from flockchain.consensus.grandpa.authorities import AuthoritySet, InvalidAuthoritySet
from flockchain.consensus.grandpa.messages import (
    COMMIT,
    ENVELOPE,
    JUSTIFICATION,
    SIGNED_MESSAGE,
    Commit,
    CommitMessage,
    Envelope,
    GossipCommit,
    GossipVote,
    GrandpaJustification,
    Precommit,
    Prevote,
    PrimaryPropose,
    SignedMessage,
    VoteMessage,
    signed_precommit,
    signing_payload,
)
from tests.flockchain.consensus.grandpa.keys import authority, precommit
from tests.flockchain.consensus.grandpa.tree import fork_tree

HASH = bytes(range(32))


@pytest.mark.parametrize(("kind", "tag"), [(Prevote, 0), (Precommit, 1), (PrimaryPropose, 2)])
def test_a_vote_signs_kind_hash_number_round_and_set_id(kind, tag):
    payload = signing_payload(kind(HASH, 0x01020304), 5, 6)
    assert payload == (
        bytes([tag]) + HASH + bytes([4, 3, 2, 1]) + b"\x05" + bytes(7) + b"\x06" + bytes(7)
    )


def test_a_signed_message_is_message_signature_key():
    signed = SignedMessage(Precommit(HASH, 7), b"s" * 64, b"k" * 32)
    assert SIGNED_MESSAGE.encode(signed) == (b"\x01" + HASH + b"\x07\0\0\0" + b"s" * 64 + b"k" * 32)


def test_a_justification_is_round_commit_and_ancestry():
    tree = fork_tree()
    vote = signed_precommit(precommit("alice", tree["B"]))
    commit = Commit(tree["A"].hash, 1, [vote])
    header = tree.header(tree["B"].hash)
    wire = JUSTIFICATION.encode(GrandpaJustification(9, commit, [header]))
    signed = tree["B"].hash + b"\x02\0\0\0" + vote.signature + authority("alice")
    assert COMMIT.encode(commit) == tree["A"].hash + b"\x01\0\0\0" + b"\x04" + signed
    assert wire == b"\x09" + bytes(7) + COMMIT.encode(commit) + b"\x04" + header.encode()
    assert JUSTIFICATION.decode_all(wire) == GrandpaJustification(9, commit, [header])


def test_an_envelope_carries_the_beat_before_the_message():
    vote = VoteMessage(3, 4, SignedMessage(Prevote(HASH, 7), b"s" * 64, b"k" * 32))
    wire = ENVELOPE.encode(Envelope(258, GossipVote(vote)))
    assert wire[:5] == b"\x02\x01\0\0\0"
    assert wire[5:21] == b"\x03" + bytes(7) + b"\x04" + bytes(7)
    commit = CommitMessage(3, 4, Commit(HASH, 7, []))
    assert ENVELOPE.encode(Envelope(258, GossipCommit(commit)))[4] == 1


def test_the_threshold_leaves_less_than_a_third():
    for total, threshold in [(1, 1), (2, 2), (3, 3), (4, 3), (6, 5), (7, 5), (10, 7), (100, 67)]:
        assert AuthoritySet(0, [(b"k" * 32, total)]).threshold == threshold


def test_authority_sets_refuse_what_breaks_counting():
    with pytest.raises(InvalidAuthoritySet, match="0 authorities, from 1 to 1000 are allowed"):
        AuthoritySet(0, [])
    with pytest.raises(InvalidAuthoritySet, match="is listed twice"):
        AuthoritySet(0, [(HASH, 1), (HASH, 2)])
    with pytest.raises(InvalidAuthoritySet, match="weight 0 of authority"):
        AuthoritySet(0, [(HASH, 0)])
    with pytest.raises(InvalidAuthoritySet, match="weight 18446744073709551616"):
        AuthoritySet(0, [(HASH, 2**64)])


def test_turns_go_round_from_the_primary():
    keys = [bytes([n]) * 32 for n in range(3)]
    authorities = AuthoritySet(0, [(key, 1) for key in keys])
    assert authorities.primary(4) == keys[1]
    assert [authorities.turn(key, 4) for key in keys] == [2, 0, 1]
