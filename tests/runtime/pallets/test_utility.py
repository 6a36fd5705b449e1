"""Batches and derived accounts, in blocks: what stays, what is undone, what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.frame.call import CALLS_MAX, RUNTIME_CALL, RuntimeCall
from runtime.frame.dispatch_error import BadOriginValue
from runtime.frame.errors import BadOrigin, TransactionValidityError
from runtime.frame.extrinsic import assemble, decode_extrinsic
from runtime.frame.origin import NONE, ROOT
from runtime.frame.pallet import encode_call
from runtime.pallets import balances, utility
from runtime.pallets.arena import Arena
from runtime.pallets.balances import Balances
from runtime.pallets.system import CallFiltered, Remarked, System
from runtime.pallets.timestamp import Timestamp
from runtime.pallets.treasury import TREASURY, Treasury
from runtime.pallets.utility import Utility, derivative_account
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Id
from runtime.primitives.ring_signature import RingSignature
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import FML, AccountId, Hash
from tests.runtime.block_chain import ALICE, BOB, RICH, Chain, call_of, free_of, key_of

CAROL, DAVE = (AccountId(blake2b_256(name)) for name in (b"carol", b"dave"))


def pay(dest: AccountId, amount: int) -> RuntimeCall:
    return call_of(Balances.transfer_keep_alive, Id(dest), amount)


TRANSFER_TO_NEW = ("Endowed", "NewAccount", "Transfer")
MIXED = [pay(CAROL, FML), pay(DAVE, 2 * RICH), pay(DAVE, 2 * FML)]


def test_a_batch_keeps_what_came_before_the_first_failure() -> None:
    chain = Chain()
    assert chain.run(ALICE, Utility.batch, MIXED) is None
    assert (free_of(chain, CAROL), free_of(chain, DAVE)) == (FML, 0)
    assert chain.told_names() == [
        *TRANSFER_TO_NEW,
        "ItemCompleted",
        "BatchInterrupted",
        "ExtrinsicSuccess",
    ]
    interrupted = chain.told()[-2]
    assert isinstance(interrupted, utility.BatchInterrupted)
    assert interrupted.index == 1


def test_batch_all_keeps_all_or_nothing() -> None:
    chain = Chain()
    assert isinstance(chain.run(ALICE, Utility.batch_all, MIXED), balances.InsufficientBalance)
    assert (free_of(chain, CAROL), free_of(chain, DAVE)) == (0, 0)
    assert chain.told_names() == ["ExtrinsicFailed"]
    assert chain.run(ALICE, Utility.batch_all, MIXED[::2]) is None
    assert (free_of(chain, CAROL), free_of(chain, DAVE)) == (FML, 2 * FML)
    assert chain.told_names().count("ItemCompleted") == 2
    assert chain.told_names()[-2:] == ["BatchCompleted", "ExtrinsicSuccess"]


def test_force_batch_goes_on() -> None:
    chain = Chain()
    assert chain.run(ALICE, Utility.force_batch, MIXED) is None
    assert (free_of(chain, CAROL), free_of(chain, DAVE)) == (FML, 2 * FML)
    assert chain.told_names() == [
        *(*TRANSFER_TO_NEW, "ItemCompleted", "ItemFailed", *TRANSFER_TO_NEW, "ItemCompleted"),
        *("BatchCompletedWithErrors", "ExtrinsicSuccess"),
    ]
    assert chain.run(ALICE, Utility.force_batch, []) is None
    assert chain.told_names() == ["BatchCompleted", "ExtrinsicSuccess"]


def test_a_batch_within_a_batch_is_undone_with_its_events() -> None:
    chain = Chain()
    inner = call_of(Utility.batch_all, [call_of(System.remark_with_event, b"lost"), *MIXED[1:]])
    assert (
        chain.run(ALICE, Utility.force_batch, [inner, call_of(System.remark_with_event, b"kept")])
        is None
    )
    assert [e.hash for e in chain.told() if isinstance(e, Remarked)] == [blake2b_256(b"kept")]
    assert free_of(chain, DAVE) == 0


def test_one_fee_is_paid_for_the_weight_of_all() -> None:
    chain = Chain()
    data = chain.sign(ALICE, encode_call(Utility.batch, MIXED))
    info = decode_extrinsic(data).call.info()
    items = sum(item.info().weight.ref_time for item in MIXED)
    assert info.weight.ref_time == items + utility.BATCH.ref_time + 3 * utility.ITEM.ref_time
    fee = sum(chain.runtime.fees.compute_fee(len(data), info))
    chain.block(data)
    assert free_of(chain, ALICE.account) == RICH - FML - fee


def test_a_derived_account_is_its_makers() -> None:
    chain = Chain()
    derived = derivative_account(ALICE.account, 7)
    assert derived == blake2b_256(b"modlpy/utilisuba" + ALICE.account + b"\7\0")
    assert chain.run(ALICE, Balances.transfer_keep_alive, Id(derived), 5 * FML) is None
    assert chain.run(ALICE, Utility.as_derivative, 7, pay(CAROL, 2 * FML)) is None
    assert (free_of(chain, derived), free_of(chain, CAROL)) == (3 * FML, 2 * FML)
    error = chain.run(ALICE, Utility.as_derivative, 8, pay(CAROL, FML))
    assert isinstance(error, balances.InsufficientBalance)


@pytest.mark.parametrize("wrapper", [Utility.batch_all, Utility.force_batch, Utility.batch])
def test_what_only_authors_may_do_is_no_item(wrapper: Callable[..., None]) -> None:
    chain = Chain()
    item = call_of(Timestamp.set, chain.now_ms + 10_000)
    error = chain.run(ALICE, wrapper, [item])
    assert isinstance(error, CallFiltered) is (wrapper is Utility.batch_all)
    assert chain.runtime.timestamp.now.get() == chain.now_ms


def test_what_nobody_signs_cannot_be_signed_in_a_batch() -> None:
    chain, one, zero = Chain(), b"\x11" * 32, bytes(32)
    item = call_of(Arena.commit_alias, 0, 1, 0, 0, one, Hash(one), zero, RingSignature(zero, [one]))
    assert isinstance(chain.run(ALICE, Utility.batch_all, [item]), BadOrigin)
    bare = assemble(encode_call(Utility.batch, [item]), None)
    with pytest.raises(TransactionValidityError):
        chain.validate(bare)


def test_a_batch_gives_no_rights() -> None:
    chain = Chain()
    assert chain.run(ALICE, Utility.force_batch, [call_of(Treasury.spend, CAROL, FML)]) is None
    failed = chain.told()[0]
    assert isinstance(failed, utility.ItemFailed)
    assert failed.error == BadOriginValue()


def test_root_may_batch_and_nobody_may_not() -> None:
    runtime = Chain().runtime
    runtime.balances.transfer(ALICE.account, TREASURY, 10 * FML)
    runtime.utility.batch_all(ROOT, [call_of(Treasury.spend, CAROL, FML)])
    assert runtime.balances.free(CAROL) == FML
    with pytest.raises(BadOrigin):
        runtime.utility.batch(NONE, [])
    with pytest.raises(BadOrigin):
        runtime.utility.as_derivative(ROOT, 0, pay(CAROL, 1))


def test_a_batch_has_so_many_calls() -> None:
    chain, item = Chain(), call_of(System.remark, b"")
    assert isinstance(chain.run(ALICE, Utility.batch, [item] * 501), utility.TooManyCalls)
    assert chain.run(ALICE, Utility.batch, [item] * 500) is None


def test_calls_within_calls_are_bounded_in_depth_and_number() -> None:
    item = call_of(System.remark, b"")
    full = call_of(Utility.batch, [item] * 500)
    RUNTIME_CALL.decode_all(encode_call(Utility.batch, [full, full, *[item] * 21]))
    over = encode_call(Utility.batch, [full, full, *[item] * 22])
    with pytest.raises(DecodeError, match=rf"^more than {CALLS_MAX} calls in one$"):
        RUNTIME_CALL.decode_all(over)
    RUNTIME_CALL.decode_all(encode_call(Utility.batch, [full, full]))  # each is counted anew
    for _ in range(7):
        item = call_of(Utility.batch, [item])
    deep = encode_call(Utility.batch, [item])
    with pytest.raises(DecodeError, match=r"^calls nested deeper than 8$"):
        RUNTIME_CALL.decode_all(deep)


def test_a_stranger_cannot_use_anothers_derived_account() -> None:
    chain = Chain()
    derived = derivative_account(ALICE.account, 0)
    chain.run(ALICE, Balances.transfer_keep_alive, Id(derived), 5 * FML)
    for key in (BOB, key_of("author")):
        data = encode_call(Utility.as_derivative, 0, pay(CAROL, FML))
        (error,) = chain.block(chain.sign(key, data))
        assert isinstance(error, balances.InsufficientBalance)
    assert free_of(chain, derived) == 5 * FML
