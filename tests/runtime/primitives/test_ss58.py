"""SS58: known addresses, every prefix, and one text an account."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.primitives.ss58 import (
    AddressError,
    decode_account,
    decode_address,
    encode_address,
)

ALICE = bytes.fromhex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d")
ALICE_ADDRESS = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
ALICE_POLKADOT = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"
ALICE_KUSAMA = "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F"


def test_known_addresses() -> None:
    assert encode_address(ALICE) == ALICE_ADDRESS
    assert encode_address(ALICE, 0) == ALICE_POLKADOT
    assert encode_address(ALICE, 2) == ALICE_KUSAMA
    assert decode_address(ALICE_POLKADOT) == (ALICE, 0)
    assert decode_account(ALICE_ADDRESS) == ALICE


def test_every_network_prefix_round_trips() -> None:
    generator = random.Random(58)
    for prefix in range(16_384):
        if prefix in (46, 47):
            continue
        account = generator.randbytes(32)
        assert decode_address(encode_address(account, prefix)) == (account, prefix)


@pytest.mark.parametrize("prefix", [-1, 46, 47, 16_384])
def test_reserved_and_unknown_prefixes_are_refused(prefix: int) -> None:
    message = f"network prefix {prefix} is reserved or outside 0 to 16383"
    with pytest.raises(AddressError, match=f"^{re.escape(message)}$"):
        encode_address(ALICE, prefix)


def test_every_changed_character_is_refused() -> None:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    survivors = 0
    for index in range(len(ALICE_ADDRESS)):
        for character in alphabet:
            text = ALICE_ADDRESS[:index] + character + ALICE_ADDRESS[index + 1 :]
            if text == ALICE_ADDRESS:
                continue
            try:
                decode_address(text)
            except AddressError:
                continue
            survivors += 1
    assert survivors == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the address is empty"),
        ("0" + ALICE_ADDRESS[1:], "'0' is no base58 character"),
        (" " + ALICE_ADDRESS, "' ' is no base58 character"),
        ("1" * 65, "an address has at most 64 characters"),
        ("1" * 10, "holds 7 bytes, an account has 32"),
        (
            "DmmS5zJcCEx2zWnNw9c3LM3Pj7Je2Tbd9PuokVKYGT7R2h1h",
            "no network prefix starts with byte 0x80",
        ),
        (ALICE_ADDRESS[:-1] + "Z", "the checksum of address .* is wrong"),
    ],
)
def test_each_rule_has_its_message(text: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        decode_address(text)


def test_account_of_another_network_or_length_is_refused() -> None:
    with pytest.raises(AddressError, match="is of network 0, not of 42"):
        decode_account(ALICE_POLKADOT)
    with pytest.raises(AddressError, match=r"^an account has 32 bytes, not 31$"):
        encode_address(ALICE[:31])


@given(st.text(max_size=70))
def test_any_text_gives_an_account_or_the_named_error(text: str) -> None:
    try:
        account, prefix = decode_address(text)
    except AddressError:
        return
    assert encode_address(account, prefix) == text
