"""Weights on the block tree, the walk up and the walk down."""

import pytest

from flockchain.consensus.grandpa.chain import NotDescendant, UnknownBlock
from flockchain.consensus.grandpa.messages import BlockRef
from flockchain.consensus.grandpa.vote_graph import VoteGraph
from flockchain.consensus.grandpa.votes import Phase
from runtime.primitives.types import Hash
from tests.flockchain.consensus.grandpa.tree import fork_tree

VOTE = Phase.PREVOTE


def test_a_vote_counts_for_every_ancestor_down_to_the_base():
    tree = fork_tree()
    graph = VoteGraph(tree["B"], tree)
    graph.insert(tree["EB"], VOTE, 5)
    graph.insert(tree["FA"], VOTE, 3)
    weights = {
        name: graph.weight(tree[name].hash, VOTE)
        for name in ["A", "B", "E", "EA", "EB", "EC", "F", "FA"]
    }
    assert weights == {"A": 0, "B": 8, "E": 8, "EA": 5, "EB": 5, "EC": 0, "F": 3, "FA": 3}
    assert graph.weight(tree["E"].hash, Phase.PRECOMMIT) == 0


def test_the_heaviest_block_is_where_branches_merge():
    tree = fork_tree()
    graph = VoteGraph(tree.genesis, tree)
    graph.insert(tree["ED"], VOTE, 5)
    graph.insert(tree["FC"], VOTE, 5)
    assert graph.heaviest(VOTE, 10) == tree["E"]
    assert graph.heaviest(VOTE, 11) is None
    graph.insert(tree["F"], VOTE, 1)
    assert graph.heaviest(VOTE, 6) == tree["F"]


def test_the_merge_point_may_lie_between_votes():
    tree = fork_tree()
    tree.push("EB", "X Y")
    graph = VoteGraph(tree["A"], tree)
    graph.insert(tree["ED"], VOTE, 1)
    graph.insert(tree["Y"], VOTE, 1)
    assert graph.heaviest(VOTE, 2) == tree["EB"]


def test_equally_heavy_children_are_ordered_by_hash():
    tree = fork_tree()
    graph = VoteGraph(tree.genesis, tree)
    graph.insert(tree["F"], VOTE, 1)
    graph.insert(tree["EA"], VOTE, 1)
    assert graph.heaviest(VOTE, 1) == min(tree["F"], tree["EA"], key=lambda block: block.hash)


def test_the_walk_down_stops_at_the_first_that_fits():
    tree = fork_tree()
    graph = VoteGraph(tree["A"], tree)
    graph.insert(tree["ED"], VOTE, 1)
    graph.insert(tree["D"], VOTE, 1)
    assert graph.highest_ancestor(tree["ED"], lambda b: graph.weight(b, VOTE) > 1) == tree["D"]
    assert graph.highest_ancestor(tree["ED"], lambda b: graph.weight(b, VOTE) > 2) is None
    assert graph.highest_ancestor(tree["FC"], lambda b: True) is None


def test_withdrawn_weight_is_gone():
    tree = fork_tree()
    graph = VoteGraph(tree["A"], tree)
    graph.insert(tree["ED"], VOTE, 4)
    graph.withdraw(tree["ED"], VOTE, 4)
    assert graph.weight(tree["A"].hash, VOTE) == 0


def test_votes_off_the_base_leave_no_trace():
    tree = fork_tree()
    graph = VoteGraph(tree["F"], tree)
    with pytest.raises(NotDescendant):
        graph.insert(tree["EA"], VOTE, 1)
    with pytest.raises(NotDescendant):
        graph.insert(tree["E"], VOTE, 1)
    with pytest.raises(NotDescendant, match="vote for #8"):
        graph.insert(BlockRef(tree["FA"].hash, 8), VOTE, 1)
    with pytest.raises(UnknownBlock):
        graph.insert(BlockRef(Hash(b"?" * 32), 8), VOTE, 1)
    assert graph.weight(tree["F"].hash, VOTE) == 0
