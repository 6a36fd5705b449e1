"""One message for each kind of vote and round, whatever is asked, before and after a restart."""

from flockchain.consensus.grandpa.ballot import Ballot
from flockchain.consensus.grandpa.journal import MemoryJournal
from flockchain.consensus.grandpa.messages import Precommit, Prevote, VoteMessage
from tests.flockchain.consensus.grandpa.keys import prevote, signer
from tests.flockchain.consensus.grandpa.tree import fork_tree

TREE = fork_tree()
ONE, OTHER = (Prevote(TREE[name].hash, TREE[name].number) for name in ("EA", "F"))


def test_a_second_message_of_a_kind_gives_the_first_vote():
    journal = MemoryJournal()
    ballot = Ballot(signer("alice"), 0, journal)
    first = ballot.cast(4, ONE)
    assert first == VoteMessage(4, 0, prevote("alice", TREE["EA"], 4))
    assert ballot.cast(4, OTHER) == first
    assert journal.load(0).votes == (first,)
    assert Ballot(signer("alice"), 0, journal).cast(4, OTHER) == first


def test_rounds_below_the_last_one_voted_in_get_no_new_vote():
    journal = MemoryJournal()
    ballot = Ballot(signer("alice"), 0, journal)
    ballot.cast(4, ONE)
    assert ballot.cast(3, ONE) is None
    assert Ballot(signer("alice"), 0, journal).cast(3, ONE) is None
    assert ballot.cast(4, Precommit(TREE["E"].hash, 5)) is not None
    assert Ballot(signer("alice"), 1, journal).cast(1, OTHER) is not None  # another set


def test_a_vote_that_we_never_cast_contradicts_us():
    ballot = Ballot(signer("alice"), 0, MemoryJournal())
    own = ballot.cast(4, ONE)
    assert own is not None
    assert not ballot.contradicts(own)
    assert ballot.contradicts(VoteMessage(4, 0, prevote("alice", TREE["F"], 4)))
    assert ballot.contradicts(VoteMessage(5, 0, prevote("alice", TREE["EA"], 5)))
    ballot.forget_below(6)
    assert not ballot.contradicts(VoteMessage(5, 0, prevote("alice", TREE["EA"], 5)))
