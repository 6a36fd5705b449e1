"""Why a submission has its rank: the consensus of its ballots, and the order of all submissions.

Source: WP V.E (aggregation, ranking), Table I (top k_1).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flockchain.economics.derivation.day_record import DayRecord
from flockchain.economics.derivation.duplicates import explain_fingerprint, find_copies
from flockchain.economics.derivation.state_book import Page
from flockchain.economics.derivation.terms import ExplainError, Read, Term, Unit, ensure_equal
from runtime.pallets.arena.ballots import scores_of
from runtime.pallets.arena.consensus import ConsensusScore, consensus_score
from runtime.pallets.arena.ranking import Entry, rank
from runtime.pallets.arena.records import RosterEntry
from runtime.pallets.arena.standings import candidates_of
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import AccountId


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranked entries, the best first, and the keys that they follow from."""

    entries: list[RosterEntry]
    owners: list[AccountId]
    consensus: list[ConsensusScore]
    reads: tuple[Read, ...]


def recompute_ranking(record: DayRecord, ranked_max: int | None) -> Ranking:
    """The day's order by the stored consensus scores, cut to the best `ranked_max`."""
    page = record.book.open()
    roster = page.runtime.arena.rosters.find(record.key)
    if roster is None:
        raise ExplainError("rank: the day's roster was dropped")
    candidates = candidates_of(roster)
    copies = find_copies(page, record, roster)
    scores = [
        None if each.submission in copies else _stored_consensus(page, record, each.submission)
        for each, _ in candidates
    ]
    order = rank(
        [
            Entry(score, each.submission, each.content, each.dealt)
            for (each, _), score in zip(candidates, scores, strict=True)
        ],
        record.task.terms.baseline,
        ranked_max,
    )
    consensus = [score for index in order if (score := scores[index]) is not None]
    ranked = [candidates[index] for index in order]
    return Ranking(
        [entry for entry, _ in ranked], [owner for _, owner in ranked], consensus, page.reads()
    )


def _stored_consensus(page: Page, record: DayRecord, submission: int) -> ConsensusScore | None:
    found = page.runtime.arena.results.find((record.key, submission))
    if found is None:
        return None
    return ConsensusScore(found.numerator, found.denominator, tuple(found.kept))


def explain_rank(record: DayRecord, owner: AccountId) -> Term:
    """k of a node in the day's ranking. Raises ExplainError."""
    ranked_max = record.result.parameters.vesting.ranked_max
    ranking = recompute_ranking(record, ranked_max)
    recorded = record.result.ranking
    ensure_equal(
        "rank",
        [
            (entry.submission, owner.hex(), score.numerator, score.denominator)
            for entry, owner, score in zip(
                ranking.entries, ranking.owners, ranking.consensus, strict=True
            )
        ],
        [
            (node.submission, node.owner.hex(), node.numerator, node.denominator)
            for node in recorded
        ],
    )
    place = place_of(owner, ranking.owners, "rank")
    return Term(
        "k",
        "k = rank by consensus score, ties to the earliest commitment; of equal content ids the "
        "first, above the baseline, at least half of the seats counted, the best k_1",
        "WP V.E, Table I",
        {
            "submission": str(ranking.entries[place].submission),
            "baseline": str(record.task.terms.baseline),
            "k_1": "none" if ranked_max is None else str(ranked_max),
            "ranked": str(len(ranking.entries)),
        },
        place + 1,
        Unit.RANK,
        ranking.reads,
        (
            explain_consensus(record, ranking.entries[place].submission),
            *explain_fingerprint(record, ranking.entries[place].submission),
        ),
    )


def place_of(account: AccountId, accounts: list[AccountId], term: str) -> int:
    """Where an account stands in a list. Raises ExplainError."""
    if account not in accounts:
        raise ExplainError(f"{term}: {encode_address(account)} is not in the day's records")
    return accounts.index(account)


def explain_consensus(record: DayRecord, submission: int) -> Term:
    """The consensus score of a submission, from its ballots. Raises ExplainError."""
    page, parameters = record.book.open(), record.result.parameters
    stored = _stored_consensus(page, record, submission)
    given = scored_ballots(page, record, submission)
    consensus = consensus_score(
        [(weight, score) for _, weight, score in given],
        parameters.outlier_kappa,
        parameters.outlier_tolerance,
    )
    if stored is None or consensus is None:
        raise ExplainError(f"consensus score: submission {submission} has none")
    ensure_equal(f"consensus score of submission {submission}", consensus, stored)
    return Term(
        "r_i",
        "r_i = Σ_j w_j · score_ij / Σ_j w_j over the scores within max(κ·MAD, tolerance) of the "
        "weighted lower median; w_j = seats, or stake without committees",
        "WP V.E",
        {
            "submission": str(submission),
            "kappa": str(parameters.outlier_kappa),
            "tolerance": str(parameters.outlier_tolerance),
            "scores": str(len(given)),
            "dropped": str(sum(not kept for kept in consensus.kept)),
        },
        Fraction(consensus.numerator, consensus.denominator),
        Unit.SCORE,
        page.reads(),
    )


def scored_ballots(
    page: Page, record: DayRecord, submission: int
) -> list[tuple[AccountId, int, int]]:
    """(validator, weight, score) of the ballots with a score, by validator."""
    return scores_of(page.runtime.arena.ballots.get((record.key, submission)))
