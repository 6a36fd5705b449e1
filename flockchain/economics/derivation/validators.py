"""What a task validator earned: Σ_i f_ij over submissions, by distance to the consensus.

Source: WP V.F (modified softmax), Table I (top k_2), WP III.A.3 (slashes).
"""

from __future__ import annotations

from flockchain.economics.derivation.day_record import DayRecord
from flockchain.economics.derivation.pots import Pots, creator_pot, validators_pot
from flockchain.economics.derivation.ranking import (
    explain_consensus,
    place_of,
    scored_ballots,
)
from flockchain.economics.derivation.terms import ExplainError, Term, Unit, ensure_equal
from runtime.economy.parameters import SCORE_MAX
from runtime.pallets.arena.ballots import unscored_weight
from runtime.pallets.arena.consensus import ConsensusScore
from runtime.pallets.arena.records import Juror, Payment, PaymentKind, Roster, RosterEntry
from runtime.pallets.arena.shares import keep_best, pay_by_draws, validator_shares
from runtime.primitives.apportion import apportion
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import AccountId


def explain_validation(record: DayRecord, payment: Payment, pots: Pots) -> Term:
    """R_validators by the summed shares of the best k_2. Raises ExplainError."""
    result = record.result
    accounts = [juror.account for juror in result.jurors]
    k_2 = result.parameters.paid_validators_max
    best = keep_best([juror.share for juror in result.jurors], k_2)
    record.ensure_payments(PaymentKind.VALIDATION, accounts, apportion(pots.validators, best))
    place = place_of(payment.operator, accounts, "validation")
    share = explain_juror(record, payment.operator, result.jurors[place].share)
    return Term(
        "Validation",
        "R_j = R_validators · Σ_i f_ij / Σ over the best k_2, to the planck by largest remainders",
        "WP V.F",
        {
            "R_validators": str(pots.validators),
            "share": str(best[place]),
            "shares of the best": str(sum(best)),
            "k_2": "none" if k_2 is None else str(k_2),
            "N": str(result.scored),
        },
        payment.amount,
        reads=record.reads,
        parts=(share, validators_pot(record, pots)),
    )


def explain_juror(record: DayRecord, account: AccountId, recorded: int) -> Term:
    """Σ_i f_ij of a validator, from every ballot of its. Raises ExplainError."""
    page = record.book.open()
    roster = page.runtime.arena.rosters.find(record.key)
    if roster is None:
        raise ExplainError("Σ f_ij: the day's roster was dropped")
    entries = {entry.submission: entry for entry in roster.entries}
    numbers = list(entries)
    if roster.seats:
        seats = page.runtime.arena.assignments.get((record.key, account))
        numbers = [each.submission for each in seats]
    found = (_explain_share(record, entries[number], account) for number in numbers)
    parts = tuple(term for term in found if term is not None)
    juror = next(each for each in roster.jurors if each.account == account)
    summed = sum(int(part.result) for part in parts)
    earned = pay_by_draws([summed], [juror])[0] if roster.seats else summed
    ensure_equal("Σ f_ij", earned, recorded)
    by_draws = "; times seats drawn / seats held" if roster.seats else ""
    return Term(
        "Σ f_ij",
        f"Σ_i f_ij over the submissions that the validator scored{by_draws}",
        "WP V.F",
        _juror_inputs(roster, juror),
        recorded,
        Unit.SHARE,
        page.reads(),
        parts,
    )


def _juror_inputs(roster: Roster, juror: Juror) -> dict[str, str]:
    inputs = {"s_j": str(juror.stake), "seats a submission": str(roster.seats)}
    if roster.seats:
        inputs |= {"seats drawn": str(juror.drawn), "seats held": str(juror.held)}
    return inputs


def _explain_share(record: DayRecord, entry: RosterEntry, account: AccountId) -> Term | None:
    """f_ij of one submission; None if the validator's ballot has no score or counts nowhere."""
    page, parameters = record.book.open(), record.result.parameters
    place = (record.key, entry.submission)
    given = scored_ballots(page, record, entry.submission)
    judges = [who for who, _, _ in given]
    unscored = unscored_weight(page.runtime.arena.ballots.get(place))
    if account not in judges or 2 * unscored >= entry.dealt:
        return None
    stored = page.runtime.arena.results.find(place)
    if stored is None:
        raise ExplainError(f"f_ij: submission {entry.submission} has no consensus")
    consensus = ConsensusScore(stored.numerator, stored.denominator, tuple(stored.kept))
    score_term = explain_consensus(record, entry.submission)  # the stored consensus fits `given`
    shares = validator_shares(
        [(weight, score) for _, weight, score in given],
        consensus,
        parameters.distance_lambda,
        parameters.validator_alpha,
        SCORE_MAX,
    )
    index = judges.index(account)
    _, weight, score = given[index]
    distance = abs(consensus.numerator - score * consensus.denominator)
    return Term(
        "f_ij",
        "f_ij = e^(−λ·Δ_ij) · w_j^α / Σ_k e^(−λ·Δ_ik) · w_k^α, Δ_ij = |score_ij − r_i| / 10^9; "
        "0 for an outlier",
        "WP V.F",
        {
            "submission": str(entry.submission),
            "score_ij": str(score),
            "Delta_ij": f"{distance}/{consensus.denominator * SCORE_MAX}",
            "lambda": str(parameters.distance_lambda),
            "w_j": str(weight),
            "alpha": str(parameters.validator_alpha),
            "is kept": str(consensus.kept[index]).lower(),
        },
        shares[index],
        Unit.SHARE,
        page.reads(),
        (score_term,),
    )


def explain_slashed(record: DayRecord, payment: Payment) -> Term:
    """What was slashed that day, by the summed shares. Raises ExplainError."""
    result = record.result
    accounts = [juror.account for juror in result.jurors]
    shares = [juror.share for juror in result.jurors]
    record.ensure_payments(PaymentKind.SLASHED_STAKE, accounts, apportion(result.slashed, shares))
    place = place_of(payment.operator, accounts, "slashed stake")
    return Term(
        "Slashed stake",
        "the day's slashes · Σ_i f_ij / Σ over all validators",
        "WP III.A.3",
        {"slashed": str(result.slashed), "shares of all": str(sum(shares))},
        payment.amount,
        reads=record.reads,
        parts=(explain_juror(record, payment.operator, shares[place]),),
    )


def explain_creation(record: DayRecord, payment: Payment, pots: Pots) -> Term:
    """The creator's slice. Raises ExplainError."""
    record.ensure_payments(PaymentKind.CREATION, [record.task.creator], [pots.creator])
    return Term(
        "Creation",
        "the task's creator has R_creator",
        "WP IV.A",
        {"creator": encode_address(payment.operator)},
        payment.amount,
        reads=record.reads,
        parts=(creator_pot(record, pots),),
    )
