"""The derivation of a payout: what an account got of a task's day, down to storage keys.

Pure over the states it is given. Every number is computed anew by the very functions of the pallets
and compared to the unit with what the state holds and with what the settlement's events told.
Invariant: a tree is returned only if all of it agrees; otherwise `ExplainError` names the term.
Source: WP III.A, WP IV.A, WP V.D to V.I.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flockchain.economics.derivation.bounty import (
    explain_bounty_training,
    explain_bounty_validation,
)
from flockchain.economics.derivation.day_record import DayRecord, read_day
from flockchain.economics.derivation.nodes import explain_reward_a, explain_reward_b
from flockchain.economics.derivation.pots import Pots, explain_pots
from flockchain.economics.derivation.state_book import Page, StateBook
from flockchain.economics.derivation.terms import (
    ExplainError,
    Read,
    Term,
    ensure_equal,
)
from flockchain.economics.derivation.validators import (
    explain_creation,
    explain_slashed,
    explain_validation,
)
from runtime.economy.stakes import StakeShares
from runtime.pallets.arena.payout import divide
from runtime.pallets.arena.records import OF_ALL_DAYS, Payment, PaymentKind
from runtime.pallets.delegation.records import NotRegistered, OperatorKey
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import AccountId

_SPLIT_FORMULA = (
    "operator = R · (1 − ρ · T_d / (t_n + T_d)), delegator = R · ρ · t_d / (t_n + T_d), "
    "to the planck by largest remainders"
)


def explain(
    book: StateBook,
    task: int,
    day: int,
    account: AccountId,
    settlement: Sequence[StateBook] = (),
) -> Term:
    """What the account got of the day, in planck.

    `book` is best the state after the block that ended the settlement: the ledger still knows the
    day's stakes then. `settlement` are the states after the blocks that paid; their events are
    compared with the tree, and stand in for stakes that `book` does not know any more.

    Raises ExplainError.
    """
    record = read_day(book, task, day, settlement)
    pots = explain_pots(record)
    page = book.open()
    parts = [
        _explain_share(record, payment, pots, account)
        for payment in record.payments
        if _may_share(page, record, payment, account)
    ]
    parts = [part for part in parts if part.result]
    total = sum(int(part.result) for part in parts)
    _ensure_all_paid(record, account, total)
    return Term(
        "Payout",
        "the sum of the account's parts of the day's payments",
        "WP V.E to V.H",
        {"task": str(task), "day": str(day), "account": encode_address(account)},
        total,
        reads=_distinct((book.code_read, *record.reads, *page.reads(), *record.events.reads)),
        parts=tuple(parts),
        note=_note_on(record, parts),
    )


def _note_on(record: DayRecord, parts: Sequence[Term]) -> str | None:
    if record.result.ranked_on is None:
        return "the day's nodes are ranked and paid with the next day, as aliases may be opened yet"
    return None if parts else "the account has no part of the day's payments"


def _may_share(page: Page, record: DayRecord, payment: Payment, account: AccountId) -> bool:
    if payment.operator == account:
        return True
    key = OperatorKey(record.key.task, payment.operator)
    return page.runtime.delegation.delegations.contains((key, account)) or any(
        (event.who, event.operator) == (account, payment.operator)
        for event, _ in record.events.paid
    )


def _explain_payment(record: DayRecord, payment: Payment, pots: Pots) -> Term:
    match payment.kind:
        case PaymentKind.REWARD_A:
            return explain_reward_a(record, payment, pots)
        case PaymentKind.REWARD_B:
            return explain_reward_b(record, payment)
        case PaymentKind.VALIDATION:
            return explain_validation(record, payment, pots)
        case PaymentKind.CREATION:
            return explain_creation(record, payment, pots)
        case PaymentKind.SLASHED_STAKE:
            return explain_slashed(record, payment)
        case PaymentKind.BOUNTY_TRAINING:
            return explain_bounty_training(record, payment)
        case PaymentKind.BOUNTY_VALIDATION:
            return explain_bounty_validation(record, payment)


# -- an operator and its delegators


def _explain_share(record: DayRecord, payment: Payment, pots: Pots, account: AccountId) -> Term:
    """The account's part of an operator's payment."""
    page = record.book.open()
    earned = _explain_payment(record, payment, pots)
    inputs = {"R": str(payment.amount), "operator": encode_address(payment.operator)}
    try:
        shares = _shares_of(page, record, payment)
    except (ValueError, NotRegistered):
        return _from_events(record, payment, account, earned, inputs)
    amount = dict(divide(payment, shares)).get(account, 0)
    staked = shares.own if account == payment.operator else dict(shares.delegations).get(account, 0)
    inputs |= {
        "t_n": str(shares.own),
        "T_d": str(sum(each for _, each in shares.delegations)),
        "t": str(staked),
        "rho": str(shares.ratio),
        "delegators": str(len(shares.delegations)),
    }
    reads, note = _ensure_paid(record, payment, account, amount)
    parts = (*reads, earned)
    return Term(
        "Delegation split",
        _SPLIT_FORMULA,
        "WP V.G",
        inputs,
        amount,
        reads=page.reads(),
        parts=parts,
        note=note,
    )


def _shares_of(page: Page, record: DayRecord, payment: Payment) -> StakeShares:
    """The stakes that the payment is divided by; those of delegators sum to the operator's own
    figure of them, so that none is missing."""
    ledger, (task, day) = page.runtime.delegation, (record.key.task, record.key.day)
    operator = ledger.operators.find((task, payment.operator))
    if operator is None:
        raise NotRegistered
    if payment.kind in OF_ALL_DAYS:
        shares = ledger.shares_through(task, payment.operator, day)
        delegated = operator.delegated.stake_days_through(day)
    else:
        shares = ledger.shares_on(task, payment.operator, day)
        delegated = operator.delegated.at(day)
    ensure_equal("T_d", sum(each for _, each in shares.delegations), delegated)
    return shares


def _from_events(
    record: DayRecord,
    payment: Payment,
    account: AccountId,
    earned: Term,
    inputs: dict[str, str],
) -> Term:
    """The part as it was paid: the ledger has forgotten the stakes of the day."""
    if not record.events.is_whole:
        raise ExplainError(
            f"delegation split: the stakes of day {record.key.day} are not known after block "
            f"0x{record.book.block.hex()}; ask a node that still has the settlement's blocks"
        )
    matching = [
        (event.who, event.amount, read)
        for event, read in record.events.paid
        if (event.operator, event.kind) == (payment.operator, payment.kind)
    ]
    if not record.events.undeliverable:
        ensure_equal("delegation split", sum(each for _, each, _ in matching), payment.amount)
    reads = tuple(read for who, _, read in matching if who == account)
    return Term(
        "Delegation split",
        _SPLIT_FORMULA,
        "WP V.G",
        inputs,
        sum(each for who, each, _ in matching if who == account),
        reads=reads,
        parts=(earned,),
        note="the day's stakes are forgotten: this is what the settlement's Paid events say",
    )


# -- what was paid


def _ensure_paid(
    record: DayRecord, payment: Payment, account: AccountId, amount: int
) -> tuple[tuple[Term, ...], str | None]:
    """The payment's event as a term, if the settlement's blocks are at hand."""
    events = record.events
    if not events.is_whole or not amount:
        return (), None if events.is_whole else "the settlement's blocks are not at hand"
    found = [
        (event.amount, read)
        for event, read in events.paid
        if (event.who, event.operator, event.kind) == (account, payment.operator, payment.kind)
    ]
    if not found and any(event.who == account for event, _ in events.undeliverable):
        return (), "undeliverable: the account was reaped, the treasury has it"
    ensure_equal("Paid", [each for each, _ in found], [amount])
    term = Term(
        "Paid",
        "the settlement's event of the transfer out of the task's pot",
        "WP V.H",
        {"who": encode_address(account), "kind": payment.kind.name},
        amount,
        reads=_distinct(read for _, read in found),
    )
    return (term,), None


def _ensure_all_paid(record: DayRecord, account: AccountId, total: int) -> None:
    """Everything that the settlement paid to the account, or could not, is explained."""
    events = record.events
    if not events.is_whole:
        return
    paid = sum(event.amount for event, _ in events.paid if event.who == account)
    paid += sum(event.amount for event, _ in events.undeliverable if event.who == account)
    ensure_equal("payout", total, paid)


def _distinct(reads: Iterable[Read]) -> tuple[Read, ...]:
    return tuple(dict.fromkeys(reads))
