"""Whatever the order of votes, rounds agree; whatever is finalized twice lies on one chain."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flockchain.consensus.grandpa.chain import NotDescendant
from flockchain.consensus.grandpa.justification import from_commit, verify
from flockchain.consensus.grandpa.messages import SignedMessage
from flockchain.consensus.grandpa.round import Round
from tests.flockchain.consensus.grandpa.keys import authority_set, precommit, prevote
from tests.flockchain.consensus.grandpa.tree import fork_tree

TREE = fork_tree()
NAMES = "abcdefg"
BLOCKS = ["C", "D", "E", "EA", "EB", "EC", "ED", "F", "FA", "FB", "FC"]
VOTES = st.lists(
    st.tuples(
        st.sampled_from([prevote, precommit]), st.sampled_from(NAMES), st.sampled_from(BLOCKS)
    ),
    max_size=30,
)
WEIGHTS = st.lists(st.integers(1, 10), min_size=7, max_size=7)


def sign_all(votes) -> list[SignedMessage]:
    return [kind(name, TREE[block]) for kind, name, block in votes]


def round_of(weights: list[int], votes: list[SignedMessage], base: str = "C") -> Round:
    """A round with every vote that two different ones a voter and kind leave room for."""
    made = Round(1, authority_set(dict(zip(NAMES, weights, strict=True))), TREE[base], TREE)
    for vote in votes:
        made.import_vote(vote)
    return made


def first_two(votes: list[SignedMessage]) -> list[SignedMessage]:
    """At most two different votes of a voter and kind: a third says nothing new."""
    kept: dict[tuple[bytes, type], list[SignedMessage]] = {}
    for vote in votes:
        held = kept.setdefault((vote.id, type(vote.message)), [])
        if vote not in held and len(held) < 2:
            held.append(vote)
    return [vote for held in kept.values() for vote in held]


@settings(max_examples=150, deadline=None)
@given(weights=WEIGHTS, votes=VOTES, data=st.data())
def test_any_order_of_votes_gives_the_same_state(weights, votes, data):
    signed = sign_all(votes)
    shuffled = data.draw(st.permutations(signed))
    assert round_of(weights, signed).state() == round_of(weights, shuffled).state()


@settings(max_examples=100, deadline=None)
@given(weights=WEIGHTS, votes=VOTES)
def test_state_asked_at_every_step_is_the_state_asked_at_the_end(weights, votes):
    stepwise = round_of(weights, [])
    for vote in sign_all(votes):
        stepwise.import_vote(vote)
        stepwise.state()
    assert stepwise.state() == round_of(weights, sign_all(votes)).state()


@settings(max_examples=150, deadline=None)
@given(weights=WEIGHTS, votes=VOTES, extra=VOTES)
def test_below_a_third_of_equivocators_the_round_only_narrows(weights, votes, extra):
    early = round_of(weights, sign_all(votes))
    late = round_of(weights, sign_all(votes) + sign_all(extra))
    before, after = early.state(), late.state()
    tolerated = late.authorities.total - late.authorities.threshold
    if max(late.prevotes.equivocating_weight, late.precommits.equivocating_weight) > tolerated:
        return
    if before.prevote_ghost is not None:
        assert after.prevote_ghost is not None
        assert TREE.is_equal_or_descendant(before.prevote_ghost.hash, after.prevote_ghost.hash)
    if before.finalized is not None:
        assert after.finalized is not None
        assert TREE.is_equal_or_descendant(before.finalized.hash, after.finalized.hash)
    if before.completable:
        assert before.estimate is not None
        assert after.completable
        assert after.estimate is not None
        assert TREE.is_equal_or_descendant(after.estimate.hash, before.estimate.hash)


@settings(max_examples=150, deadline=None)
@given(weights=WEIGHTS, votes=VOTES)
def test_finalized_is_below_the_estimate_and_the_estimate_below_the_ghost(weights, votes):
    state = round_of(weights, sign_all(votes)).state()
    if state.estimate is not None:
        assert state.prevote_ghost is not None
        assert TREE.is_equal_or_descendant(state.estimate.hash, state.prevote_ghost.hash)
    if state.finalized is not None:
        assert state.estimate is not None
        assert TREE.is_equal_or_descendant(state.finalized.hash, state.estimate.hash)


@settings(max_examples=100, deadline=None)
@given(weights=WEIGHTS, votes=VOTES)
def test_every_commit_makes_a_justification_that_verifies(weights, votes):
    made = round_of(weights, sign_all(votes))
    commit = made.finalizing_commit()
    if commit is not None:
        verify(from_commit(1, commit, TREE), made.authorities)


@settings(max_examples=60, deadline=None)
@given(weights=WEIGHTS, votes=VOTES, base=st.sampled_from(["D", "E"]))
def test_a_catch_up_rebuilds_the_round(weights, votes, base):
    made = Round(1, authority_set(dict(zip(NAMES, weights, strict=True))), TREE[base], TREE)
    for vote in first_two(sign_all(votes)):
        try:
            made.import_vote(vote)
        except NotDescendant:
            continue
    rebuilt = Round(1, made.authorities, TREE[base], TREE)
    for vote in made.catch_up().votes():
        rebuilt.import_vote(vote)
    assert rebuilt.state() == made.state()
