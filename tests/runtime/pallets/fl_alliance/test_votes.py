"""Votes: sealed, opened, about one aggregate; every refusal once."""

from __future__ import annotations

import pytest

from runtime.frame.origin import signed
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import VoterRecord
from runtime.pallets.fl_alliance.seals import seal_vote
from runtime.pallets.fl_alliance.stages import Outcome, Stage, VoidReason
from runtime.primitives.types import FML
from tests.runtime.pallets.fl_alliance.alliance_world import (
    Alliance,
    new_alliance,
    no,
    no_data,
    salt,
    yes,
)
from tests.runtime.pallets.world import GENESIS, account, content


def voting() -> Alliance:
    """a and b propose, c to g vote; votes can be sealed."""
    made = new_alliance(*"abcdefg")
    made.seat("ab", "cdefg")
    made.propose("a", "b")
    made.report_all("cdefg")
    made.go_to(Stage.VOTE)
    return made


def test_a_vote_is_sealed_then_opened() -> None:
    made = voting()
    ballot = no(marks=0b10)
    made.commit_vote("c", ballot)
    seal = seal_vote(GENESIS, (1, 0), account("c"), ballot, salt("c"))
    assert made.pallet.votes.get((made.key, account("c"))) == VoterRecord(0b11, seal)
    made.commit_vote("d", no_data(0b01))
    made.go_to(Stage.OPEN)
    assert made.progress.due == 2
    made.reveal_vote("c", ballot)
    made.reveal_vote("d", no_data(0b01))
    assert made.pallet.votes.get((made.key, account("c"))).ballot == ballot
    assert made.world.events(events.VoteRevealed) == [
        events.VoteRevealed(1, 0, account("c"), False, content("aggregate")),
        events.VoteRevealed(1, 0, account("d"), None, None),
    ]
    assert len(made.world.events(events.VoteCommitted)) == 2


def test_refusals() -> None:
    made = voting()
    for name in ("a", "idle"):
        with pytest.raises(events.NotAVoter):
            made.commit_vote(name, yes())
    made.commit_vote("c", yes(marks=0b100))
    with pytest.raises(events.AlreadyCommitted):
        made.commit_vote("c", yes())
    made.commit_vote("d", no_data(0b100))
    made.commit_vote("e", yes())
    seal = made.pallet.votes.get((made.key, account("e"))).seal
    made.pallet.commit_vote(signed(account("f")), 1, 0, seal)
    made.go_to(Stage.OPEN)
    for name in ("a", "idle"):
        with pytest.raises(events.NotAVoter):
            made.reveal_vote(name, yes())
    with pytest.raises(events.NothingCommitted):
        made.reveal_vote("g", yes())
    with pytest.raises(events.BitsOutOfRange):
        made.reveal_vote("c", yes(marks=0b100))
    with pytest.raises(events.BitsOutOfRange):
        made.reveal_vote("d", no_data(0b100))
    for ballot in (no(), yes("other"), yes(marks=1), no_data()):
        with pytest.raises(events.WrongSeal):
            made.reveal_vote("e", ballot)
    with pytest.raises(events.WrongSeal):
        made.reveal_vote("f", yes())  # the copied seal names its maker
    made.reveal_vote("e", yes())
    with pytest.raises(events.AlreadyRevealed):
        made.reveal_vote("e", yes())


def test_a_vote_for_another_aggregate_counts_as_missing() -> None:
    made = voting()
    votes = {"c": yes(), "d": yes(), "e": yes(), "f": yes("mine"), "g": no("mine")}
    made.vote(votes)
    result = made.result(0)
    assert (result.outcome, result.votes, result.aggregate) == (
        Outcome.ACCEPTED,
        1,
        content("aggregate"),
    )
    assert made.balances("fg") == {"f": 9 * FML, "g": 9 * FML}


def test_without_a_majority_for_one_aggregate_nobody_that_spoke_loses() -> None:
    made = voting()
    votes = {"c": yes("1"), "d": yes("1"), "e": yes("2"), "f": yes("3"), "g": None}
    made.vote(votes)
    assert made.result(0).void is VoidReason.NO_MAJORITY
    assert made.balances("abcdef") == dict.fromkeys("abcdef", 10 * FML)
    assert made.balance("g") == 9 * FML
    assert made.pool == 1_001 * FML


def test_half_of_the_voters_without_data_make_the_provider_absent() -> None:
    made = voting()
    made.vote({"c": yes(), "d": yes(), **dict.fromkeys("efg", no_data(0b10))})
    assert made.result(0).void is VoidReason.NO_MAJORITY
    assert made.balances("abcdefg") == {**dict.fromkeys("acdefg", 10 * FML), "b": 9 * FML}
