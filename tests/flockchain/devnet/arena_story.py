"""A record of the chapter as it should be, event by event; tests spoil one thing each."""

from __future__ import annotations

from flockchain.devnet.arena.cast import (
    BOUNTY,
    BUDGET,
    CLONES,
    COPIER,
    DELEGATORS,
    HONEST,
    OVERFITTER,
    OWN_TASK,
    SHARE,
    SPONSOR,
    TASK_VALIDATORS,
    VERIFIED_TASK,
    Role,
)
from flockchain.devnet.arena.record import FULL_SCALE, Record, Refusal
from runtime.economy import tasks as economy
from runtime.pallets.arena import events as arena
from runtime.pallets.arena.records import Account, PaymentKind
from runtime.pallets.delegation.records import Slashed
from runtime.pallets.tasks import BountyAdded, records
from runtime.primitives.types import FML, AccountId, Bytes32

FIRST_DAY, FINAL_DAY = 4, 5
FEE = 10 * FML
_CONTENT = Bytes32(bytes(32))


def paid(
    task: int, day: int, who: AccountId, amount: int, kind: PaymentKind, operator: AccountId
) -> arena.Paid:
    role = economy.Role.TRAINING_NODE
    return arena.Paid(task, day, who, operator, role, kind, amount)


def pay_with_backers(record: Record, operator: Role, amount: int, kind: PaymentKind) -> None:
    """Operator and delegators get their exact parts."""
    backers = [each.role for each in DELEGATORS if each.operator is operator]
    stake = operator.stake + sum(role.stake for role in backers)
    left = amount
    for role in backers:
        part = amount * role.stake * SHARE.numerator // (stake * SHARE.denominator)
        left -= part
        record.note(paid(VERIFIED_TASK, FINAL_DAY, role.account, part, kind, operator.account))
    account = operator.account
    record.note(paid(VERIFIED_TASK, FINAL_DAY, account, left, kind, account))


def score(record: Record, number: int, role: Role, day: int, percent: int) -> None:
    """The role's submission `number` has a consensus score."""
    who = Account(role.account)
    record.note(arena.SubmissionRevealed(VERIFIED_TASK, number, who, _CONTENT, _CONTENT, 1))
    numerator = percent * FULL_SCALE // 100
    record.note(arena.SubmissionScored(VERIFIED_TASK, day, number, numerator * 3, 3))


def good_story() -> Record:
    """Every claim holds."""
    record = Record()
    for clone in CLONES:
        role = economy.Role.TRAINING_NODE
        record.note(records.Registered(VERIFIED_TASK, clone.account, role, 10 * FML))
    for day, honest, cheat in ((FIRST_DAY, 96, 100), (FINAL_DAY, 95, 80)):
        score(record, 0, HONEST, day, honest)
        score(record, 1, OVERFITTER, day, cheat)
    pay_with_backers(record, HONEST, 1_000 * FML, PaymentKind.REWARD_B)
    pay_with_backers(record, TASK_VALIDATORS[0], 900 * FML, PaymentKind.VALIDATION)
    for role in (OVERFITTER, CLONES[3]):
        record.note(paid(VERIFIED_TASK, 5, role.account, FML, PaymentKind.REWARD_A, role.account))
    record.note(Slashed(VERIFIED_TASK, COPIER.account, COPIER.account, FML, None))
    record.refusals.append(Refusal(COPIER.account, "WrongSeal"))
    record.note(BountyAdded(OWN_TASK, SPONSOR.account, BOUNTY, BOUNTY))
    account = HONEST.account
    record.note(paid(OWN_TASK, 5, account, BUDGET, PaymentKind.REWARD_B, account))
    record.note(paid(OWN_TASK, 5, account, BOUNTY, PaymentKind.BOUNTY_TRAINING, account))
    return record
