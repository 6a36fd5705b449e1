"""Each claim of the arena chapter holds for a good story and fails for a spoilt one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flockchain.devnet.arena import claims
from flockchain.devnet.arena.cast import (
    BOUNTY,
    BUDGET,
    CLONES,
    COPIER,
    FREE_RIDER,
    HONEST,
    OVERFITTER,
    OWN_TASK,
    VERIFIED_TASK,
)
from flockchain.devnet.arena.record import Record, Refusal
from flockchain.devnet.checks import CheckFailed, Verdict
from runtime.pallets.arena.records import PaymentKind
from runtime.pallets.tasks.records import BountyReturned
from runtime.primitives.types import FML
from tests.flockchain.devnet.arena_story import (
    FEE,
    FINAL_DAY,
    FIRST_DAY,
    good_story,
    paid,
    score,
)

MINTED = 1_902 * FML
Check = Callable[[Record], list[Verdict]]
CHECKS: dict[str, Check] = {
    "paid": lambda record: [claims.check_paid(record)],
    "free rider": lambda record: [claims.check_free_rider(record)],
    "overfitter": lambda record: [claims.check_overfitter(record, FINAL_DAY)],
    "clones": lambda record: [claims.check_clones(record, FEE, 1)],
    "copier": lambda record: [claims.check_copier(record)],
    "delegators": claims.check_delegators,
    "own task": lambda record: [claims.check_own_task(record)],
    "emission": lambda record: [claims.check_emission(record, MINTED)],
}


def texts(check: str, record: Record) -> list[str]:
    return [verdict.text for verdict in CHECKS[check](record)]


def pay(record: Record, who: bytes, amount: int, kind: PaymentKind = PaymentKind.REWARD_A) -> None:
    record.note(paid(VERIFIED_TASK, FINAL_DAY, who, amount, kind, who))  # type: ignore[arg-type]


def test_all_claims_hold_for_a_good_story() -> None:
    record = good_story()
    told = [text for check in CHECKS for text in texts(check, record)]
    assert told[1:5] == [
        "the free rider was paid nothing",
        "the overfitter had 100.00 % on set A and 80.00 % on set B, where trainer 1 (strong) had "
        "95.00 %; it was paid 1 FML",
        "ten clones paid fees of 100 FML, one of them ranked, they were paid 1 FML; trainer 1 "
        "(strong), with as much stake in one identity, 7600 FML",
        "the score copier could not open what it copied, was slashed 1 FML and paid nothing",
    ]
    assert told[5] == (
        "trainer 1 (strong) kept 700 FML; delegator 1 and delegator 2, with 100 of 200 FML behind "
        "it and a share of 3/5, got 300 FML, exactly"
    )
    assert (
        told[7]
        == "task 1 paid 6000 FML of its creator's 6000 FML and 900 FML of the sponsor's 900 FML"
    )


def spoil_scores(record: Record) -> None:
    score(record, 1, OVERFITTER, FINAL_DAY, 97)


def forget_set_b(record: Record) -> None:
    del record.scores[VERIFIED_TASK, FINAL_DAY, 0]


def be_modest_on_set_a(record: Record) -> None:
    score(record, 1, OVERFITTER, FIRST_DAY, 90)


def return_some_of_the_bounty_twice(record: Record) -> None:
    record.note(BountyReturned(OWN_TASK, HONEST.account, HONEST.account, BOUNTY))


def pay_more_than_the_budget(record: Record) -> None:
    account = HONEST.account
    record.note(paid(OWN_TASK, 5, account, BUDGET, PaymentKind.REWARD_A, account))


def give_a_delegator_too_much(record: Record) -> None:
    for index, event in enumerate(record.paid):
        if event.who != event.operator:
            record.paid[index] = replace(event, amount=event.amount + 100)
            return


@pytest.mark.parametrize(
    ("check", "spoil", "message"),
    [
        ("paid", lambda r: r.paid.clear(), "nobody was paid anything"),
        ("free rider", lambda r: pay(r, FREE_RIDER.account, FML), "the free rider was paid 1 FML"),
        ("overfitter", spoil_scores, "the overfitter has 97.00 % on set B, not below"),
        ("overfitter", forget_set_b, "set B scored one of the two only"),
        ("overfitter", be_modest_on_set_a, "the overfitter was never above trainer 1 (strong)"),
        ("overfitter", lambda r: pay(r, OVERFITTER.account, 8_000 * FML), "was paid 8001 FML, not"),
        ("clones", lambda r: r.registered.pop(), "9 clones registered"),
        ("clones", lambda r: pay(r, CLONES[0].account, 8_000 * FML), "the clones were paid 8001"),
        ("copier", lambda r: r.refusals.clear(), "the copier was not refused for its seal"),
        ("copier", lambda r: r.slashed.clear(), "the copier was not slashed"),
        ("copier", lambda r: pay(r, COPIER.account, FML), "the copier was paid 1 FML"),
        ("delegators", give_a_delegator_too_much, "day 5: delegator 1 got"),
        ("delegators", lambda r: r.paid.clear(), "trainer 1 (strong) earned nothing"),
        ("own task", return_some_of_the_bounty_twice, "planck of the bounty came out"),
        ("own task", pay_more_than_the_budget, "planck of the budget were paid"),
        ("emission", lambda r: pay(r, HONEST.account, 1), "were minted"),
    ],
)
def test_a_spoilt_story_fails(check: str, spoil: Callable[[Record], None], message: str) -> None:
    record = good_story()
    texts(check, record)
    spoil(record)
    with pytest.raises(CheckFailed) as caught:
        CHECKS[check](record)
    assert message in str(caught.value)


def test_clones_that_rank_twice_fail_and_slashed_stake_is_not_minted() -> None:
    record = good_story()
    with pytest.raises(CheckFailed, match="2 clones ranked on one day"):
        claims.check_clones(record, FEE, 2)
    pay(record, HONEST.account, FML, PaymentKind.SLASHED_STAKE)
    claims.check_emission(record, MINTED)


def test_an_error_of_another_kind_is_no_refusal_of_the_seal() -> None:
    record = good_story()
    record.refusals[:] = [Refusal(COPIER.account, "OutsideWindow")]
    with pytest.raises(CheckFailed, match=r"not refused for its seal, but for \['OutsideWindow'\]"):
        claims.check_copier(record)
