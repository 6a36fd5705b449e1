"""The voter's journal: on disk before it is sent, whole after a restart, bounded."""

from __future__ import annotations

import pytest

from flockchain.consensus.grandpa.journal import Recovered
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


def test_a_completed_round_takes_the_place_of_what_came_before() -> None:
    store = MemoryStore()
    journal = StoredJournal(store)
    for round_number in (1, 2, 3):
        journal.record(vote(3, round_number))
    journal.record_completed(3, completed(2))
    assert journal.load(3) == Recovered((vote(3, 2), vote(3, 3)), completed(2))
    journal.record_completed(3, completed(3))
    assert StoredJournal(store.clone()).load(3) == Recovered((vote(3, 3),), completed(3))


def test_votes_of_earlier_sets_are_dropped_with_the_first_completed_round() -> None:
    store = MemoryStore()
    journal = StoredJournal(store)
    for set_id in (1, 2, 3):
        journal.record(vote(set_id, 9))
    journal.record_completed(3, completed(1))
    assert [len(journal.load(set_id).votes) for set_id in (1, 2, 3)] == [0, 0, 1]


def test_the_journal_does_not_grow() -> None:
    store = MemoryStore()
    journal = StoredJournal(store)
    for round_number in range(1, 100):
        for kind in KINDS:
            journal.record(vote(1, round_number, kind))
        journal.record_completed(1, completed(round_number))
    assert len(store) == len(KINDS) + 1


def test_a_vote_that_is_not_on_disk_is_an_error() -> None:
    disk = MemoryStore()
    journal = StoredJournal(FailingStore(disk, fails_at=1))
    journal.record(vote(1, 1))
    with pytest.raises(StorageError, match="the disk is gone"):
        journal.record(vote(1, 2))
    assert StoredJournal(disk).load(1).votes == (vote(1, 1),)
