"""Bytes by hash: deposits, requests, and every refusal."""

from __future__ import annotations

import pytest

from runtime.frame.errors import BadOrigin, TokenError
from runtime.frame.origin import ROOT, signed
from runtime.frame.traits import HoldReason
from runtime.pallets import preimage, rekeying
from runtime.pallets.balances import Balances
from runtime.pallets.preimage import Preimage, RequestedStatus, Unrequested
from runtime.pallets.utility import Utility
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Ed25519, Id
from runtime.primitives.types import FML, Hash
from runtime.runtime import Runtime
from tests.runtime.block_chain import ALICE, BOB, Chain, call_of, key_of

DATA = b"as you like it" * 10
FOUND = Hash(blake2b_256(DATA))
DEPOSIT = FML // 100 + len(DATA) * (FML // 100_000)


def held(runtime: Runtime, who: bytes = ALICE.account) -> int:
    return runtime.balances.held(HoldReason.PREIMAGE, who)  # type: ignore[arg-type]


def noted_by_alice() -> Runtime:
    runtime = Chain().runtime
    runtime.preimage.note_preimage(signed(ALICE.account), DATA)
    return runtime


def test_bytes_are_noted_for_a_deposit_by_size_and_taken_back() -> None:
    chain = Chain()
    assert chain.run(ALICE, Preimage.note_preimage, DATA) is None
    assert chain.told_names() == ["Held", "Noted", "ExtrinsicSuccess"]
    assert chain.runtime.preimage.bytes_of(FOUND) == DATA
    assert held(chain.runtime) == DEPOSIT
    assert chain.run(ALICE, Preimage.unnote_preimage, FOUND) is None
    assert chain.told_names() == ["Cleared", "Released", "ExtrinsicSuccess"]
    assert chain.runtime.preimage.bytes_of(FOUND) is None
    assert held(chain.runtime) == 0


def test_only_who_noted_takes_back() -> None:
    runtime = noted_by_alice()
    pallet = runtime.preimage
    with pytest.raises(preimage.NotAuthorized):
        pallet.unnote_preimage(signed(BOB.account), FOUND)
    with pytest.raises(preimage.NotNoted):
        pallet.unnote_preimage(signed(ALICE.account), Hash(bytes(32)))
    with pytest.raises(preimage.AlreadyNoted):
        pallet.note_preimage(signed(BOB.account), DATA)
    pallet.unnote_preimage(ROOT, FOUND)
    assert held(runtime) == 0
    runtime.try_state()


def test_what_is_relied_on_stays_and_its_deposit_returns() -> None:
    runtime = noted_by_alice()
    pallet = runtime.preimage
    pallet.request_preimage(ROOT, FOUND)
    pallet.request_preimage(ROOT, FOUND)
    assert pallet.request_status_for.get(FOUND) == RequestedStatus(
        (ALICE.account, DEPOSIT), 2, len(DATA)
    )
    pallet.unnote_preimage(signed(ALICE.account), FOUND)
    assert (held(runtime), pallet.bytes_of(FOUND)) == (0, DATA)
    with pytest.raises(preimage.NotNoted):  # the deposit is back already
        pallet.unnote_preimage(signed(ALICE.account), FOUND)
    runtime.try_state()
    pallet.unrequest_preimage(ROOT, FOUND)
    assert pallet.bytes_of(FOUND) == DATA
    pallet.unrequest_preimage(ROOT, FOUND)
    assert pallet.bytes_of(FOUND) is None
    runtime.try_state()


def test_a_last_request_gives_bytes_back_to_who_noted_them() -> None:
    runtime = noted_by_alice()
    runtime.preimage.request(FOUND)
    runtime.preimage.unrequest(FOUND)
    assert runtime.preimage.request_status_for.get(FOUND) == Unrequested(
        (ALICE.account, DEPOSIT), len(DATA)
    )
    with pytest.raises(preimage.NotRequested):
        runtime.preimage.unrequest_preimage(ROOT, FOUND)


def test_bytes_are_requested_before_they_come() -> None:
    runtime = Chain().runtime
    pallet = runtime.preimage
    pallet.request_preimage(ROOT, FOUND)
    assert pallet.bytes_of(FOUND) is None
    pallet.note_preimage(signed(ALICE.account), DATA)
    assert pallet.request_status_for.get(FOUND) == RequestedStatus(
        (ALICE.account, DEPOSIT), 1, len(DATA)
    )
    runtime.try_state()
    pallet.unrequest(FOUND)
    pallet.unnote_preimage(signed(ALICE.account), FOUND)
    pallet.request(FOUND)
    pallet.unrequest(FOUND)
    assert not pallet.request_status_for.contains(FOUND)
    runtime.try_state()


def test_root_notes_without_a_deposit_and_relies_on_it() -> None:
    runtime = Chain().runtime
    pallet = runtime.preimage
    pallet.note_preimage(ROOT, DATA)
    assert pallet.note(DATA) == FOUND
    assert pallet.request_status_for.get(FOUND) == RequestedStatus(None, 2, len(DATA))
    pallet.unrequest(FOUND)
    pallet.unrequest(FOUND)
    assert pallet.bytes_of(FOUND) is None
    runtime.try_state()


def test_only_root_requests() -> None:
    pallet = Chain().runtime.preimage
    for call in (pallet.request_preimage, pallet.unrequest_preimage):
        with pytest.raises(BadOrigin):
            call(signed(ALICE.account), FOUND)


def test_size_number_and_deposit_are_bounded() -> None:
    chain, poor = Chain(), key_of("poor")
    chain.run(ALICE, Balances.transfer_keep_alive, Id(poor.account), FML // 100)
    assert isinstance(chain.run(poor, Preimage.note_preimage, DATA), TokenError)
    most = preimage.SIZE_MAX
    assert isinstance(chain.run(ALICE, Preimage.note_preimage, bytes(most + 1)), preimage.TooBig)
    assert chain.run(ALICE, Preimage.note_preimage, bytes(most)) is None
    calls = [call_of(Preimage.note_preimage, bytes((n,))) for n in range(preimage.NOTED_MAX)]
    assert isinstance(chain.run(ALICE, Utility.batch_all, calls), preimage.TooMany)
    assert chain.run(ALICE, Utility.batch_all, calls[:-1]) is None


def test_deposits_move_with_the_key() -> None:
    chain, new = Chain(), key_of("new")
    chain.run(ALICE, Preimage.note_preimage, DATA)
    message = rekeying.consent_message(chain.hashes[0], ALICE.account, new.account, 0)
    swap = (new.account, Ed25519(new.sign(message)))
    assert chain.run(ALICE, rekeying.Rekeying.swap_key, *swap) is None
    assert chain.run(new, Preimage.unnote_preimage, FOUND) is None
    assert held(chain.runtime, new.account) == held(chain.runtime) == 0
