"""Accounts of several keys: their addresses, approvals, deposits, and every refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from flockchain.keys import KeyPair, key_pair_from_uri
from runtime.frame.dispatch_error import dispatch_result
from runtime.frame.errors import DispatchError, TokenError
from runtime.frame.pallet import encode_call
from runtime.frame.result import Ok
from runtime.frame.traits import HoldReason
from runtime.frame.weights import Weight
from runtime.pallets import rekeying
from runtime.pallets.balances import Balances, InsufficientBalance
from runtime.pallets.multisig import Multisig, records
from runtime.pallets.multisig.records import OperationKey, Timepoint, multi_account
from runtime.pallets.system import CallFiltered, System
from runtime.pallets.timestamp import Timestamp
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Ed25519, Id
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import FML, AccountId
from tests.runtime.block_chain import ALICE, AUTHOR, BOB, RICH, Chain, call_of, free_of, key_of

CAROL = AccountId(blake2b_256(b"carol"))
KEYS = (ALICE, BOB, AUTHOR)
ENOUGH = Weight(10**9, 0)
DEPOSIT = FML // 100 + 2 * FML // 1_000
PAY = call_of(Balances.transfer_keep_alive, Id(CAROL), 3 * FML)
HASH = blake2b_256(encode_call(Balances.transfer_keep_alive, Id(CAROL), 3 * FML))


def others(key: KeyPair) -> list[AccountId]:
    return sorted(item.account for item in KEYS if item is not key)


def account_of(threshold: int) -> AccountId:
    return multi_account(sorted(key.account for key in KEYS), threshold)


@dataclass
class Play:
    """Two of alice, bob and the author own 10 FML."""

    chain: Chain = field(default_factory=Chain)

    def __post_init__(self) -> None:
        self.fund(account_of(2))

    def fund(self, who: AccountId) -> None:
        assert self.chain.run(ALICE, Balances.transfer_keep_alive, Id(who), 10 * FML) is None

    def call(self, key: KeyPair, when: Timepoint | None, **changes: object) -> DispatchError | None:
        given = {"threshold": 2, "others": others(key), "call": PAY, "weight": ENOUGH, **changes}
        arguments = (given["threshold"], given["others"], when, given["call"], given["weight"])
        return self.chain.run(key, Multisig.as_multi, *arguments)

    def approve(
        self, key: KeyPair, when: Timepoint | None, call_hash: bytes = HASH
    ) -> DispatchError | None:
        arguments = (2, others(key), when, call_hash, ENOUGH)
        return self.chain.run(key, Multisig.approve_as_multi, *arguments)

    def cancel(
        self, key: KeyPair, when: Timepoint, call_hash: bytes = HASH
    ) -> DispatchError | None:
        return self.chain.run(key, Multisig.cancel_as_multi, 2, others(key), when, call_hash)

    def held(self, key: KeyPair) -> int:
        return self.chain.runtime.balances.held(HoldReason.MULTISIG, key.account)

    @property
    def now(self) -> Timepoint:
        return Timepoint(self.chain.number, 1)


def test_addresses_are_those_of_every_substrate_tool() -> None:
    keys = [key_pair_from_uri(uri, "sr25519") for uri in ("//Alice", "//Bob", "//Charlie")]
    account = multi_account(sorted(key.account for key in keys), 2)
    assert encode_address(account) == "5DjYJStmdZ2rcqXbXGX7TW85JsrW6uG4y9MUcLq2BoPMpRA7"


def test_two_of_three_pay() -> None:
    play = Play()
    assert play.call(ALICE, None) is None
    opened = play.now
    assert play.chain.told_names() == ["Held", "NewMultisig", "ExtrinsicSuccess"]
    assert play.held(ALICE) == DEPOSIT
    assert play.call(BOB, opened) is None
    assert (free_of(play.chain, CAROL), free_of(play.chain, account_of(2))) == (3 * FML, 7 * FML)
    (told,) = [e for e in play.chain.told() if isinstance(e, records.MultisigExecuted)]
    assert told == records.MultisigExecuted(BOB.account, opened, account_of(2), HASH, Ok(None))
    assert play.held(ALICE) == 0
    assert play.chain.runtime.multisig.opened.get(ALICE.account) == []
    assert isinstance(play.call(BOB, opened), records.UnexpectedTimepoint)


def test_a_hash_is_enough_to_approve_and_the_call_to_execute() -> None:
    play = Play()
    assert play.approve(ALICE, None) is None
    opened = play.now
    assert play.approve(BOB, opened) is None
    assert "MultisigApproval" in play.chain.told_names()
    assert isinstance(play.approve(AUTHOR, opened), records.AlreadyApproved)
    assert free_of(play.chain, CAROL) == 0
    assert play.call(ALICE, opened) is None  # has approved, and brings the call
    assert free_of(play.chain, CAROL) == 3 * FML


def test_one_signatory_approves_once() -> None:
    play = Play()
    play.approve(ALICE, None)
    opened = play.now
    for again in (play.approve(ALICE, opened), play.call(ALICE, opened)):
        assert isinstance(again, records.AlreadyApproved)
    assert free_of(play.chain, CAROL) == 0


def test_a_call_that_fails_is_done_with() -> None:
    play = Play()
    too_much = call_of(Balances.transfer_keep_alive, Id(CAROL), 30 * FML)
    play.call(ALICE, None, call=too_much)
    assert play.call(BOB, play.now, call=too_much) is None
    (told,) = [e for e in play.chain.told() if isinstance(e, records.MultisigExecuted)]
    assert told.result == dispatch_result(InsufficientBalance())
    assert (play.held(ALICE), free_of(play.chain, account_of(2))) == (0, 10 * FML)


def test_only_who_opened_cancels_and_the_deposit_returns() -> None:
    play = Play()
    play.call(ALICE, None)
    opened, before = play.now, free_of(play.chain, ALICE.account)
    assert isinstance(play.cancel(BOB, opened), records.NotOwner)
    assert isinstance(play.cancel(ALICE, Timepoint(0, 0)), records.WrongTimepoint)
    assert isinstance(play.cancel(ALICE, opened, bytes(32)), records.NotFound)
    assert play.cancel(ALICE, opened) is None
    assert "MultisigCancelled" in play.chain.told_names()
    assert play.held(ALICE) == 0
    assert before - DEPOSIT < free_of(play.chain, ALICE.account) < before + DEPOSIT
    assert isinstance(play.call(BOB, opened), records.UnexpectedTimepoint)


def test_one_of_three_needs_no_record() -> None:
    play = Play()
    play.fund(account_of(1))
    assert play.chain.run(BOB, Multisig.as_multi_threshold_1, others(BOB), PAY) is None
    assert free_of(play.chain, CAROL) == 3 * FML
    too_much = call_of(Balances.transfer_keep_alive, Id(CAROL), 30 * FML)
    error = play.chain.run(BOB, Multisig.as_multi_threshold_1, others(BOB), too_much)
    assert isinstance(error, InsufficientBalance)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"threshold": 1}, records.MinimumThreshold),
        ({"others": []}, records.TooFewSignatories),
        (
            {"others": [AccountId(bytes((n,)) * 32) for n in range(100)]},
            records.TooManySignatories,
        ),
        ({"others": others(ALICE)[::-1]}, records.SignatoriesOutOfOrder),
        ({"others": [BOB.account] * 2}, records.SignatoriesOutOfOrder),
        ({"others": sorted((ALICE.account, BOB.account))}, records.SenderInSignatories),
    ],
)
def test_signatories_are_checked(changes: dict[str, object], refusal: type[DispatchError]) -> None:
    play = Play()
    assert isinstance(play.call(ALICE, None, **changes), refusal)
    assert play.held(ALICE) == 0


def test_timepoints_are_checked() -> None:
    play = Play()
    assert isinstance(play.call(ALICE, Timepoint(1, 1)), records.UnexpectedTimepoint)
    play.call(ALICE, None)
    assert isinstance(play.call(BOB, None), records.NoTimepoint)
    wrong = Timepoint(play.now.height, 2)
    assert isinstance(play.call(BOB, wrong), records.WrongTimepoint)


def test_a_call_keeps_to_the_weight_that_was_paid_for() -> None:
    play = Play()
    play.call(ALICE, None)
    opened, own = play.now, PAY.info().weight
    less = Weight(own.ref_time - 1, own.proof_size)
    assert isinstance(play.call(BOB, opened, weight=less), records.MaxWeightTooLow)
    assert play.call(BOB, opened, weight=own) is None


def test_no_weight_that_is_asked_for_leaves_its_type() -> None:
    most = Weight(2**64 - 1, 2**64 - 1)
    call = call_of(Multisig.as_multi, 2, others(ALICE), None, PAY, most)
    assert call.info().weight.ref_time < 2**50


def test_inherent_calls_are_not_made_by_multisigs() -> None:
    play = Play()
    item = call_of(Timestamp.set, 5)
    error = play.chain.run(ALICE, Multisig.as_multi_threshold_1, others(ALICE), item)
    assert isinstance(error, CallFiltered)


def test_an_account_opens_so_many_and_no_more_than_it_can_hold() -> None:
    chain = Chain()
    poor = key_of("poor")
    chain.run(ALICE, Balances.transfer_keep_alive, Id(poor.account), DEPOSIT)
    hashes = [bytes((n,)) * 32 for n in range(records.OPEN_MAX + 1)]
    call: Callable[..., None] = Multisig.approve_as_multi
    signatories = sorted((ALICE.account, BOB.account))
    refused = chain.run(poor, call, 2, signatories, None, hashes[0], ENOUGH)
    assert isinstance(refused, TokenError)
    data = [encode_call(call, 2, others(ALICE), None, call_hash, ENOUGH) for call_hash in hashes]
    nonce = chain.runtime.system.nonce_of(ALICE.account)
    signed = [chain.sign(ALICE, one, nonce=nonce + place) for place, one in enumerate(data)]
    *fine, last = [error for part in (signed[:40], signed[40:]) for error in chain.block(*part)]
    assert fine == [None] * records.OPEN_MAX
    assert isinstance(last, records.TooManyOpen)
    assert chain.runtime.balances.held(HoldReason.MULTISIG, ALICE.account) == 64 * DEPOSIT


def test_events_tell_where_an_operation_began() -> None:
    play = Play()
    first = play.chain.sign(ALICE, encode_call(System.remark, b""))
    second = play.chain.sign(
        BOB, encode_call(Multisig.approve_as_multi, 2, others(BOB), None, HASH, ENOUGH)
    )
    assert play.chain.block(first, second) == [None, None]
    opened = Timepoint(play.chain.number, 2)
    assert play.call(ALICE, opened) is None


# -- with swapped keys


def swap(chain: Chain, old: KeyPair, new: KeyPair) -> None:
    message = rekeying.consent_message(chain.hashes[0], old.account, new.account, 0)
    consent = Ed25519(new.sign(message))
    assert chain.run(old, rekeying.Rekeying.swap_key, new.account, consent) is None


def test_a_deposit_moves_with_the_key_and_approvals_stay() -> None:
    play, new = Play(), key_of("new")
    play.call(ALICE, None)
    opened = play.now
    swap(play.chain, ALICE, new)
    assert (play.held(ALICE), play.held(new)) == (0, DEPOSIT)
    operation = play.chain.runtime.multisig.multisigs.get((account_of(2), HASH))
    assert (operation.depositor, operation.approvals) == (new.account, [ALICE.account])
    # The signatories are the same: the new key is none, and the old one has approved.
    arguments = (2, others(ALICE), opened, PAY, ENOUGH)
    assert isinstance(
        play.chain.run(new, Multisig.as_multi, *arguments), records.UnexpectedTimepoint
    )
    assert play.call(BOB, opened) is None
    assert (play.held(new), free_of(play.chain, CAROL)) == (0, 3 * FML)


def test_the_new_key_cancels_by_naming_all_signatories() -> None:
    play, new = Play(), key_of("new")
    play.call(ALICE, None)
    opened = play.now
    swap(play.chain, ALICE, new)
    everybody = sorted(key.account for key in KEYS)
    arguments = (2, everybody, opened, HASH)
    assert isinstance(
        play.chain.run(BOB, Multisig.cancel_as_multi, *arguments), records.SenderInSignatories
    )
    assert isinstance(play.cancel(BOB, opened), records.NotOwner)
    assert play.chain.run(new, Multisig.cancel_as_multi, *arguments) is None
    assert play.held(new) == 0
    assert free_of(play.chain, new.account) > RICH - 11 * FML


def test_a_multisig_swaps_to_a_key_of_its_own() -> None:
    play, new = Play(), key_of("new")
    message = rekeying.consent_message(play.chain.hashes[0], account_of(2), new.account, 0)
    call = call_of(rekeying.Rekeying.swap_key, new.account, Ed25519(new.sign(message)))
    heavy = call.info().weight
    play.call(ALICE, None, call=call, weight=heavy)
    assert play.call(BOB, play.now, call=call, weight=heavy) is None
    assert free_of(play.chain, new.account) == 10 * FML
    assert play.chain.runtime.multisig.opened.get(ALICE.account) == []
    assert OperationKey(account_of(2), HASH).multisig == account_of(2)
