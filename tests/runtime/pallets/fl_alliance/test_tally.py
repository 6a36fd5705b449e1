"""The outcome of votes and how each participant comes out of it."""

from __future__ import annotations

import pytest

from runtime.pallets.fl_alliance.records import Ballot
from runtime.pallets.fl_alliance.stages import Outcome, Standing, VoidReason
from runtime.pallets.fl_alliance.tally import (
    ProposerFacts,
    Tally,
    VoterFacts,
    standing_of_proposer,
    standing_of_voter,
    tally,
)
from runtime.primitives.rational import Rational
from tests.runtime.pallets.fl_alliance.alliance_world import no, no_data, yes
from tests.runtime.pallets.world import content

QUORUM = Rational(2, 3)
ACCEPTED, REJECTED, VOID = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.VOID
OTHER = yes("other")
TOO_FEW, NO_MAJORITY = VoidReason.TOO_FEW_VOTES, VoidReason.NO_MAJORITY


@pytest.mark.parametrize(
    ("ballots", "drawn", "outcome", "votes"),
    [
        ([yes(), yes(), yes()], 3, ACCEPTED, 3),
        ([yes(), yes(), no()], 3, ACCEPTED, 1),
        ([yes(), no(), no()], 3, REJECTED, -1),
        ([yes(), no()], 2, ACCEPTED, 0),  # a tie accepts
        ([yes(), yes(), None], 3, ACCEPTED, 1),
        ([yes(), no(), None], 3, REJECTED, -1),
        ([yes(), yes()], 3, ACCEPTED, 1),  # an absent voter is a missing vote
        ([yes(), no()], 3, REJECTED, -1),
        ([yes(), yes(), OTHER], 3, ACCEPTED, 1),  # another aggregate counts as missing
        ([no(), no(), OTHER], 3, REJECTED, -3),
        ([yes(), yes(), no_data()], 3, ACCEPTED, 2),  # in no sum
        ([no(), no(), no_data()], 3, REJECTED, -2),
        ([yes(), yes(), no(), no_data(), None], 5, ACCEPTED, 0),
        ([no()], 1, REJECTED, -1),
    ],
)
def test_outcomes(ballots: list[Ballot | None], drawn: int, outcome: Outcome, votes: int) -> None:
    found = tally(ballots, drawn, QUORUM)
    assert (found.outcome, found.votes, found.void) == (outcome, votes, None)
    assert found.aggregate == content("aggregate")


@pytest.mark.parametrize(
    ("ballots", "drawn", "reason"),
    [
        ([yes(), None, None], 3, TOO_FEW),
        ([None, None, None], 3, TOO_FEW),
        ([], 3, TOO_FEW),
        ([yes(), yes(), yes()], 5, TOO_FEW),
        ([yes(), OTHER], 3, NO_MAJORITY),
        ([yes(), yes(), OTHER, OTHER], 4, NO_MAJORITY),
        ([yes(), no_data(), no_data()], 3, NO_MAJORITY),
        ([yes(), yes(), no_data(), no_data()], 4, NO_MAJORITY),
    ],
)
def test_void_rounds(ballots: list[Ballot | None], drawn: int, reason: VoidReason) -> None:
    found = tally(ballots, drawn, QUORUM)
    assert (found.outcome, found.void, found.aggregate) == (VOID, reason, None)
    assert found.votes == 0


def test_marks_need_most_of_the_drawn_voters() -> None:
    ballots = [no(marks=0b011), no(marks=0b101), no(marks=0b001), yes(marks=0b100)]
    assert tally(ballots, 5, QUORUM).marked == 0b001
    assert tally(ballots, 4, QUORUM).marked == 0b001  # two of four is not most
    assert tally([*ballots, yes("other", marks=0b111)], 5, QUORUM).marked == 0b001


def test_missing_proposals_need_half_of_the_drawn_voters() -> None:
    ballots = [no_data(0b01), no_data(0b11), yes(), yes()]
    assert tally(ballots, 4, QUORUM).missing == 0b01
    assert tally(ballots, 5, QUORUM).missing == 0


def stands(
    outcome: Tally, *, opened: bool = True, denied: bool = True, mask: int = 1, on: bool = False
) -> Standing:
    """Proposer 0, for an aggregate over `mask`; `on`: leave-one-out marks attribute."""
    facts = ProposerFacts(1, opened, denied)
    return standing_of_proposer(facts, outcome, mask, attributes=on)


def test_standings_of_proposers() -> None:
    accepted, rejected = Tally(ACCEPTED), Tally(REJECTED)
    assert stands(accepted) is Standing.GOOD
    assert stands(rejected) is Standing.LOSING
    for outcome in (accepted, rejected, Tally(VOID, TOO_FEW), Tally(VOID, NO_MAJORITY)):
        assert stands(outcome, opened=False, mask=2) is Standing.ABSENT
        assert stands(outcome, mask=2) is Standing.ABSENT  # withheld
    for reason in (TOO_FEW, NO_MAJORITY):
        assert stands(Tally(VOID, reason)) is Standing.EXEMPT
        assert stands(Tally(VOID, reason, missing=1)) is Standing.ABSENT
    nothing = Tally(VOID, VoidReason.NOTHING_HELD)
    assert stands(nothing, mask=0) is Standing.ABSENT
    assert stands(nothing, mask=0, denied=False) is Standing.EXEMPT
    assert stands(nothing, opened=False, mask=0, denied=False) is Standing.ABSENT
    assert stands(Tally(VOID, VoidReason.NO_PROPOSAL), opened=False, mask=0) is Standing.ABSENT
    nobody = Tally(VOID, VoidReason.NOBODY_DRAWN)
    assert stands(nobody, opened=False, mask=0) is Standing.EXEMPT


def test_attribution_spares_the_unmarked_of_a_rejected_aggregate() -> None:
    guilty, other = Tally(REJECTED, marked=0b01), Tally(REJECTED, marked=0b10)
    assert stands(guilty, mask=3, on=True) is Standing.LOSING
    assert stands(other, mask=3, on=True) is Standing.EXEMPT
    assert stands(other, mask=3) is Standing.LOSING  # the task does not attribute
    assert stands(Tally(REJECTED), mask=3, on=True) is Standing.LOSING  # nobody is marked


def test_attribution_slashes_the_marked_of_an_accepted_aggregate() -> None:
    guilty, other = Tally(ACCEPTED, marked=0b01), Tally(ACCEPTED, marked=0b10)
    assert stands(guilty, mask=3, on=True) is Standing.LOSING
    assert stands(other, mask=3, on=True) is Standing.GOOD
    assert stands(guilty, mask=3) is Standing.GOOD  # the task does not attribute
    assert stands(guilty, mask=2, on=True) is Standing.ABSENT  # it is not part of the aggregate


def voted(
    ballot: Ballot | None, outcome: Tally, *, reported: bool = True, on: bool = True
) -> Standing:
    """A voter on an aggregate over proposers 0 to 3; `on`: leave-one-out marks attribute."""
    return standing_of_voter(VoterFacts(ballot, reported), outcome, 0b1111, attributes=on)


def test_marks_of_most_of_an_accepted_aggregate_count_for_nothing() -> None:
    for marked, standing in ((0b0011, Standing.LOSING), (0b0111, Standing.GOOD)):
        assert stands(Tally(ACCEPTED, marked=marked), mask=0b1111, on=True) is standing
    assert stands(Tally(REJECTED, marked=0b0111), mask=0b1111, on=True) is Standing.LOSING
    outside = Tally(ACCEPTED, marked=0b110001)  # of proposals that are not part of it
    assert stands(outside, mask=0b1111, on=True) is Standing.LOSING


@pytest.mark.parametrize(
    ("marks", "marked", "standing"),
    [
        (0b1110, 0b0000, Standing.LOSING),  # three accusations that nobody shares
        (0b0110, 0b0000, Standing.GOOD),  # two of four are no more than half
        (0b1110, 0b0010, Standing.GOOD),  # one of three was shared
        (0b1111, 0b0001, Standing.LOSING),
        (0b1111, 0b1111, Standing.GOOD),  # most of the voters say the same
        (0b0000, 0b0011, Standing.GOOD),  # to spare somebody costs nothing
    ],
)
def test_accusing_most_of_a_round_alone_loses(marks: int, marked: int, standing: Standing) -> None:
    outcome = Tally(ACCEPTED, None, content("aggregate"), marked=marked)
    assert voted(yes(marks=marks), outcome) is standing
    assert voted(yes(marks=marks), outcome, on=False) is Standing.GOOD
    assert voted(no(marks=marks), outcome) is Standing.LOSING  # its vote was wrong


def test_standings_of_voters() -> None:
    accepted, rejected = (Tally(kind, None, content("aggregate")) for kind in (ACCEPTED, REJECTED))
    table: list[tuple[Ballot | None, Standing, Standing]] = [
        (yes(), Standing.GOOD, Standing.LOSING),
        (no(), Standing.LOSING, Standing.GOOD),
        (OTHER, Standing.ABSENT, Standing.ABSENT),
        (no_data(), Standing.EXEMPT, Standing.EXEMPT),
        (None, Standing.ABSENT, Standing.ABSENT),
    ]
    for ballot, if_accepted, if_rejected in table:
        for outcome, expected in ((accepted, if_accepted), (rejected, if_rejected)):
            assert voted(ballot, outcome, reported=True) is expected
    for reason in (TOO_FEW, NO_MAJORITY):
        void = Tally(VOID, reason)
        assert voted(None, void, reported=True) is Standing.ABSENT
        for ballot in (yes(), no(), OTHER, no_data()):
            assert voted(ballot, void, reported=False) is Standing.EXEMPT
    nothing = Tally(VOID, VoidReason.NOTHING_HELD)
    assert voted(None, nothing, reported=True) is Standing.EXEMPT
    assert voted(None, nothing, reported=False) is Standing.ABSENT
    for reason in (VoidReason.NOBODY_DRAWN, VoidReason.NO_PROPOSAL):
        void = Tally(VOID, reason)
        assert voted(None, void, reported=False) is Standing.EXEMPT
