"""The outcome of a round from its opened votes: a pure function.

aggVote is summed over all drawn voters; a missing vote, or one for another aggregate, counts −1;
a voter without data counts in no sum. A tie accepts, as the whitepaper has it. Marks are votes
too: most of the drawn voters decide each, and who accuses most of a round alone votes wrongly.
Invariant: an aggregate is accepted or rejected only if most of the drawn voters computed it; marks
take nothing from more than half of the proposers of an accepted one.
Source: WP VI.E, Algorithm 1 (aggVote, GlobalModelSelection), Algorithm 2 (votes against the outcome
lose); quorum, majority of hashes and leave-one-out attribution are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.pallets.fl_alliance.records import Ballot, NoData, Vote
from runtime.pallets.fl_alliance.stages import Outcome, Standing, VoidReason
from runtime.primitives.rational import Rational


@dataclass(frozen=True, slots=True)
class Tally:
    """The outcome; `votes` is aggVote, `opened` counts opened ballots.

    Masks of proposers: `marked` by most of the drawn voters as harmful, `missing` to half of them.
    """

    outcome: Outcome
    void: VoidReason | None = None
    aggregate: bytes | None = None
    votes: int = 0
    opened: int = 0
    marked: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class ProposerFacts:
    """What is known of a proposer: its bit, whether it opened a proposal, and whether most of
    the drawn voters reported that they do not have it."""

    bit: int
    is_opened: bool
    is_denied: bool


def tally(ballots: Sequence[Ballot | None], drawn: int, quorum: Rational) -> Tally:
    """Count the ballots of the present voters among `drawn` ones; None if it was not opened."""
    given = [ballot for ballot in ballots if ballot is not None]
    missing = _mask_of([b.missing for b in given if isinstance(b, NoData)], 2, drawn)
    if len(given) < quorum.mul_ceil(drawn):
        return _void(VoidReason.TOO_FEW_VOTES, given, missing)
    votes = [ballot for ballot in given if isinstance(ballot, Vote)]
    aggregate = _find_majority([vote.aggregate for vote in votes], drawn)
    if aggregate is None:
        return _void(VoidReason.NO_MAJORITY, given, missing)
    counted = [vote for vote in votes if vote.aggregate == aggregate]
    without_data = len(given) - len(votes)
    total = sum(1 if vote.accepts else -1 for vote in counted)
    total -= drawn - len(counted) - without_data
    marked = _mask_of([vote.marks for vote in counted], 2, drawn, is_strict=True)
    outcome = Outcome.ACCEPTED if total >= 0 else Outcome.REJECTED
    return Tally(outcome, None, aggregate, total, len(given), marked, missing)


def _void(reason: VoidReason, given: Sequence[Ballot], missing: int) -> Tally:
    return Tally(Outcome.VOID, reason, opened=len(given), missing=missing)


def _find_majority(aggregates: Sequence[bytes], drawn: int) -> bytes | None:
    counts: dict[bytes, int] = {}
    for aggregate in aggregates:
        counts[aggregate] = counts.get(aggregate, 0) + 1
    return next((one for one, count in counts.items() if 2 * count > drawn), None)


def _mask_of(masks: Sequence[int], factor: int, drawn: int, *, is_strict: bool = False) -> int:
    """The bits set in so many masks that factor times their number reaches (exceeds) `drawn`."""
    found, least = 0, drawn + is_strict
    for bit in range(max((mask.bit_length() for mask in masks), default=0)):
        if factor * sum(mask >> bit & 1 for mask in masks) >= least:
            found |= 1 << bit
    return found


def standing_of_proposer(
    facts: ProposerFacts, outcome: Tally, aggregate: int, *, attributes: bool
) -> Standing:
    """How a proposer comes out; `aggregate` is the mask of proposals that it is over.

    With attribution, marked proposers lose whatever became of the aggregate, and if there are any,
    the others of a rejected one are spared. Marks of more than half of an accepted aggregate
    contradict its acceptance, and count for nothing.
    """
    if outcome.void is VoidReason.NOBODY_DRAWN:
        return Standing.EXEMPT
    if not facts.is_opened:
        return Standing.ABSENT
    if not aggregate & facts.bit:
        return Standing.ABSENT if facts.is_denied else Standing.EXEMPT
    marked = outcome.marked if attributes else 0
    match outcome.outcome:
        case Outcome.ACCEPTED:
            is_marked = marked & facts.bit and not _is_most(marked, aggregate)
            return Standing.LOSING if is_marked else Standing.GOOD
        case Outcome.REJECTED:
            spared = marked and not marked & facts.bit
            return Standing.EXEMPT if spared else Standing.LOSING
        case Outcome.VOID:
            return Standing.ABSENT if outcome.missing & facts.bit else Standing.EXEMPT


@dataclass(frozen=True, slots=True)
class VoterFacts:
    """What is known of a voter: its opened ballot, and whether it told what it holds."""

    ballot: Ballot | None
    has_reported: bool


def standing_of_voter(
    facts: VoterFacts, outcome: Tally, aggregate: int, *, attributes: bool
) -> Standing:
    """How a voter that was present at the draw comes out; `aggregate` as for proposers.

    In a void round only those lose that said nothing when it was for them to speak. With
    attribution, marks that most voters do not share lose if they are on more than half of the
    proposers: whoever tells the truth marks no more, while less than half are malicious.
    """
    ballot = facts.ballot
    match outcome.void:
        case (
            VoidReason.NOBODY_DRAWN
            | VoidReason.NO_PROPOSAL
            | VoidReason.NOT_SHARED
            | VoidReason.NOT_SEALED
        ):
            return Standing.EXEMPT
        case (
            VoidReason.NOTHING_HELD
            | VoidReason.TOO_FEW_CLIENTS
            | VoidReason.NO_PROOF
            | VoidReason.NOT_UNMASKED
        ):
            return Standing.EXEMPT if facts.has_reported else Standing.ABSENT
        case VoidReason.TOO_FEW_VOTES | VoidReason.NO_MAJORITY:
            return Standing.ABSENT if ballot is None else Standing.EXEMPT
    if isinstance(ballot, NoData):
        return Standing.EXEMPT
    if not isinstance(ballot, Vote) or ballot.aggregate != outcome.aggregate:
        return Standing.ABSENT
    if attributes and _is_most(ballot.marks & ~outcome.marked, aggregate):
        return Standing.LOSING
    is_right = ballot.accepts == (outcome.outcome is Outcome.ACCEPTED)
    return Standing.GOOD if is_right else Standing.LOSING


def _is_most(part: int, whole: int) -> bool:
    """Whether a mask has more than half of the bits of another."""
    return 2 * (part & whole).bit_count() > whole.bit_count()
