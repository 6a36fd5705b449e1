"""What a task's bounty paid at completion: nodes by the final f_i, validators by all days' shares.

Source: WP III.B.1 (bounties), WP V.H (completion).
"""

from __future__ import annotations

from flockchain.economics.derivation.day_record import DayRecord
from flockchain.economics.derivation.nodes import explain_final_share
from flockchain.economics.derivation.ranking import place_of
from flockchain.economics.derivation.state_book import Page
from flockchain.economics.derivation.terms import ExplainError, Read, Term, Unit, ensure_equal
from runtime.economy.tasks import Role
from runtime.pallets.arena.records import BountyResult, DayKey, DayResult, Payment, PaymentKind
from runtime.pallets.arena.shares import floor_shares, keep_best
from runtime.pallets.arena.split import RewardSplit, split_reward
from runtime.primitives.apportion import apportion
from runtime.primitives.rational import Rational
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import AccountId

_NOTHING = Rational(0, 1)


def explain_bounty_training(record: DayRecord, payment: Payment) -> Term:
    """The nodes' part of the bounty by the final f_i. Raises ExplainError."""
    found, split, reads = _read_bounty(record)
    ensure_equal("B_nodes", split.nodes, found.for_nodes)
    share = explain_final_share(record, payment, found.for_nodes)
    pot = _pot(record, found, "B_nodes = B (γ + (1 − 2γ) T / (T + S))", found.for_nodes, reads)
    return Term(
        "Bounty",
        "B_i = B_nodes · f_i of the final day, stakes the mean of all days",
        "WP III.B.1",
        {"B_nodes": str(found.for_nodes), "operator": encode_address(payment.operator)},
        payment.amount,
        reads=(*record.reads, *reads),
        parts=(share, pot),
    )


def explain_bounty_validation(record: DayRecord, payment: Payment) -> Term:
    """The validators' part by their shares of all days. Raises ExplainError."""
    found, split, reads = _read_bounty(record)
    ensure_equal("B_validators", split.validators, found.for_validators)
    page = record.book.open()
    sums = sorted(page.runtime.arena.validator_records.items_of(record.key.task))
    accounts = [account for account, _ in sums]
    shares = [share for _, share in sums]
    record.ensure_payments(
        PaymentKind.BOUNTY_VALIDATION, accounts, apportion(found.for_validators, shares)
    )
    place = place_of(payment.operator, accounts, "Σ_d share")
    share = _explain_days(record, page, payment.operator, sum(shares), shares[place])
    formula = "B_validators = B (γ + (1 − 2γ) S / (T + S))"
    pot = _pot(record, found, formula, found.for_validators, reads)
    return Term(
        "Bounty",
        "B_j = B_validators · Σ_d share_j(d) / Σ over all validators",
        "WP III.B.1",
        {"B_validators": str(found.for_validators), "shares of all": str(sum(shares))},
        payment.amount,
        reads=(*record.reads, *reads, *page.reads()),
        parts=(share, pot),
    )


# -- the bounty and its two parts


def _read_bounty(record: DayRecord) -> tuple[BountyResult, RewardSplit, tuple[Read, ...]]:
    """The bounty's record, its stakes checked, and its division computed anew."""
    page, key = record.book.open(), record.key
    found = page.runtime.arena.bounty_results.find(key.task)
    if found is None:
        raise ExplainError("bounty: its record was dropped")
    recorded = (found.node_stake, found.validator_stake)
    ensure_equal("T and S of all days", _stakes(page, key, recorded), recorded)
    total = sum(each.amount for each in found.payers)
    split = split_reward(total, *recorded, record.result.parameters.gamma, _NOTHING)
    return found, split, page.reads()


def _stakes(page: Page, key: DayKey, recorded: tuple[int, int]) -> tuple[int, int]:
    """T and S as the ledger has them; as recorded once it has forgotten the task."""
    ledger = page.runtime.delegation
    if not ledger.starts.contains(key.task):
        return recorded
    try:
        nodes = ledger.role_days_of(key.task, Role.TRAINING_NODE, key.day)
        return nodes, ledger.role_days_of(key.task, Role.TASK_VALIDATOR, key.day)
    except ValueError:
        return recorded


def _pot(
    record: DayRecord, found: BountyResult, formula: str, amount: int, reads: tuple[Read, ...]
) -> Term:
    total = sum(each.amount for each in found.payers)
    return Term(
        formula.partition(" ")[0],
        formula,
        "WP III.B.1, V.I",
        {
            "B": str(total),
            "T": str(found.node_stake),
            "S": str(found.validator_stake),
            "gamma": str(record.result.parameters.gamma),
        },
        amount,
        reads=reads,
        parts=(_bounty(found, total, reads),),
    )


def _bounty(found: BountyResult, total: int, reads: tuple[Read, ...]) -> Term:
    returned = total - found.for_nodes - found.for_validators
    return Term(
        "B",
        "B = Σ of what others paid for the task",
        "WP III.B.1",
        {encode_address(each.payer): str(each.amount) for each in found.payers},
        total,
        reads=reads,
        note=f"{returned} planck had nobody to go to and went back" if returned else None,
    )


# -- a validator's days


def _explain_days(
    record: DayRecord, page: Page, account: AccountId, of_all: int, recorded: int
) -> Term:
    """Σ_d share_j(d), as far as the records of the task's days are kept."""
    total, inputs, unseen, missing = 0, dict[str, str](), 0, 0
    for day in range(record.task.start_day, record.key.day + 1):
        result = page.runtime.arena.day_results.find(DayKey(record.key.task, day))
        if result is None:
            missing += 1
            continue
        shares = _shares_of(result)
        total += sum(shares.values())
        inputs[f"day {day}"] = str(shares.get(account, 0))
        unseen += account not in shares
    if not missing:
        ensure_equal("Σ_d share of all", total, of_all)
    if not missing and not unseen:
        ensure_equal("Σ_d share", sum(int(each) for each in inputs.values()), recorded)
    notes = [f"the records of {missing} days were dropped"] if missing else []
    if unseen:
        notes.append(f"on {unseen} days the account did not validate, or had another key")
    return Term(
        "Σ_d share",
        "Σ_d Σ_i f_ij / Σ over the best k_2 of the day, floored to 2^-128",
        "WP V.F, Table I",
        inputs,
        recorded,
        Unit.SHARE,
        page.reads(),
        note="; ".join(notes) or None,
    )


def _shares_of(result: DayResult) -> dict[AccountId, int]:
    """Each validator's part of a day, 0 below the best k_2."""
    k_2 = result.parameters.paid_validators_max
    best = keep_best([juror.share for juror in result.jurors], k_2)
    accounts = [juror.account for juror in result.jurors]
    return dict(zip(accounts, floor_shares(best), strict=True))
