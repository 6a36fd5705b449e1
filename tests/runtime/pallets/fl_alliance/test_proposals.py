"""Proposals: sealed before any is opened, no zeros, no copies, and only what voters can have."""

from __future__ import annotations

import pytest

from runtime.frame.origin import signed
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import FirstProposed, Proposal, RoundKey
from runtime.pallets.fl_alliance.stages import Outcome, Stage, Standing, VoidReason
from runtime.primitives.types import FML
from tests.runtime.pallets.fl_alliance.alliance_world import (
    Alliance,
    new_alliance,
    no,
    update_of,
    yes,
)
from tests.runtime.pallets.world import account, content


def seated(model: str | None = "arena model") -> Alliance:
    """a, b and c propose; d to h vote."""
    made = new_alliance(*"abcdefgh", model=model)
    made.seat("abc", "defgh")
    return made


def test_a_proposal_is_sealed_then_opened() -> None:
    made = seated()
    made.propose("a", "c")
    plain, sealed = update_of("a 0")
    found = made.pallet.proposals.get((made.key, account("a")))
    assert (found.index, found.content, found.ciphertext) == (0, plain, sealed)
    assert made.pallet.proposals.get((made.key, account("b"))) == Proposal(1)
    first = made.pallet.proposed.get((1, content("c 0")))
    assert first == FirstProposed(0, account("c"), made.round.base)
    assert made.progress.mask == 0b101
    revealed = events.ProposalRevealed(1, 0, account("a"), plain, sealed)
    assert made.world.events(events.ProposalRevealed)[0] == revealed
    assert len(made.world.events(events.ProposalCommitted)) == 2


def test_refusals_of_commitments() -> None:
    made = seated()
    for name in ("d", "idle"):
        with pytest.raises(events.NotAProposer):
            made.commit_proposal(name, "x")
    made.commit_proposal("a", "x")
    with pytest.raises(events.AlreadyCommitted):
        made.commit_proposal("a", "x")


def test_refusals_of_openings() -> None:
    made = seated()
    made.commit_proposal("a", "x")
    made.commit_proposal("b", "zero")
    made.go_to(Stage.DISCLOSE)
    for name in ("d", "idle"):
        with pytest.raises(events.NotAProposer):
            made.reveal_proposal(name, "x")
    with pytest.raises(events.NothingCommitted):
        made.reveal_proposal("c", "x")
    with pytest.raises(events.WrongSeal):
        made.reveal_proposal("a", "y")
    with pytest.raises(events.ZeroUpdate):
        made.reveal_proposal("b", "zero")
    made.reveal_proposal("a", "x")
    with pytest.raises(events.AlreadyRevealed):
        made.reveal_proposal("a", "x")


def test_another_cannot_open_a_copied_seal() -> None:
    made = seated()
    made.commit_proposal("a", "x")
    seal = made.pallet.proposals.get((made.key, account("a"))).seal
    made.pallet.commit_proposal(signed(account("b")), 1, 0, seal)
    made.go_to(Stage.DISCLOSE)
    with pytest.raises(events.WrongSeal):
        made.reveal_proposal("b", "x")


def test_bytes_of_an_earlier_proposal_are_no_proposal() -> None:
    made = seated()
    made.commit_proposal("a", "x")
    made.commit_proposal("b", "x")
    made.go_to(Stage.DISCLOSE)
    made.reveal_proposal("a", "x")
    with pytest.raises(events.DuplicateProposal):
        made.reveal_proposal("b", "x")
    made.report_all("defgh")
    made.vote(dict.fromkeys("defgh", yes()))
    assert made.result(0).outcome is Outcome.ACCEPTED
    assert made.balances("bc") == dict.fromkeys("bc", 9 * FML)
    made.seat("abc", "defgh")
    made.commit_proposal("c", "x")  # a round later it is known still
    made.go_to(Stage.DISCLOSE)
    with pytest.raises(events.DuplicateProposal):
        made.reveal_proposal("c", "x")


def test_the_same_work_counts_again_while_the_model_is_the_same() -> None:
    made = seated()
    for round_, ballot in enumerate((no(), yes())):
        made.commit_proposal("a", "x")
        made.go_to(Stage.DISCLOSE)
        made.reveal_proposal("a", "x")
        made.report_all("defgh")
        made.vote(dict.fromkeys("defgh", ballot))
        accepted = ballot == yes()
        assert made.result(round_).outcome is (Outcome.ACCEPTED if accepted else Outcome.REJECTED)
        made.seat("abc", "defgh")
    made.commit_proposal("a", "x")
    made.go_to(Stage.DISCLOSE)
    with pytest.raises(events.DuplicateProposal):  # the model has moved on
        made.reveal_proposal("a", "x")


@pytest.mark.parametrize("is_sealed", [False, True])
def test_without_a_proposal_the_round_is_void_and_only_proposers_lose(is_sealed: bool) -> None:
    made = seated()
    if is_sealed:
        made.commit_proposal("a", "x")
    made.world.next_block()
    made.settle()
    result = made.result(0)
    assert (result.outcome, result.void) == (Outcome.VOID, VoidReason.NO_PROPOSAL)
    assert made.balances("abc") == dict.fromkeys("abc", 9 * FML)
    assert made.balances("defgh") == dict.fromkeys("defgh", 10 * FML)
    assert made.pool == 1_003 * FML


# -- availability


def test_refusals_of_reports() -> None:
    made = seated()
    made.propose("a", "b")
    made.go_to(Stage.REPORT)
    for name in ("a", "idle"):
        with pytest.raises(events.NotAVoter):
            made.report(name, 1)
    for bits in (0b100, 0b1000, 2**256 - 1):
        with pytest.raises(events.BitsOutOfRange):
            made.report("d", bits)
    made.report("d", 0b11)
    with pytest.raises(events.AlreadyReported):
        made.report("d", 0b11)


@pytest.mark.parametrize(
    ("holders", "is_in"), [("defgh", True), ("def", True), ("de", False), ("", False)]
)
def test_the_aggregate_is_over_what_most_of_the_voters_hold(holders: str, is_in: bool) -> None:
    made = seated()
    made.propose("a", "b")
    made.go_to(Stage.REPORT)
    for name in "defgh":
        made.report(name, 0b11 if name in holders else 0b01)
    made.world.next_block()
    assert made.stage is Stage.VOTE
    assert made.round.aggregate == (0b11 if is_in else 0b01)
    fixed = events.AggregateFixed(1, 0, made.round.aggregate)
    assert made.world.events(events.AggregateFixed) == [fixed]
    made.vote(dict.fromkeys("defgh", yes()))
    expected = Standing.GOOD if is_in else Standing.ABSENT  # b withheld it
    assert made.pallet.payments.get((RoundKey(1, 0), account("b"))).standing is expected
    assert (made.balance("b") > 10 * FML) == is_in
    assert made.balance("c") == 9 * FML


def test_absent_voters_count_among_those_who_must_hold() -> None:
    made = new_alliance(*"abcdefgh")
    made.seat("abc", "de", absent=3)
    made.propose("a")
    made.report_all("de")
    made.world.next_block()
    assert made.result(0).void is VoidReason.NOTHING_HELD


def test_withheld_proposals_are_their_proposers_fault_if_voters_say_so() -> None:
    made = seated()
    made.propose("a", "b")
    made.report_all("defg", 0)  # 4 of 5 have nothing; h says nothing
    made.settle()
    assert made.result(0).void is VoidReason.NOTHING_HELD
    assert made.balances("abch") == dict.fromkeys("abch", 9 * FML)
    assert made.balances("defg") == dict.fromkeys("defg", 10 * FML)


def test_proposers_are_not_to_blame_if_voters_say_nothing() -> None:
    made = seated()
    made.propose("a", "b")
    made.report_all("de", 0b11)
    made.settle()
    assert made.result(0).void is VoidReason.NOTHING_HELD
    assert made.balances("abde") == dict.fromkeys("abde", 10 * FML)
    assert made.balances("cfgh") == dict.fromkeys("cfgh", 9 * FML)


# -- the leader


def test_the_leader_initialises_a_model_if_there_is_none() -> None:
    made = seated(model=None)
    with pytest.raises(events.NotTheLeader):
        made.pallet.initialise_model(signed(account("b")), 1, 0, content("made"))
    made.pallet.initialise_model(signed(account("a")), 1, 0, content("made"))
    assert made.round.base == content("made")
    with pytest.raises(events.ModelKnown):
        made.pallet.initialise_model(signed(account("a")), 1, 0, content("other"))
    initialised = events.ModelInitialised(1, 0, account("a"), content("made"))
    assert made.world.events(events.ModelInitialised) == [initialised]
    made.propose("a")
    made.report_all("defgh")
    made.vote(dict.fromkeys("defgh", yes("next")))
    assert made.round.base == content("next")


def test_a_model_that_is_known_is_not_made_anew() -> None:
    made = seated()
    with pytest.raises(events.ModelKnown):
        made.pallet.initialise_model(signed(account("a")), 1, 0, content("made"))


def test_after_a_rejected_round_without_a_model_the_next_leader_makes_one() -> None:
    made = seated(model=None)
    made.settle()
    made.seat("bca", "defgh")
    assert made.round.base is None
    made.pallet.initialise_model(signed(account("b")), 1, 1, content("made"))
    assert made.round.base == content("made")
