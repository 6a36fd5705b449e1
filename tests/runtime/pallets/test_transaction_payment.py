"""Fees: parts, shares to the last planck, and a multiplier that follows how full blocks are."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import frame
from runtime.frame.errors import InvalidKind, InvalidTransaction
from runtime.frame.traits import pallet_account
from runtime.frame.weights import DispatchInfo, Pays, Weight
from runtime.pallets import balances, system, transaction_payment
from runtime.pallets.transaction_payment import (
    MULTIPLIER_MAX,
    MULTIPLIER_MIN,
    ONE,
    Multiplier,
    TransactionFeePaid,
    TransactionPayment,
)
from runtime.pallets.treasury import TREASURY
from runtime.primitives.types import FML, AccountId

ALICE, AUTHOR = AccountId(b"\1" * 32), AccountId(b"\2" * 32)
LIMIT = 1_000_000_000_000  # picoseconds that normal calls may use
INFO = DispatchInfo(Weight(60_000_000))


class FixedAuthor:
    """Whoever the test says made the block."""

    def __init__(self, who: AccountId | None, receiver: AccountId | None = None) -> None:
        self.who, self.receiver = who, receiver or who

    def author(self) -> AccountId | None:
        return self.who

    def fee_receiver(self) -> AccountId | None:
        return self.receiver


def make(
    author: AccountId | None = AUTHOR, receiver: AccountId | None = None, **changes: int
) -> tuple[TransactionPayment, balances.Balances]:
    ext = frame.Externalities(frame.DictState())
    currency = balances.Balances(
        ext, balances.Config(), accounts=system.System(ext, system.Config())
    )
    currency.genesis_build({ALICE: FML, AUTHOR: FML})
    config = transaction_payment.Config(TREASURY, LIMIT, **changes)
    by = FixedAuthor(author, receiver)
    return TransactionPayment(ext, config, sink=currency, author=by), currency


def test_a_fee_has_three_parts() -> None:
    fees, _ = make()
    assert fees.compute_fee(150, INFO) == (10**14, 150 * 10**12, 60_000_000 * 10**6)
    fees.next_fee_multiplier.put(Multiplier(3 * ONE // 2))
    assert fees.compute_fee(150, INFO) == (10**14, 150 * 10**12, 90_000_000 * 10**6)
    free = DispatchInfo(Weight(60_000_000), pays_fee=Pays.NO)
    assert fees.compute_fee(150, free) == (0, 0, 0)


def test_a_fee_is_taken_and_told() -> None:
    fees, currency = make()
    fee = sum(fees.compute_fee(100, INFO))
    assert fees.charge(ALICE, 100, INFO, 7) == fee + 7
    assert currency.free(ALICE) == FML - fee - 7
    assert (currency.collected_fees(), fees.tips.get()) == (fee + 7, 7)
    fees.note_paid(ALICE, fee + 7, 7)
    assert currency.ext.events[-1][1] == TransactionFeePaid(ALICE, fee + 7, 7)


def test_who_cannot_pay_is_refused() -> None:
    fees, _ = make()
    fee = sum(fees.compute_fee(100, INFO)) + 2 * FML
    with pytest.raises(InvalidTransaction) as caught:
        fees.charge(ALICE, 100, INFO, 2 * FML)
    assert caught.value.kind is InvalidKind.PAYMENT
    assert str(caught.value) == f"cannot pay a fee of {fee} planck"


def test_a_free_call_takes_the_tip_alone() -> None:
    fees, currency = make()
    free = DispatchInfo(Weight(0), pays_fee=Pays.NO)
    assert fees.charge(ALICE, 100, free, 0) == 0
    assert fees.charge(ALICE, 100, free, 5) == 5
    assert currency.free(ALICE) == FML - 5
    fees.note_paid(ALICE, 0, 0)
    assert TransactionFeePaid not in [type(event) for _, event in fees.ext.events]


@pytest.mark.parametrize("fee", [0, 1, 2, 3, 7, 10, 99, 10**15 + 1])
@pytest.mark.parametrize("tip", [0, 11])
def test_the_shares_of_a_block(fee: int, tip: int) -> None:
    fees, currency = make()
    currency.collect(ALICE, fee + tip)
    fees.tips.put(tip)
    issued = currency.issuance()
    fees.on_finalize(1)
    treasury, author = currency.free(TREASURY), currency.free(AUTHOR) - FML - tip
    burned = issued - currency.issuance()
    assert treasury + author + burned == fee
    for share, percent in ((treasury, 20), (author, 50), (burned, 30)):
        assert abs(100 * share - percent * fee) < 100
    assert (currency.collected_fees(), fees.tips.get()) == (0, 0)
    currency.try_state()


def test_without_an_author_its_share_and_the_tips_are_burned() -> None:
    fees, currency = make(author=None)
    currency.collect(ALICE, 1_010)
    fees.tips.put(10)
    fees.on_finalize(1)
    assert currency.free(TREASURY) == 200
    assert currency.total_burned.get() == 810
    currency.try_state()


def test_an_author_without_an_account_gets_what_is_no_dust() -> None:
    stranger = AccountId(b"\3" * 32)
    fees, currency = make(author=stranger)
    currency.collect(ALICE, 1_000)
    fees.on_finalize(1)
    assert (currency.free(stranger), currency.total_burned.get()) == (0, 800)
    currency.collect(ALICE, FML // 10)
    fees.on_finalize(2)
    assert currency.free(stranger) == FML // 20
    currency.try_state()


def after(multiplier: int, used: int) -> int:
    fees, _ = make()
    fees.next_fee_multiplier.put(Multiplier(multiplier))
    fees.update_multiplier(Weight(used))
    return fees.next_fee_multiplier.get().inner


def test_the_multiplier_rises_above_a_quarter_full_and_falls_below() -> None:
    target = LIMIT // 4
    assert after(ONE, target) == ONE
    assert after(ONE, target + 1) >= ONE
    assert after(ONE, LIMIT) > after(ONE, LIMIT // 2) > ONE
    assert after(ONE, 0) < after(ONE, target // 2) < ONE


@given(st.integers(MULTIPLIER_MIN, MULTIPLIER_MAX), st.integers(0, LIMIT))
def test_the_multiplier_is_the_floor_of_its_formula(multiplier: int, used: int) -> None:
    with localcontext() as context:
        context.prec = 80
        change = Decimal(used * 4 - LIMIT) / Decimal(4 * LIMIT) / Decimal(100_000)
        exact = Decimal(multiplier) * (1 + change + change * change / 2)
        expected = min(max(int(exact), MULTIPLIER_MIN), MULTIPLIER_MAX)
    assert after(multiplier, used) == expected


def test_the_multiplier_has_bounds() -> None:
    assert after(MULTIPLIER_MIN, 0) == MULTIPLIER_MIN
    assert after(MULTIPLIER_MIN, LIMIT) > MULTIPLIER_MIN
    assert after(MULTIPLIER_MAX, LIMIT) == MULTIPLIER_MAX
    assert after(MULTIPLIER_MAX, 0) < MULTIPLIER_MAX


def test_stake_behind_the_author_gets_its_part_of_fees_and_the_author_the_tips() -> None:
    pot = pallet_account(b"staking")
    fees, currency = make(receiver=pot)
    currency.collect(ALICE, 1_010)
    fees.tips.put(10)
    fees.on_finalize(1)
    assert (currency.free(pot), currency.free(AUTHOR)) == (500, FML + 10)
    assert (currency.free(TREASURY), currency.total_burned.get()) == (200, 300)
    currency.try_state()
