"""System: accounts by provider, recent hashes, digests, weights."""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.frame.account import AccountData, AccountInfo
from runtime.frame.events import ApplyExtrinsic, EventRecord, Finalization, Initialization
from runtime.frame.limits import block_weights
from runtime.frame.origin import signed
from runtime.frame.traits import pallet_account
from runtime.frame.weights import DispatchClass, DispatchInfo, Weight
from runtime.pallets.system import Config, KilledAccount, NewAccount, Remarked, System
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Consensus, Digest, PreRuntime
from runtime.primitives.types import AccountId, Hash

ALICE, POT = AccountId(b"\1" * 32), pallet_account(b"pot")
LIMITS = block_weights(1_000, Weight(10), Weight(1))


def make(block_hash_count: int = 3) -> System:
    return System(frame.Externalities(frame.DictState()), Config(block_hash_count))


def block_hash(number: int) -> Hash:
    return blake2b_256(number.to_bytes(4, "little"))


def test_the_genesis_hash_and_the_latest_ones_are_kept() -> None:
    pallet = make()
    for number in range(1, 9):
        pallet.initialize(number, block_hash(number - 1), Digest([]))
    known = [number for number in range(9) if pallet.hash_of(number) is not None]
    assert known == [0, 5, 6, 7]
    assert pallet.genesis_hash() == block_hash(0)
    assert (pallet.block_number(), pallet.parent()) == (8, block_hash(7))


def test_an_account_lives_while_something_provides_for_it() -> None:
    pallet = make()
    info = AccountInfo(0, 0, 1, 0, AccountData(5))
    pallet.set_account_info(ALICE, info)
    pallet.set_account_info(ALICE, info)
    assert pallet.account_info(ALICE) == info
    pallet.set_account_info(ALICE, AccountInfo())
    assert not pallet.account.contains(ALICE)
    pallet.set_account_info(ALICE, AccountInfo())
    told = [event for _, event in pallet.ext.events]
    assert told == [NewAccount(ALICE), KilledAccount(ALICE)]
    pallet.set_account_info(POT, AccountInfo())
    assert [who for who, _ in pallet.all_accounts()] == [POT]
    pallet.try_state()


def test_a_stored_account_without_provider_is_noticed() -> None:
    pallet = make()
    pallet.account.put(ALICE, AccountInfo())
    with pytest.raises(AssertionError, match="has no provider"):
        pallet.try_state()


def test_nonces() -> None:
    pallet = make()
    pallet.set_account_info(ALICE, AccountInfo(0, 0, 1, 0, AccountData(5)))
    for nonce in range(3):
        assert pallet.nonce_of(ALICE) == nonce
        pallet.increment_nonce(ALICE)
    assert pallet.account_info(ALICE).data == AccountData(5)


def test_digest_items() -> None:
    pallet = make()
    first = PreRuntime(b"FVRF", b"1")
    pallet.initialize(1, block_hash(0), Digest([first, PreRuntime(b"FINS", b"2")]))
    assert (pallet.pre_runtime(b"FVRF"), pallet.pre_runtime(b"FINS")) == (b"1", b"2")
    assert pallet.pre_runtime(b"BABE") is None
    assert pallet.pre_runtime_count() == 2
    pallet.deposit_consensus_log(b"FVRF", b"next")
    assert pallet.finalize().logs[-1] == Consensus(b"FVRF", b"next")
    assert pallet.pre_runtime_count() == 2


def test_events_of_the_last_block_stay_until_the_next() -> None:
    pallet = make()
    pallet.initialize(1, block_hash(0), Digest([]))
    pallet.deposit_event(NewAccount(ALICE))
    pallet.begin_extrinsic(4)
    pallet.deposit_event(KilledAccount(ALICE))
    pallet.begin_finalization()
    pallet.deposit_event(NewAccount(POT))
    pallet.finalize()
    assert pallet.events.get() == [
        EventRecord(Initialization(), NewAccount(ALICE), []),  # type: ignore[arg-type]
        EventRecord(ApplyExtrinsic(4), KilledAccount(ALICE), []),  # type: ignore[arg-type]
        EventRecord(Finalization(), NewAccount(POT), []),  # type: ignore[arg-type]
    ]
    assert pallet.event_count.get() == 3
    pallet.initialize(2, block_hash(1), Digest([]))
    assert (pallet.events.get(), pallet.event_count.get()) == ([], 0)


def test_remarks() -> None:
    pallet = make()
    pallet.remark(signed(ALICE), b"x")
    pallet.remark(frame.ROOT, b"x")
    with pytest.raises(frame.BadOrigin):
        pallet.remark(frame.NONE, b"x")
    assert pallet.ext.events == []
    pallet.remark_with_event(signed(ALICE), b"x")
    assert pallet.ext.events[0][1] == Remarked(ALICE, blake2b_256(b"x"))
    with pytest.raises(frame.BadOrigin):
        pallet.remark_with_event(frame.ROOT, b"x")


def test_normal_calls_leave_a_quarter_to_operational_ones() -> None:
    pallet = make()
    normal = DispatchInfo(Weight(749))
    operational = DispatchInfo(Weight(249), DispatchClass.OPERATIONAL)
    one = Weight(1)
    assert pallet.has_room(normal, one, LIMITS)
    assert not pallet.has_room(DispatchInfo(Weight(750)), one, LIMITS)
    pallet.add_weight(normal, one)
    assert not pallet.has_room(DispatchInfo(Weight(0)), one, LIMITS)
    assert pallet.has_room(operational, one, LIMITS)
    pallet.add_weight(operational, one)
    assert pallet.total_weight() == Weight(1_000)
    assert not pallet.has_room(DispatchInfo(Weight(0), DispatchClass.OPERATIONAL), one, LIMITS)
    assert [pallet.weight_of(kind).ref_time for kind in DispatchClass] == [750, 250, 0]


def test_mandatory_weight_takes_room_from_the_others() -> None:
    pallet = make()
    pallet.add_weight(DispatchInfo(Weight(990), DispatchClass.MANDATORY), Weight(0))
    assert pallet.has_room(DispatchInfo(Weight(9)), Weight(1), LIMITS)
    assert not pallet.has_room(DispatchInfo(Weight(10)), Weight(1), LIMITS)
