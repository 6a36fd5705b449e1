"""Estimate, completable and finalized of a round; voters weigh 4, 7 and 3, the threshold is 10."""

import pytest

from flockchain.consensus.grandpa.chain import NotDescendant
from flockchain.consensus.grandpa.messages import PrimaryPropose
from flockchain.consensus.grandpa.round import Round, RoundState
from flockchain.consensus.grandpa.votes import Counted, Phase
from tests.flockchain.consensus.grandpa.keys import (
    authority,
    authority_set,
    precommit,
    prevote,
    sign,
)
from tests.flockchain.consensus.grandpa.tree import Tree, fork_tree

WEIGHTS = {"alice": 4, "bob": 7, "eve": 3}


@pytest.fixture
def tree() -> Tree:
    return fork_tree()


@pytest.fixture
def votes(tree: Tree) -> Round:
    return Round(1, authority_set(WEIGHTS), tree["C"], tree)


def test_nothing_is_known_before_a_supermajority_prevoted(tree, votes):
    votes.import_vote(prevote("bob", tree["ED"]))
    assert votes.state() == RoundState(None, None, None, completable=False)


def test_the_estimate_is_the_ghost_until_a_supermajority_precommitted(tree, votes):
    votes.import_vote(prevote("alice", tree["FC"]))
    votes.import_vote(prevote("bob", tree["ED"]))
    expected = RoundState(tree["E"], tree["E"], None, completable=False)
    assert votes.state() == expected
    votes.import_vote(prevote("eve", tree["F"]))
    assert votes.state() == expected


def test_the_ghost_is_settled_when_no_vote_to_come_can_raise_it(tree, votes):
    assert not votes.is_ghost_settled()
    votes.import_vote(prevote("bob", tree["ED"]))
    assert not votes.is_ghost_settled()
    votes.import_vote(prevote("alice", tree["E"]))
    assert votes.state().prevote_ghost == tree["E"]
    assert not votes.is_ghost_settled()  # 7 for EA, 3 to come
    votes.import_vote(prevote("eve", tree["F"]))
    assert not votes.is_ghost_settled()  # alice, or eve, may still equivocate
    votes.import_vote(prevote("eve", tree["FC"]))
    assert votes.state().prevote_ghost == tree["ED"]  # eve did, and counts for every block
    assert votes.is_ghost_settled()


def test_what_nobody_voted_for_cannot_raise_the_ghost(tree, votes):
    votes.import_vote(prevote("bob", tree["E"]))
    votes.import_vote(prevote("alice", tree["E"]))
    assert votes.is_ghost_settled()


def test_finalized_needs_both_supermajorities(tree, votes):
    votes.import_vote(precommit("alice", tree["FC"]))
    votes.import_vote(precommit("bob", tree["ED"]))
    assert votes.state().finalized is None
    for name, block in [("alice", "FC"), ("bob", "ED"), ("eve", "EA")]:
        votes.import_vote(prevote(name, tree[block]))
    assert votes.state().finalized == tree["E"]
    votes.import_vote(precommit("eve", tree["EA"]))
    assert votes.state().finalized == tree["EA"]
    assert votes.precommit_ghost() == tree["EA"]


def test_an_equivocator_counts_once_for_every_block(tree, votes):
    assert votes.import_vote(prevote("eve", tree["FC"])) == (Counted.FIRST, None)
    counted, evidence = votes.import_vote(prevote("eve", tree["ED"]))
    assert counted is Counted.EQUIVOCATION
    assert evidence is not None
    assert evidence.authority == authority("eve")
    assert (evidence.first, evidence.second) == (
        prevote("eve", tree["FC"]),
        prevote("eve", tree["ED"]),
    )
    assert votes.import_vote(prevote("eve", tree["F"])) == (Counted.REDUNDANT, None)
    assert votes.state().prevote_ghost is None  # three times 3 would be no supermajority either
    assert votes.prevotes.weight == 3
    votes.import_vote(prevote("bob", tree["FA"]))
    assert votes.state().prevote_ghost == tree["FA"]
    assert votes.weight(tree["EC"].hash, Phase.PREVOTE) == 3


def test_the_same_vote_twice_is_no_equivocation(tree, votes):
    votes.import_vote(prevote("eve", tree["FC"]))
    assert votes.import_vote(prevote("eve", tree["FC"])) == (Counted.DUPLICATE, None)


def test_the_estimate_falls_when_the_ghost_cannot_be_committed_any_more(tree):
    votes = Round(1, authority_set(dict.fromkeys("abcdefg", 1)), tree["C"], tree)  # threshold 5
    for name in "abcdefg":
        votes.import_vote(prevote(name, tree["EB"]))
    for name in "abcd":
        votes.import_vote(precommit(name, tree["EA"]))
    assert votes.state() == RoundState(tree["EB"], tree["EB"], None, completable=False)
    votes.import_vote(precommit("e", tree["EA"]))
    # Two are missing and two of the five could still equivocate: 4 for EB, one too few.
    assert votes.state() == RoundState(tree["EB"], tree["EA"], tree["EA"], completable=True)


def test_votes_that_are_missing_may_still_come(tree):
    votes = Round(1, authority_set(dict.fromkeys("abcdefg", 1)), tree["C"], tree)
    for name in "abcdefg":
        votes.import_vote(prevote(name, tree["EB"]))
    for name in "abcde":
        votes.import_vote(precommit(name, tree["EB" if name == "a" else "EA"]))
    # One for EB, two missing, and two of the others could equivocate: 5 of 5.
    assert votes.state() == RoundState(tree["EB"], tree["EB"], tree["EA"], completable=True)
    votes.import_vote(precommit("f", tree["EA"]))
    assert votes.state().estimate == tree["EA"]


def test_a_round_is_open_while_a_child_of_the_ghost_could_be_committed(tree):
    votes = Round(1, authority_set(dict.fromkeys("abcdefg", 1)), tree["C"], tree)
    for name in "abcdefg":
        votes.import_vote(prevote(name, tree["EA"]))
    for name in "abc":
        votes.import_vote(precommit(name, tree["EB"]))
    for name in "de":
        votes.import_vote(precommit(name, tree["EA"]))
    # EB has 3 of 5, two votes are missing: it could still get them, and lie above the GHOST.
    assert votes.state() == RoundState(tree["EA"], tree["EA"], tree["EA"], completable=False)
    votes.import_vote(precommit("f", tree["EA"]))
    votes.import_vote(precommit("g", tree["EA"]))
    # Two equivocations would be tolerable, and 3 + 2 = 5: still open.
    assert not votes.state().completable


def test_proven_equivocators_leave_less_room_for_others(tree):
    votes = Round(1, authority_set(dict.fromkeys("abcdefg", 1)), tree["C"], tree)
    for name in "abcdefg":
        votes.import_vote(prevote(name, tree["EA"]))
        votes.import_vote(precommit(name, tree["EB" if name in "ab" else "EA"]))
    assert votes.state().completable  # 2 + 2 tolerable for EB is below 5
    votes.import_vote(precommit("c", tree["EB"]))
    votes.import_vote(precommit("d", tree["EB"]))
    # c and d are proven: 4 for EB, and no further equivocation is tolerable.
    assert votes.weight(tree["EB"].hash, Phase.PRECOMMIT) == 4
    assert votes.state().completable


def test_a_commit_has_one_vote_a_voter_at_or_above_the_target(tree, votes):
    for name in WEIGHTS:
        votes.import_vote(prevote(name, tree["ED"]))
    votes.import_vote(precommit("bob", tree["EB"]))
    votes.import_vote(precommit("eve", tree["FA"]))
    votes.import_vote(precommit("eve", tree["EC"]))
    assert votes.state().finalized == tree["EB"]
    commit = votes.finalizing_commit()
    assert commit is not None
    assert commit.target == tree["EB"]
    assert {vote.id for vote in commit.precommits} == {authority("bob"), authority("eve")}
    by_eve = next(vote for vote in commit.precommits if vote.id == authority("eve"))
    assert by_eve.precommit.target_hash == tree["EC"].hash


def test_a_commit_does_not_lean_on_votes_for_other_branches(tree, votes):
    for name in WEIGHTS:
        votes.import_vote(prevote(name, tree["ED"]))
    votes.import_vote(precommit("bob", tree["EB"]))
    votes.import_vote(precommit("eve", tree["FA"]))
    votes.import_vote(precommit("eve", tree["FB"]))
    assert votes.state().finalized == tree["EB"]  # eve counts everywhere
    commit = votes.finalizing_commit()
    assert commit is not None
    assert commit.target == tree["E"]  # where a stranger sees her vote count


def test_refused_votes_change_nothing(tree, votes):
    with pytest.raises(NotDescendant):
        votes.import_vote(prevote("bob", tree["A"]))
    with pytest.raises(KeyError, match="is not in authority set"):
        votes.import_vote(prevote("mallory", tree["ED"]))
    with pytest.raises(TypeError, match="PrimaryPropose is not counted"):
        votes.import_vote(sign("bob", PrimaryPropose(tree["ED"].hash, 9)))
    assert votes.prevotes.weight == 0
    assert votes.import_vote(prevote("bob", tree["ED"])) == (Counted.FIRST, None)
