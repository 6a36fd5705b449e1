"""Keys and vouchers: what is forged, damaged or meant for others is refused."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from flockchain.keys import key_pair_from_uri
from flockchain.marketplace.credentials import (
    KEY_PREFIX,
    CredentialError,
    SignedVoucher,
    make_key,
    read_key,
    read_voucher,
    sign,
    write_voucher,
)
from runtime.primitives.types import FML, Hash
from runtime.primitives.vouchers import Grant, Voucher
from tests.flockchain.marketplace.market_world import CALLER, GENESIS, HOST, MODEL

GRANT = Grant(GENESIS, CALLER.account, HOST.account, MODEL, 3 * FML, 9, 4)
ED25519 = key_pair_from_uri("//Caller", "ed25519")


def test_a_key_is_read_as_it_was_made() -> None:
    for pair in (CALLER, ED25519):
        for limit in (0, 3 * FML):
            grant = replace(GRANT, caller=pair.account, limit=limit)
            key = read_key(make_key(pair, grant))
            assert key.grant == grant
            assert (key.reserve is None) == (limit == 0)
            if key.reserve is not None:
                assert key.reserve.voucher.total == limit


def test_a_key_of_another_hand_is_refused() -> None:
    with pytest.raises(CredentialError) as refused:
        read_key(make_key(HOST, GRANT))
    assert str(refused.value) == "the key's signature is not its caller's"


def test_no_changed_byte_of_a_key_passes() -> None:
    text = make_key(ED25519, replace(GRANT, caller=ED25519.account))
    raw = base64.urlsafe_b64decode(text.removeprefix(KEY_PREFIX) + "==")
    for place in range(0, len(raw), 7):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(CredentialError):
            read_key(KEY_PREFIX + base64.urlsafe_b64encode(changed).decode())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sk-other", "a key begins with sk-flock-: `flockchain market key` makes one"),
        (KEY_PREFIX + "x" * 1024, "a key begins with sk-flock-: `flockchain market key` makes one"),
        (KEY_PREFIX + "AAAA", "the key is damaged: copy it whole"),
        (KEY_PREFIX + "é", "the key is damaged: copy it whole"),
        (make_key(CALLER, GRANT)[:-8], "the key is damaged: copy it whole"),
        (make_key(CALLER, GRANT) + "AAAA", "the key is damaged: something follows its end"),
    ],
)
def test_a_damaged_key_is_refused(text: str, message: str) -> None:
    with pytest.raises(CredentialError) as refused:
        read_key(text)
    assert str(refused.value) == message


def test_a_voucher_is_of_the_keys_triple() -> None:
    voucher = Voucher(GENESIS, CALLER.account, HOST.account, MODEL, 5)
    signed = SignedVoucher(voucher, sign(CALLER, voucher))
    assert read_voucher(write_voucher(signed), GRANT) == signed
    for field in ("genesis", "host", "model"):
        foreign = replace(GRANT, **{field: Hash(bytes(32))})
        with pytest.raises(CredentialError, match="the voucher's signature is not its caller's"):
            read_voucher(write_voucher(signed), foreign)


@pytest.mark.parametrize("text", ["", "?", "AAAA", base64.b64encode(bytes(90)).decode()])
def test_a_damaged_voucher_is_refused(text: str) -> None:
    with pytest.raises(CredentialError, match="X-Flock-Voucher is not a total and a signature"):
        read_voucher(text, GRANT)
