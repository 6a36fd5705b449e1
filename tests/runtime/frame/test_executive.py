"""Blocks from the first hook to the digest: what is refused, what is kept, what is undone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.api import execute_block
from runtime.frame.errors import (
    BadOrigin,
    InvalidBlock,
    InvalidKind,
    TransactionValidityError,
    UnknownKind,
)
from runtime.frame.events import ApplyExtrinsic, Finalization
from runtime.frame.extrinsic import MetadataHashMode, Preamble, assemble, decode_extrinsic
from runtime.frame.pallet import encode_call
from runtime.frame.validity import FOREVER, TransactionSource, account_tag
from runtime.pallets import balances, system, transaction_payment
from runtime.pallets.balances import Balances
from runtime.pallets.system import System
from runtime.pallets.timestamp import AlreadySet, Timestamp, TooEarly
from runtime.pallets.treasury import TREASURY, Treasury
from runtime.primitives.era import IMMORTAL, mortal
from runtime.primitives.header import Digest, Other
from runtime.primitives.multi import Ecdsa, Ed25519, Id, Index, Raw
from runtime.primitives.types import FML, AccountId, Hash
from tests.runtime.block_chain import ALICE, AUTHOR, BOB, RICH, Chain, free_of, key_of, remark

NOBODY = AccountId(b"\7" * 32)


def transfer(dest: AccountId, amount: int) -> bytes:
    return encode_call(Balances.transfer_keep_alive, Id(dest), amount)


def assert_refused(chain: Chain, data: bytes, kind: object, message: str) -> None:
    """Pool and block refuse alike, and the block under way stays as it was."""
    with pytest.raises(TransactionValidityError) as caught:
        chain.validate(data)
    assert (caught.value.kind, str(caught.value)) == (kind, message)
    assert_not_included(chain, data, kind, message)


def assert_not_included(chain: Chain, data: bytes, kind: object, message: str) -> None:
    execution = chain.begin()
    before = (dict(execution.runtime.ext.changes()), list(execution.runtime.ext.events))
    with pytest.raises(TransactionValidityError) as caught:
        execution.apply(data)
    assert (caught.value.kind, str(caught.value)) == (kind, message)
    assert (execution.runtime.ext.changes(), execution.runtime.ext.events) == before


# -- what a block does


def test_a_transfer_moves_tokens_and_pays_its_fee() -> None:
    chain = Chain()
    data = chain.sign(ALICE, transfer(BOB.account, FML), tip=5)
    info = decode_extrinsic(data).call.entry.info(())
    fee = sum(chain.runtime.fees.compute_fee(len(data), info))
    assert fee > 0
    assert chain.block(data) == [None]
    assert free_of(chain, BOB.account) == RICH + FML
    assert free_of(chain, ALICE.account) == RICH - FML - fee - 5
    treasury, burned = fee * 20 // 100, chain.runtime.balances.total_burned.get()
    assert free_of(chain, TREASURY) == treasury
    assert free_of(chain, AUTHOR.account) == RICH + fee - treasury - burned + 5
    assert abs(burned - fee * 30 // 100) <= 1
    assert chain.runtime.system.nonce_of(ALICE.account) == 1


def test_events_come_in_order_with_their_phases() -> None:
    chain = Chain()
    chain.block(chain.sign(ALICE, transfer(BOB.account, FML)))
    records = chain.events()
    assert [(type(r.event).__name__, r.phase) for r in records] == [
        ("ExtrinsicSuccess", ApplyExtrinsic(0)),
        ("Withdraw", ApplyExtrinsic(1)),
        ("Transfer", ApplyExtrinsic(1)),
        ("TransactionFeePaid", ApplyExtrinsic(1)),
        ("ExtrinsicSuccess", ApplyExtrinsic(1)),
        ("Deposit", Finalization()),
        ("Deposit", Finalization()),
    ]
    assert chain.runtime.system.event_count.get() == len(records)
    chain.block()
    assert [type(record.event).__name__ for record in chain.events()] == ["ExtrinsicSuccess"]


def test_a_failed_call_keeps_its_fee_and_nothing_else() -> None:
    chain = Chain()
    data = chain.sign(ALICE, transfer(BOB.account, 2 * RICH))
    (error,) = chain.block(data)
    assert isinstance(error, balances.InsufficientBalance)
    assert free_of(chain, BOB.account) == RICH
    assert free_of(chain, ALICE.account) < RICH
    assert chain.runtime.system.nonce_of(ALICE.account) == 1
    own = [r.event for r in chain.events() if r.phase == ApplyExtrinsic(1)]
    assert [type(event) for event in own] == [
        balances.Withdraw,
        transaction_payment.TransactionFeePaid,
        system.ExtrinsicFailed,
    ]


def test_a_call_of_the_wrong_origin_fails() -> None:
    chain = Chain()
    (error,) = chain.block(chain.sign(ALICE, encode_call(Treasury.spend, ALICE.account, FML)))
    assert isinstance(error, BadOrigin)


def test_several_extrinsics_of_one_sender_follow_each_other() -> None:
    chain = Chain()
    chain.block(*(chain.sign(ALICE, remark(), nonce=nonce) for nonce in range(5)))
    assert chain.runtime.system.nonce_of(ALICE.account) == 5


# -- what is refused


def test_nonces() -> None:
    chain = Chain()
    data = chain.sign(ALICE, remark())
    chain.block(data)
    assert_refused(chain, data, InvalidKind.STALE, "nonce 0, next is 1")
    ahead = chain.sign(ALICE, remark(), nonce=3)
    assert_not_included(chain, ahead, InvalidKind.FUTURE, "nonce 3, next is 1")
    valid = chain.validate(ahead)
    assert valid.requires == [account_tag(ALICE.account, 2)]
    assert valid.provides == [account_tag(ALICE.account, 3)]


def test_the_pool_is_told_what_it_needs() -> None:
    chain = Chain()
    valid = chain.validate(chain.sign(ALICE, remark(), tip=7 * 10**9))
    assert (valid.priority, valid.requires, valid.longevity, valid.propagate) == (
        7,
        [],
        FOREVER,
        True,
    )
    assert chain.runtime.system.nonce_of(ALICE.account) == 0
    assert free_of(chain, ALICE.account) == RICH


def test_a_mortal_extrinsic_lives_for_its_period() -> None:
    chain = Chain()
    for _ in range(5):
        chain.block()
    data = chain.sign(ALICE, remark(), era=mortal(4, chain.number))
    for longevity in (3, 2, 1):
        assert chain.validate(data).longevity == longevity
        chain.block()
    # In the block of its death a new era of the same phase is born, whose hash is not signed.
    assert_refused(chain, data, InvalidKind.ANCIENT_BIRTH_BLOCK, "ancient birth block")
    chain.block()
    assert_refused(chain, data, InvalidKind.BAD_PROOF, "the signature does not verify")


def test_an_era_of_blocks_that_are_forgotten_or_yet_to_come() -> None:
    chain = Chain()
    chain.block()
    ahead = chain.sign(ALICE, remark(), era=mortal(4, chain.number + 1))
    assert_refused(chain, ahead, InvalidKind.ANCIENT_BIRTH_BLOCK, "ancient birth block")


@pytest.mark.parametrize(
    "false",
    [
        {"spec_version": 2},
        {"transaction_version": 2},
        {"genesis_hash": Hash(bytes(32))},
        {"birth_hash": Hash(bytes(32))},
        {"metadata_hash": bytes(32)},
    ],
)
def test_everything_that_is_implied_is_signed(false: dict[str, object]) -> None:
    chain = Chain()
    data = chain.sign(ALICE, remark(), **false)  # type: ignore[arg-type]
    assert_refused(chain, data, InvalidKind.BAD_PROOF, "the signature does not verify")


def test_bytes_of_one_chain_are_refused_by_another() -> None:
    chain, other = Chain(), Chain(hashes=[Hash(b"o" * 32)])
    for era in (IMMORTAL, mortal(64, 0)):
        data = chain.sign(ALICE, remark(), era=era)
        chain.validate(data)
        assert_refused(other, data, InvalidKind.BAD_PROOF, "the signature does not verify")


def test_a_mortal_extrinsic_of_one_fork_is_refused_by_the_other() -> None:
    chain, fork = Chain(), Chain()
    chain.block()
    fork.block()
    fork.hashes[1] = Hash(b"f" * 32)  # roots, by which real blocks differ, are none in these
    data = chain.sign(ALICE, remark(), era=mortal(64, 1))
    chain.validate(data)
    assert_refused(fork, data, InvalidKind.BAD_PROOF, "the signature does not verify")
    before_the_fork = chain.sign(ALICE, remark(), era=mortal(64, 0))
    chain.validate(before_the_fork)
    fork.validate(before_the_fork)


def test_a_signature_of_another_key_or_scheme_is_refused() -> None:
    chain = Chain()
    message = "the signature does not verify"
    data = chain.sign(ALICE, remark(), address=Id(BOB.account))
    assert_refused(chain, data, InvalidKind.BAD_PROOF, message)
    preamble = decode_extrinsic(data).preamble
    assert preamble is not None
    assert isinstance(preamble.signature, Ed25519)
    ecdsa = replace(preamble, signature=Ecdsa(bytes(65)))
    assert_refused(chain, assemble(remark(), ecdsa), InvalidKind.BAD_PROOF, message)


def test_no_bit_of_a_signed_extrinsic_can_be_changed() -> None:
    chain = Chain()
    data = chain.sign(ALICE, transfer(BOB.account, FML), tip=3)
    for place in range(2, len(data)):
        forged = bytearray(data)
        forged[place] ^= 1
        with pytest.raises(TransactionValidityError):
            chain.begin().apply(bytes(forged))


def test_signers_that_are_none() -> None:
    chain = Chain()
    for address in (Index(None), Raw(b"x")):
        data = chain.sign(ALICE, remark(), address=address)
        assert_refused(chain, data, UnknownKind.CANNOT_LOOKUP, "the address is no account id")
    zero = chain.sign(ALICE, remark(), address=Id(AccountId(bytes(32))))
    assert_refused(chain, zero, InvalidKind.BAD_SIGNER, "the zero account signs nothing")
    hashed = chain.sign(ALICE, remark(), mode=MetadataHashMode.ENABLED)
    assert_refused(chain, hashed, UnknownKind.CANNOT_LOOKUP, "metadata hashes are not checked")


def test_who_cannot_pay_is_refused() -> None:
    chain = Chain()
    data = chain.sign(key_of("poor"), remark())
    info = decode_extrinsic(data).call.entry.info((b"hi",))
    fee = sum(chain.runtime.fees.compute_fee(len(data), info))
    assert_refused(chain, data, InvalidKind.PAYMENT, f"cannot pay a fee of {fee} planck")
    greedy = chain.sign(ALICE, remark(), tip=RICH)
    whole = sum(chain.runtime.fees.compute_fee(len(greedy), info)) + RICH
    assert_refused(chain, greedy, InvalidKind.PAYMENT, f"cannot pay a fee of {whole} planck")


def test_bytes_that_are_no_extrinsic_are_refused() -> None:
    chain = Chain()
    assert_refused(chain, b"\x04\x84", InvalidKind.CALL, "end of data: index out of range")
    assert_refused(chain, b"\x08\x04\xff", InvalidKind.CALL, "end of data in a call")
    assert_refused(chain, b"\x0c\x04\xff\x00", InvalidKind.CALL, "no call 255.0")
    assert_refused(chain, b"\x00", InvalidKind.CALL, "empty extrinsic")
    version = "extrinsic version 0x05, the chain takes 0x04 and 0x84"
    assert_refused(chain, b"\x04\x05", InvalidKind.CALL, version)
    assert_refused(chain, b"\x08\x04", InvalidKind.CALL, "extrinsic of 1 bytes says 2")


def test_a_call_that_must_be_signed_is_refused_unsigned() -> None:
    chain = Chain()
    bare = assemble(remark(), None)
    assert_refused(chain, bare, InvalidKind.BAD_SIGNER, "remark must be signed")


def test_a_bare_extrinsic_that_no_block_takes_is_refused_first() -> None:
    chain = Chain()
    with pytest.raises(TransactionValidityError) as caught:
        chain.validate(assemble(remark(bytes(700_000)), None))
    assert caught.value.kind is InvalidKind.EXHAUSTS_RESOURCES


def test_the_heaviest_extrinsic_is_one_that_fits_into_an_empty_block() -> None:
    chain = Chain()
    heavy = chain.sign(ALICE, remark(bytes(400_000)))
    assert chain.block(heavy) == [None]
    too_long = chain.sign(ALICE, remark(bytes(600_000)))
    assert_not_included(
        chain, too_long, InvalidKind.EXHAUSTS_RESOURCES, "the block's bytes are used up"
    )


def test_the_pool_refuses_what_no_block_can_hold() -> None:
    chain = Chain()
    too_long = chain.sign(ALICE, remark(bytes(600_000)))
    with pytest.raises(TransactionValidityError) as caught:
        chain.validate(too_long)
    assert caught.value.kind is InvalidKind.EXHAUSTS_RESOURCES


def test_a_block_has_so_many_bytes() -> None:
    chain = Chain()
    execution = chain.begin()
    execution.apply(chain.sign(ALICE, remark(bytes(300_000)), nonce=0))
    with pytest.raises(TransactionValidityError, match="the block's bytes are used up") as caught:
        execution.apply(chain.sign(ALICE, remark(bytes(300_000)), nonce=1))
    assert caught.value.kind is InvalidKind.EXHAUSTS_RESOURCES
    assert execution.apply(chain.sign(ALICE, remark(bytes(200_000)), nonce=1)) is None


def test_a_block_has_so_much_weight() -> None:
    chain = Chain()
    execution = chain.begin()
    weights = execution.runtime.weights
    used = execution.runtime.system.block_weight
    limit = weights.per_class.normal.max_total
    assert limit is not None
    filled = replace(used.get().normal, ref_time=limit.ref_time - 1)
    used.put(replace(used.get(), normal=filled))
    with pytest.raises(TransactionValidityError, match="the block's weight is used up") as caught:
        execution.apply(chain.sign(ALICE, remark()))
    assert caught.value.kind is InvalidKind.EXHAUSTS_RESOURCES


def test_weight_is_counted_by_class() -> None:
    chain = Chain()
    execution = chain.begin()
    before = execution.runtime.system.block_weight.get()
    execution.apply(chain.sign(ALICE, remark()))
    after = execution.runtime.system.block_weight.get()
    info = decode_extrinsic(chain.sign(ALICE, remark())).call.entry.info((b"hi",))
    base = execution.runtime.weights.per_class.normal.base_extrinsic
    assert after.normal == before.normal + info.weight + base
    assert (after.mandatory, after.operational) == (before.mandatory, before.operational)
    assert before.mandatory.ref_time > execution.runtime.weights.base_block.ref_time


# -- inherents


def test_inherents_come_first_and_are_the_authors() -> None:
    chain = Chain()
    execution = chain.begin()
    execution.apply(chain.sign(ALICE, remark()))
    with pytest.raises(TransactionValidityError) as caught:
        execution.apply(chain.time())
    assert (caught.value.kind, str(caught.value)) == (
        InvalidKind.BAD_MANDATORY,
        "an inherent behind transactions",
    )
    with pytest.raises(TransactionValidityError) as caught:
        chain.validate(chain.time())
    assert (caught.value.kind, str(caught.value)) == (
        UnknownKind.NO_UNSIGNED_VALIDATOR,
        "inherents are authors'",
    )


def test_a_signed_inherent_is_refused_by_block_and_pool() -> None:
    chain = Chain()
    data = chain.sign(ALICE, encode_call(Timestamp.set, chain.now_ms + 1_000))
    assert_not_included(chain, data, InvalidKind.MANDATORY_VALIDATION, "set is inherent")
    with pytest.raises(TransactionValidityError) as caught:
        chain.validate(data)
    assert caught.value.kind is InvalidKind.MANDATORY_VALIDATION


def test_an_inherent_that_fails_makes_the_block_invalid() -> None:
    chain = Chain()
    assert_not_included(chain, chain.time(), InvalidKind.BAD_MANDATORY, f"set: {AlreadySet()!r}")
    chain.block()
    with pytest.raises(InvalidBlock) as caught:
        chain.execute([chain.time(chain.now_ms + 1)])
    assert str(caught.value) == f"extrinsic 0 of block 2: set: {TooEarly()!r}"


# -- blocks of others


def test_a_block_with_an_extrinsic_that_cannot_be_in_it_is_invalid() -> None:
    chain = Chain()
    with pytest.raises(InvalidBlock) as caught:
        chain.execute([chain.time(), chain.sign(ALICE, remark(), nonce=1)])
    assert str(caught.value) == "extrinsic 1 of block 1: nonce 1, next is 0"


def test_a_block_without_its_time_is_invalid() -> None:
    chain = Chain()
    with pytest.raises(InvalidBlock, match=r"^block 1 does not set its time$"):
        chain.execute([])


def test_a_digest_that_execution_does_not_give_is_invalid() -> None:
    chain = Chain()
    executed = chain.begin().finish()
    header = chain.header(executed)
    false = replace(header, digest=Digest([*header.digest.logs, Other(b"x")]))
    with pytest.raises(InvalidBlock, match=r"^digest of block 1 is not what execution gives$"):
        execute_block(chain.state, false, [chain.time()])


def test_a_refused_extrinsic_leaves_the_block_as_good_as_without_it() -> None:
    chain = Chain()
    good = chain.sign(ALICE, remark())
    one, other = chain.begin(), chain.begin()
    one.apply(good)
    for bad in (b"", chain.sign(BOB, remark(), nonce=9), chain.sign(key_of("poor"), remark())):
        with pytest.raises(TransactionValidityError):
            other.apply(bad)
    other.apply(good)
    assert one.finish() == other.finish()


def test_a_number_out_of_range_fails_the_call_and_not_the_block() -> None:
    chain = Chain()
    (error,) = chain.block(chain.sign(ALICE, transfer(BOB.account, 2**128 - 1)))
    assert isinstance(error, balances.InsufficientBalance)


def test_unsigned_extrinsics_come_from_everywhere_to_the_same_end() -> None:
    chain = Chain()
    for source in TransactionSource:
        with pytest.raises(TransactionValidityError) as caught:
            chain.validate(assemble(encode_call(System.remark, b""), None), source)
        assert caught.value.kind is InvalidKind.BAD_SIGNER


def test_the_preamble_is_what_was_sent() -> None:
    chain = Chain()
    data = chain.sign(ALICE, remark(), tip=9)
    preamble = decode_extrinsic(data).preamble
    assert isinstance(preamble, Preamble)
    assert (preamble.extra.tip, preamble.extra.nonce) == (9, 0)
