"""Parameters as clients spell them."""

from __future__ import annotations

from typing import Any

import pytest

from flockchain.rpc.errors import InvalidParams
from flockchain.rpc.methods import METHODS
from flockchain.rpc.params import (
    parse_account,
    parse_bytes,
    parse_hash,
    parse_int,
    parse_numbers,
)
from tests.flockchain.rpc.dev_node import ALICE

HASH = "ab" * 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0x", b""), ("", b""), ("0x0aFF", b"\x0a\xff"), ("0aff", b"\x0a\xff")],
)
def test_hex_comes_with_and_without_prefix(text: str, expected: bytes) -> None:
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["0x0", "0xzz", "0X00", " 00", "00\n", "0x0x00", "٠٠", 7, []])
def test_what_is_no_hex_is_refused(text: Any) -> None:
    with pytest.raises(InvalidParams):
        parse_bytes(text)


@pytest.mark.parametrize("text", [HASH + "00", HASH[:-2], "0x", 5, None])
def test_hashes_have_32_bytes(text: Any) -> None:
    assert parse_hash("0x" + HASH) == parse_hash(HASH) == bytes.fromhex(HASH)
    with pytest.raises(InvalidParams):
        parse_hash(text)


def test_accounts_are_addresses_or_hex() -> None:
    assert parse_account(ALICE.address()) == ALICE.public
    assert parse_account("0x" + ALICE.public.hex()) == ALICE.public
    with pytest.raises(InvalidParams, match="checksum"):
        parse_account(ALICE.address()[:-1] + "q")


@pytest.mark.parametrize("value", [True, -1, 2**64, 1.0, "1"])
def test_integers_are_unsigned_and_of_64_bits(value: Any) -> None:
    with pytest.raises(InvalidParams):
        parse_int(value)


def test_block_numbers_come_alone_in_lists_and_as_hex() -> None:
    assert parse_numbers(5) == 5
    assert parse_numbers("0x1F") == 31
    assert parse_numbers([0, "0x2"]) == [0, 2]
    with pytest.raises(InvalidParams, match="list of 5000 items"):
        parse_numbers([1] * 5000)


def test_null_and_absent_mean_the_same() -> None:
    method = METHODS["state_getStorage"]
    assert method.bind(["0x01"]) == method.bind(["0x01", None]) == [b"\x01", None]
    assert method.bind(["0x01", None, None]) == [b"\x01", None]
    assert method.bind({"key": "0x01"}) == [b"\x01", None]
    assert METHODS["chain_getHeader"].bind(None) == [None]


@pytest.mark.parametrize("params", [[], [None], ["0x01", None, 7], {"at": "0x" + HASH}])
def test_missing_and_surplus_parameters_are_refused(params: Any) -> None:
    with pytest.raises(InvalidParams):
        METHODS["state_getStorage"].bind(params)
