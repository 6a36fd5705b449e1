"""Deposits follow a swapped key, whatever they are for, and come back with it to the last byte."""

from __future__ import annotations

from itertools import pairwise

import pytest

from flockchain.keys import KeyPair
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.frame.weights import Weight
from runtime.pallets import rekeying
from runtime.pallets.multisig.records import NotOwner, Timepoint
from runtime.pallets.proxy.records import ProxyType
from runtime.primitives.hashing import blake2b_256, twox_128
from runtime.primitives.multi import Ed25519, Id
from runtime.primitives.types import FML, AccountId, Hash
from runtime.runtime import Runtime
from tests.runtime.block_chain import ALICE, AUTHOR, BOB, Chain, key_of

DATA = b"noted"
CALL_HASH = blake2b_256(b"a call")
REASONS = (HoldReason.PREIMAGE, HoldReason.MULTISIG, HoldReason.PROXY)


def others(*keys: KeyPair) -> list[AccountId]:
    return sorted(key.account for key in keys)


def with_everything_open() -> Runtime:
    """Alice has noted bytes, opened an operation, named a proxy, and announced as one."""
    chain = Chain()
    chain.block()
    runtime = chain.runtime
    alice, bob = signed(ALICE.account), signed(BOB.account)
    runtime.preimage.note_preimage(alice, DATA)
    signatories = others(BOB, AUTHOR)
    runtime.multisig.approve_as_multi(alice, 2, signatories, None, CALL_HASH, Weight(0))
    runtime.proxy.add_proxy(alice, Id(BOB.account), ProxyType.Training, 0)
    runtime.proxy.add_proxy(bob, Id(ALICE.account), ProxyType.Any, 3)
    runtime.proxy.announce(alice, Id(BOB.account), Hash(CALL_HASH))
    return runtime


def held(runtime: Runtime, who: AccountId) -> list[int]:
    return [runtime.balances.held(reason, who) for reason in REASONS]


def swap(runtime: Runtime, old: AccountId, new: KeyPair) -> None:
    count = runtime.rekeying.consents.get(new.account)
    genesis = runtime.system.genesis_hash()
    message = rekeying.consent_message(genesis, old, new.account, count)
    runtime.rekeying.swap_key(signed(old), new.account, Ed25519(new.sign(message)))


def state_of(runtime: Runtime) -> dict[bytes, bytes]:
    """What was written, but for the counts of consents."""
    counts = twox_128(b"Rekeying")
    changes = runtime.ext.changes().items()
    return {key: value for key, value in changes if value and not key.startswith(counts)}


def test_all_deposits_follow_the_key_there_and_back() -> None:
    runtime = with_everything_open()
    before, deposits = state_of(runtime), held(runtime, ALICE.account)
    assert all(deposits)
    path = (ALICE, key_of("one"), key_of("two"), ALICE)
    for old, new in pairwise(path):
        swap(runtime, old.account, new)
        assert held(runtime, old.account) == [0, 0, 0]
        assert held(runtime, new.account) == deposits
        runtime.try_state()
    after = state_of(runtime)
    for item in (runtime.multisig, runtime.preimage, runtime.proxy, runtime.balances):
        prefix = twox_128(type(item).__name__.encode())
        own = {key: value for key, value in before.items() if key.startswith(prefix)}
        assert own == {key: value for key, value in after.items() if key.startswith(prefix)}


def test_the_new_key_gets_every_deposit_back_and_the_old_one_none() -> None:
    runtime, new = with_everything_open(), key_of("one")
    swap(runtime, ALICE.account, new)
    when = Timepoint(runtime.system.block_number(), runtime.system.extrinsic_index())
    old, heir = signed(ALICE.account), signed(new.account)
    with pytest.raises(NotOwner):
        runtime.multisig.cancel_as_multi(old, 2, others(BOB, AUTHOR), when, CALL_HASH)
    everybody = others(ALICE, BOB, AUTHOR)
    runtime.multisig.cancel_as_multi(heir, 2, everybody, when, CALL_HASH)
    runtime.preimage.unnote_preimage(heir, Hash(blake2b_256(DATA)))
    runtime.proxy.remove_proxies(heir)
    runtime.proxy.remove_announcement(heir, Id(BOB.account), Hash(CALL_HASH))
    assert held(runtime, new.account) == [0, 0, 0]
    assert runtime.balances.free(new.account) == 1_000 * FML
    runtime.try_state()
