"""Which 32 bytes are a key that something can be sealed to."""

from __future__ import annotations

import pytest
from nacl.public import PrivateKey, SealedBox

from runtime.primitives.sealing import is_sealing_key

# The points of order 1, 2, 4 and 8, and what else encodes them (RFC 7748; curve25519's twist).
SMALL_ORDER = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_points_of_small_order_are_no_keys(point: str) -> None:
    assert not is_sealing_key(bytes.fromhex(point))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_other_lengths_are_no_keys(size: int) -> None:
    assert not is_sealing_key(b"\2" * size)


def test_what_is_sealed_to_a_key_can_be_opened() -> None:
    secret = PrivateKey(b"\7" * 32)
    assert is_sealing_key(secret.public_key.encode())
    box = SealedBox(secret.public_key).encrypt(b"k" * 32)
    assert (len(box), SealedBox(secret).decrypt(box)) == (80, b"k" * 32)
