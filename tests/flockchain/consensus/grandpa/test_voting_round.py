"""What a round waits for: the last round's estimate, and that estimate's finality."""

import pytest

from flockchain.consensus.grandpa.messages import BlockRef, Precommit, Prevote
from flockchain.consensus.grandpa.round import Round, RoundState
from flockchain.consensus.grandpa.voting_round import Stage, VotingRound
from tests.flockchain.consensus.grandpa.keys import authority_set, precommit, prevote
from tests.flockchain.consensus.grandpa.tree import Tree, fork_tree

TREE = fork_tree()
NAMES = ("alice", "bob", "carol")


class Before:
    """A last round of which only the state matters."""

    def __init__(self, ghost: BlockRef, estimate: BlockRef, finalized: BlockRef) -> None:
        self.now = RoundState(ghost, estimate, finalized, completable=True)

    def state(self) -> RoundState:
        return self.now


def current(ghost: str, estimate: str, finalized: str) -> VotingRound:
    votes = Round(2, authority_set(dict.fromkeys(NAMES, 1)), TREE["C"], TREE)
    before = Before(TREE[ghost], TREE[estimate], TREE[finalized])
    return VotingRound(votes, before, started_ms=0, gossip_ms=100, distance=0)


def prevoted(made: VotingRound, block: str) -> None:
    made.stage = Stage.PREVOTED
    for name in NAMES:
        made.votes.import_vote(prevote(name, TREE[block], 2))


@pytest.mark.parametrize(
    ("ghost", "is_allowed"), [("EB", True), ("EA", True), ("E", False), ("FC", False)]
)
def test_a_precommit_waits_until_the_ghost_reaches_the_last_estimate(ghost, is_allowed):
    made = current("EA", "EA", "E")
    prevoted(made, ghost)
    vote = made.next_vote(10_000, TREE, is_primary=False)
    expected = Precommit(TREE[ghost].hash, TREE[ghost].number) if is_allowed else None
    assert vote == expected


def test_the_head_itself_is_voted_for_where_nothing_is_built_on_it():
    tree = Tree()
    tree.push("genesis", "A B")
    base = tree.genesis
    votes = Round(2, authority_set(dict.fromkeys(NAMES, 1)), base, tree)
    for last_blocks, number in ((set(), 1), ({tree["B"].hash}, 2)):
        tree.last_blocks = last_blocks
        before = Before(base, base, base)
        made = VotingRound(votes, before, started_ms=0, gossip_ms=100, distance=1)
        vote = made.next_vote(10_000, tree, is_primary=False)
        assert isinstance(vote, Prevote)
        assert vote.target_number == number


def test_an_estimate_that_falls_sets_the_precommit_free():
    made = current("EA", "EA", "E")
    prevoted(made, "E")
    assert made.next_vote(10_000, TREE, is_primary=False) is None
    made.previous = Before(TREE["EA"], TREE["E"], TREE["E"])
    assert isinstance(made.next_vote(10_000, TREE, is_primary=False), Precommit)


def test_a_round_ends_when_the_last_estimate_is_final():
    made = current("EB", "EB", "E")
    prevoted(made, "EB")
    for name in NAMES:
        made.votes.import_vote(precommit(name, TREE["EA"], 2))
    made.stage = Stage.PRECOMMITTED
    assert made.votes.state().completable
    assert made.votes.state().finalized == TREE["EA"]
    assert not made.is_over()  # EB may have been finalized in the last round
    made.previous = Before(TREE["EB"], TREE["EA"], TREE["E"])
    assert made.is_over()
    made.previous = Before(TREE["EB"], TREE["EB"], TREE["EB"])
    assert made.is_over()
    made.stage = Stage.PREVOTED
    assert not made.is_over()


@pytest.mark.parametrize(
    ("hint", "target"),
    [(None, "FC"), ("F", "FC"), ("E", "FC"), ("EA", "FC"), ("C", "FC")],
)
def test_hints_outside_estimate_and_ghost_are_not_followed(hint, target):
    made = current("F", "F", "E")
    made.hint = TREE[hint] if hint else None
    made.stage = Stage.PROPOSED
    expected = made.next_vote(10_000, TREE, is_primary=False)
    assert isinstance(expected, Prevote)
    assert TREE.is_equal_or_descendant(TREE["F"].hash, expected.target_hash)
    assert TREE.is_equal_or_descendant(expected.target_hash, TREE[target].hash)


def test_a_hint_between_estimate_and_ghost_is_followed():
    made = current("FA", "E", "E")
    made.hint = TREE["F"]
    made.stage = Stage.PROPOSED
    vote = made.next_vote(10_000, TREE, is_primary=False)
    assert isinstance(vote, Prevote)
    assert TREE.is_equal_or_descendant(TREE["F"].hash, vote.target_hash)
