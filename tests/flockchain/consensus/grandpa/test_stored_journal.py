"""The voter's journal: on disk before it is sent, whole after a restart, bounded."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flockchain.consensus.grandpa.ballot import Ballot
from flockchain.consensus.grandpa.journal import Journal, MemoryJournal, Recovered
from flockchain.consensus.grandpa.messages import (
    CatchUp,
    Message,
    Precommit,
    Prevote,
    PrimaryPropose,
    SignedMessage,
    VoteMessage,
)
from flockchain.consensus.grandpa.stored_journal import StoredJournal
from flockchain.storage.errors import StorageError
from flockchain.storage.kv import MemoryStore
from runtime.primitives.types import Hash
from tests.flockchain.chain.chain_fixture import FailingStore
from tests.flockchain.consensus.grandpa.keys import signer

BLOCK = Hash(b"b" * 32)
KINDS: list[type[Message]] = [PrimaryPropose, Prevote, Precommit]


def vote(set_id: int, round_number: int, kind: type[Message] = Prevote) -> VoteMessage:
    message = SignedMessage(kind(BLOCK, 7), bytes(64), b"v" * 32)
    return VoteMessage(round_number, set_id, message)


def completed(round_number: int) -> CatchUp:
    return CatchUp(round_number, [], [], BLOCK, 7)


def test_votes_come_back_in_the_order_in_which_they_are_cast() -> None:
    store = MemoryStore()
    journal = StoredJournal(store)
    votes = [vote(3, round_number, kind) for round_number in (1, 2, 300) for kind in KINDS]
    for cast in votes:
        journal.record(cast)
    assert StoredJournal(store.clone()).load(3) == Recovered(tuple(votes), None)
    assert journal.load(2) == journal.load(4) == Recovered((), None)


def test_who_voted_is_known_when_the_votes_are_gone() -> None:
    store = MemoryStore()
    journal = StoredJournal(store)
    assert not journal.has_voted(b"v" * 32)
    journal.record(vote(1, 1))
    journal.record_completed(9, completed(2))
    assert journal.load(1).votes == ()
    assert StoredJournal(store.clone()).has_voted(b"v" * 32)
    assert not journal.has_voted(b"w" * 32)


def test_a_completed_round_takes_the_place_of_what_came_before() -> None:
    store = MemoryStore()
    journal = StoredJournal(store)
    for round_number in (1, 2, 3):
        journal.record(vote(3, round_number))
    journal.record_completed(3, completed(2))
    assert journal.load(3) == Recovered((vote(3, 2), vote(3, 3)), completed(2))
    journal.record_completed(3, completed(3))
    assert StoredJournal(store.clone()).load(3) == Recovered((vote(3, 3),), completed(3))


def test_what_sets_before_the_previous_one_held_is_dropped_with_the_first_completed_round() -> None:
    store = MemoryStore()
    journal = StoredJournal(store)
    for set_id in (1, 2, 3):
        journal.record(vote(set_id, 9))
        journal.record_completed(set_id, completed(1))
    assert [len(journal.load(set_id).votes) for set_id in (1, 2, 3)] == [0, 1, 1]
    assert [journal.load(set_id).completed for set_id in (1, 2)] == [None, completed(1)]


@pytest.mark.parametrize("make", [lambda: StoredJournal(MemoryStore()), MemoryJournal])
def test_who_returns_from_a_forced_change_votes_as_before(make: Callable[[], Journal]) -> None:
    """The new set completed a round, then its chain lost: the old set's round goes on."""
    journal = make()
    first = Ballot(signer("alice"), 3, journal).cast(5, Prevote(BLOCK, 7))
    assert first is not None
    Ballot(signer("alice"), 4, journal).cast(1, Prevote(BLOCK, 7))
    journal.record_completed(4, completed(1))
    journal.record_completed(4, completed(2))
    other = Prevote(Hash(b"o" * 32), 7)
    assert Ballot(signer("alice"), 3, journal).cast(5, other) == first


def test_the_journal_does_not_grow() -> None:
    store = MemoryStore()
    journal = StoredJournal(store)
    for round_number in range(1, 100):
        for kind in KINDS:
            journal.record(vote(1, round_number, kind))
        journal.record_completed(1, completed(round_number))
    assert len(store) == len(KINDS) + 2  # the last round's votes, the round, and whose votes


def test_a_vote_that_is_not_on_disk_is_an_error() -> None:
    disk = MemoryStore()
    failing = FailingStore(disk, fails_at=1)
    journal = StoredJournal(failing)
    journal.record(vote(1, 1))
    assert failing.synced == [True]
    with pytest.raises(StorageError, match="the disk is gone"):
        journal.record(vote(1, 2))
    assert StoredJournal(disk).load(1).votes == (vote(1, 1),)
