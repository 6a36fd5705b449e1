"""Balances: every error once and without a write, holds, reaping, pots, and conservation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import frame
from runtime.frame.account import AccountData, AccountInfo
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason, pallet_account
from runtime.pallets import balances, system
from runtime.pallets.balances import (
    Balances,
    Burned,
    DustLost,
    Endowed,
    Held,
    Minted,
    Released,
    Transfer,
    TransferOnHold,
    Withdraw,
)
from runtime.pallets.system import KilledAccount, NewAccount
from runtime.primitives.multi import Address20, Id
from runtime.primitives.types import AccountId

ED, CAP = 10, 10_000
ALICE, BOB, CAROL = (AccountId(bytes([n]) * 32) for n in (1, 2, 3))
POT = pallet_account(b"pot")
STAKE, DEPOSIT = HoldReason.STAKE, HoldReason.PROPOSAL


def make() -> Balances:
    """Alice has 1,000 planck and Bob 100."""
    ext = frame.Externalities(frame.DictState())
    accounts = system.System(ext, system.Config())
    pallet = Balances(ext, balances.Config(ED, CAP), accounts=accounts)
    pallet.genesis_build({ALICE: 1_000, BOB: 100})
    ext.events.clear()
    return pallet


def events(pallet: Balances) -> list[object]:
    return [event for _, event in pallet.ext.events]


def try_state(pallet: Balances) -> None:
    """The pallet's invariants, and that every account but a pot has its deposit."""
    pallet.try_state()
    for who, info in pallet.accounts.all_accounts():
        held = sum(item.amount for item in pallet.holds.get(who))
        assert info.data.reserved == held
        assert who == POT or info.data.free >= ED, f"{who.hex()} lives on {info.data.free}"


def assert_noop(pallet: Balances, error: Exception, act: Callable[[], None]) -> None:
    """The act fails with this error, and neither writes nor tells anything."""
    before = (dict(pallet.ext.changes()), list(pallet.ext.events))
    with pytest.raises(type(error)) as caught:
        act()
    assert str(caught.value) == str(error)
    assert (pallet.ext.changes(), pallet.ext.events) == before


UNAVAILABLE = frame.TokenError(frame.TokenErrorKind.FUNDS_UNAVAILABLE)


# -- transfers


def test_a_transfer() -> None:
    pallet = make()
    pallet.transfer_keep_alive(signed(ALICE), Id(BOB), 300)
    assert (pallet.free(ALICE), pallet.free(BOB)) == (700, 400)
    assert events(pallet) == [Transfer(ALICE, BOB, 300)]
    try_state(pallet)


def test_a_transfer_to_oneself_changes_nothing() -> None:
    pallet = make()
    pallet.transfer(ALICE, ALICE, 990)
    assert (pallet.free(ALICE), events(pallet)) == (1_000, [Transfer(ALICE, ALICE, 990)])
    assert_noop(pallet, balances.Expendability(), lambda: pallet.transfer(ALICE, ALICE, 991))
    assert_noop(
        pallet, balances.InsufficientBalance(), lambda: pallet.transfer(ALICE, ALICE, 1_001)
    )


def test_a_new_account_needs_the_deposit() -> None:
    pallet = make()
    error = balances.ExistentialDeposit()
    for amount in (0, ED - 1):
        assert_noop(pallet, error, partial(pallet.transfer, ALICE, CAROL, amount))
    pallet.transfer(ALICE, CAROL, ED)
    assert events(pallet) == [Endowed(CAROL, ED), NewAccount(CAROL), Transfer(ALICE, CAROL, ED)]
    assert pallet.accounts.account_info(CAROL).providers == 1
    try_state(pallet)


def test_who_must_stay_alive_keeps_the_deposit() -> None:
    pallet = make()
    error = balances.Expendability()
    assert_noop(
        pallet, error, lambda: pallet.transfer_keep_alive(signed(BOB), Id(ALICE), 100 - ED + 1)
    )
    pallet.transfer_keep_alive(signed(BOB), Id(ALICE), 100 - ED)
    assert pallet.free(BOB) == ED


def test_what_is_not_there_cannot_be_sent() -> None:
    pallet = make()
    error = balances.InsufficientBalance()
    for call in (pallet.transfer_keep_alive, pallet.transfer_allow_death):
        assert_noop(pallet, error, partial(call, signed(BOB), Id(ALICE), 101))
    assert_noop(pallet, error, lambda: pallet.burn_own(signed(BOB), 101))
    assert_noop(pallet, error, lambda: pallet.collect(BOB, 101))


def test_a_sender_may_be_reaped_and_its_dust_is_burned() -> None:
    pallet = make()
    pallet.transfer_allow_death(signed(BOB), Id(ALICE), 97)
    assert pallet.accounts.account_info(BOB) == AccountInfo()
    assert events(pallet) == [DustLost(BOB, 3), KilledAccount(BOB), Transfer(BOB, ALICE, 97)]
    assert (pallet.issuance(), pallet.total_burned.get()) == (1_097, 3)
    pallet.transfer_allow_death(signed(ALICE), Id(CAROL), 1_097)
    assert (pallet.free(CAROL), pallet.issuance()) == (1_097, 1_097)
    try_state(pallet)


def test_transfer_all() -> None:
    pallet = make()
    pallet.transfer_all(signed(BOB), Id(ALICE), keep_alive=True)
    assert (pallet.free(BOB), pallet.free(ALICE)) == (ED, 1_090)
    pallet.transfer_all(signed(BOB), Id(ALICE), keep_alive=False)
    assert (pallet.free(BOB), pallet.free(ALICE)) == (0, 1_100)
    try_state(pallet)


def test_transfer_all_sends_what_holds_leave() -> None:
    pallet = make()
    pallet.hold(STAKE, BOB, 50)
    pallet.transfer_all(signed(BOB), Id(ALICE), keep_alive=False)
    assert (pallet.free(BOB), pallet.held(STAKE, BOB)) == (ED, 50)
    try_state(pallet)


def test_only_accounts_are_addresses_and_only_signers_send() -> None:
    pallet = make()
    assert_noop(
        pallet,
        frame.CannotLookup(),
        lambda: pallet.transfer_keep_alive(signed(ALICE), Address20(bytes(20)), 1),
    )
    for origin in (frame.ROOT, frame.NONE):
        assert_noop(
            pallet,
            frame.BadOrigin(),
            partial(pallet.transfer_keep_alive, origin, Id(BOB), 1),
        )
        assert_noop(pallet, frame.BadOrigin(), partial(pallet.burn_own, origin, 1))


def test_nothing_sent_by_nobody_makes_no_account() -> None:
    pallet = make()
    with suppress(frame.DispatchError):
        pallet.transfer(CAROL, ALICE, 0, keep_alive=False)
    assert pallet.accounts.account_info(CAROL) == AccountInfo()
    try_state(pallet)


# -- minting and burning


def test_minting_stops_at_the_cap() -> None:
    pallet = make()
    room = CAP - 1_100
    assert_noop(pallet, balances.CapReached(), lambda: pallet.mint(ALICE, room + 1))
    assert_noop(pallet, balances.ExistentialDeposit(), lambda: pallet.mint(CAROL, ED - 1))
    pallet.mint(ALICE, room)
    assert (pallet.issuance(), pallet.total_minted.get()) == (CAP, room)
    assert events(pallet) == [Minted(ALICE, room)]
    assert_noop(pallet, balances.CapReached(), lambda: pallet.mint(ALICE, 1))
    try_state(pallet)


def test_burning() -> None:
    pallet = make()
    pallet.burn_own(signed(ALICE), 400)
    assert (pallet.free(ALICE), pallet.issuance(), pallet.total_burned.get()) == (600, 700, 400)
    assert events(pallet) == [Burned(ALICE, 400)]
    assert_noop(pallet, balances.Expendability(), lambda: pallet.burn(ALICE, 595))
    try_state(pallet)


# -- holds


def test_holds_are_kept_apart_by_reason() -> None:
    pallet = make()
    pallet.hold(STAKE, ALICE, 300)
    pallet.hold(DEPOSIT, ALICE, 200)
    pallet.hold(STAKE, ALICE, 1)
    assert (pallet.held(STAKE, ALICE), pallet.held(DEPOSIT, ALICE)) == (301, 200)
    assert (pallet.held(HoldReason.PROXY, ALICE), pallet.free(ALICE)) == (0, 499)
    assert pallet.spendable(ALICE) == 489
    assert events(pallet)[0] == Held(STAKE, ALICE, 300)
    pallet.release(STAKE, ALICE, 301)
    assert events(pallet)[-1] == Released(STAKE, ALICE, 301)
    assert [item.reason for item in pallet.holds.get(ALICE)] == [DEPOSIT]
    pallet.release(DEPOSIT, ALICE, 200)
    assert not pallet.holds.contains(ALICE)
    assert pallet.free(ALICE) == 1_000
    try_state(pallet)


def test_the_deposit_cannot_be_held_and_what_is_held_cannot_be_spent() -> None:
    pallet = make()
    assert_noop(pallet, UNAVAILABLE, lambda: pallet.hold(STAKE, BOB, 91))
    assert_noop(pallet, UNAVAILABLE, lambda: pallet.hold(STAKE, CAROL, 1))
    pallet.hold(STAKE, BOB, 90)
    assert pallet.spendable(BOB) == 0
    assert_noop(pallet, balances.Expendability(), lambda: pallet.transfer(BOB, ALICE, 1))
    assert_noop(
        pallet,
        balances.Expendability(),
        lambda: pallet.transfer(BOB, ALICE, ED, keep_alive=False),
    )
    try_state(pallet)


def test_more_than_is_held_cannot_be_released_or_slashed() -> None:
    pallet = make()
    pallet.hold(STAKE, ALICE, 100)
    assert_noop(pallet, UNAVAILABLE, lambda: pallet.release(STAKE, ALICE, 101))
    assert_noop(pallet, UNAVAILABLE, lambda: pallet.release(DEPOSIT, ALICE, 1))
    assert_noop(pallet, UNAVAILABLE, lambda: pallet.burn_held(STAKE, ALICE, 101))
    assert_noop(pallet, UNAVAILABLE, lambda: pallet.transfer_held(STAKE, ALICE, BOB, 101))
    assert_noop(
        pallet,
        balances.ExistentialDeposit(),
        lambda: pallet.transfer_held(STAKE, ALICE, CAROL, ED - 1),
    )


def test_slashes_move_or_burn_what_is_held() -> None:
    pallet = make()
    pallet.hold(STAKE, ALICE, 100)
    pallet.transfer_held(STAKE, ALICE, BOB, 60)
    assert events(pallet)[-1] == TransferOnHold(STAKE, ALICE, BOB, 60)
    pallet.burn_held(STAKE, ALICE, 40)
    assert events(pallet)[-1] == Burned(ALICE, 40)
    assert (pallet.free(ALICE), pallet.free(BOB), pallet.issuance()) == (900, 160, 1_060)
    assert pallet.held(STAKE, ALICE) == 0
    try_state(pallet)


def test_a_slash_to_its_own_account_frees_it() -> None:
    pallet = make()
    pallet.hold(STAKE, ALICE, 100)
    pallet.transfer_held(STAKE, ALICE, ALICE, 60)
    assert (pallet.free(ALICE), pallet.held(STAKE, ALICE)) == (960, 40)
    try_state(pallet)


def test_releasing_nothing_makes_no_account() -> None:
    pallet = make()
    pallet.release(STAKE, CAROL, 0)
    assert pallet.accounts.account_info(CAROL) == AccountInfo()
    try_state(pallet)


# -- pots


def test_pots_know_no_deposit_and_are_never_reaped() -> None:
    pallet = make()
    pallet.transfer(ALICE, POT, 1)
    assert (pallet.free(POT), pallet.spendable(POT)) == (1, 1)
    pallet.hold(STAKE, POT, 1)
    pallet.release(STAKE, POT, 1)
    pallet.transfer(POT, BOB, 1)
    assert pallet.free(POT) == 0
    assert_noop(pallet, balances.InsufficientBalance(), lambda: pallet.transfer(POT, BOB, 1))
    try_state(pallet)


def test_dust_for_an_invented_pot_is_refused() -> None:
    pallet = make()
    invented = AccountId(b"modl" + b"\xff" * 28)
    with pytest.raises(balances.ExistentialDeposit):
        pallet.transfer_keep_alive(signed(ALICE), Id(invented), 1)


# -- fees


def test_fees_are_collected_and_given_out() -> None:
    pallet = make()
    pallet.collect(ALICE, 100)
    assert (pallet.free(ALICE), pallet.collected_fees(), pallet.issuance()) == (900, 100, 1_100)
    assert events(pallet) == [Withdraw(ALICE, 100)]
    try_state(pallet)
    assert not pallet.pay_from_collected(CAROL, ED - 1)
    assert pallet.pay_from_collected(CAROL, ED)
    assert pallet.pay_from_collected(BOB, 1)
    assert pallet.pay_from_collected(POT, 2)
    try_state(pallet)
    pallet.burn_collected()
    assert (pallet.collected_fees(), pallet.issuance()) == (0, 1_013)
    try_state(pallet)
    assert_noop(pallet, balances.Expendability(), lambda: pallet.collect(ALICE, 895))


# -- genesis


def test_genesis_refuses_dust_and_too_much() -> None:
    ext = frame.Externalities(frame.DictState())
    pallet = Balances(ext, balances.Config(ED, CAP), accounts=system.System(ext, system.Config()))
    dust = rf"^balances: 0x{'01' * 32} has 9 planck, the existential deposit is 10$"
    with pytest.raises(ValueError, match=dust):
        pallet.genesis_build({ALICE: 9})
    with pytest.raises(ValueError, match=r"^balances: 10001 planck at genesis, the cap is 10000$"):
        pallet.genesis_build({ALICE: CAP, BOB: 1})


def test_the_invariant_sees_tokens_from_nowhere() -> None:
    pallet = make()
    info = pallet.accounts.account_info(ALICE)
    pallet.accounts.set_account_info(ALICE, info.with_data(AccountData(1_001)))
    with pytest.raises(AssertionError):
        pallet.try_state()


# -- conservation

PEOPLE = [ALICE, BOB, CAROL, AccountId(b"\4" * 32), POT]
REASONS = [STAKE, DEPOSIT]


def step(pallet: Balances, draw: Random) -> None:
    """One random operation of any kind, most of them possible."""
    who, other, reason = draw.choice(PEOPLE), draw.choice(PEOPLE), draw.choice(REASONS)
    most = draw.choice([1, ED, 100, 1_000, CAP])
    amount = draw.randint(0, most)
    operations: list[Callable[[], object]] = [
        lambda: pallet.transfer(who, other, amount, keep_alive=draw.random() < 0.5),
        lambda: pallet.transfer_all(signed(who), Id(other), draw.random() < 0.5),
        lambda: pallet.mint(who, amount),
        lambda: pallet.burn(who, amount),
        lambda: pallet.hold(reason, who, amount),
        lambda: pallet.release(reason, who, amount),
        lambda: pallet.release(reason, who, pallet.held(reason, who)),
        lambda: pallet.transfer_held(reason, who, other, amount),
        lambda: pallet.burn_held(reason, who, min(amount, pallet.held(reason, who))),
        lambda: pallet.collect(who, amount),
        lambda: pallet.pay_from_collected(who, min(amount, pallet.collected_fees())),
        lambda: pallet.burn_collected(),
    ]
    draw.choice(operations)()


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32))
def test_nothing_is_lost_in_500_operations(seed: int) -> None:
    pallet, draw, done = make(), Random(seed), 0
    for _ in range(500):
        before = (dict(pallet.ext.changes()), list(pallet.ext.events))
        try:
            step(pallet, draw)
            done += 1
        except frame.DispatchError:
            assert (pallet.ext.changes(), pallet.ext.events) == before, "checks come first"
        try_state(pallet)
        if len(pallet.ext.events) > 50:
            pallet.ext.events.clear()
    assert done > 100
