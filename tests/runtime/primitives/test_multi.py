"""Multi addresses and signatures: Substrate's indices, every case decodes."""

from __future__ import annotations

import pytest

from runtime.primitives.multi import (
    MULTI_ADDRESS,
    MULTI_SIGNATURE,
    Address20,
    Address32,
    Ecdsa,
    Ed25519,
    Id,
    Index,
    MultiAddress,
    MultiSignature,
    Raw,
    Sr25519,
)
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import AccountId


@pytest.mark.parametrize(
    ("address", "encoded"),
    [
        (Id(AccountId(b"\1" * 32)), b"\0" + b"\1" * 32),
        (Index(None), b"\1"),
        (Raw(b"ab"), b"\2\x08ab"),
        (Address32(b"\3" * 32), b"\3" + b"\3" * 32),
        (Address20(b"\4" * 20), b"\4" + b"\4" * 20),
    ],
)
def test_addresses(address: MultiAddress, encoded: bytes) -> None:
    assert MULTI_ADDRESS.encode(address) == encoded
    assert MULTI_ADDRESS.decode_all(encoded) == address


@pytest.mark.parametrize(
    ("signature", "encoded"),
    [
        (Ed25519(b"\1" * 64), b"\0" + b"\1" * 64),
        (Sr25519(b"\1" * 64), b"\1" + b"\1" * 64),
        (Ecdsa(b"\1" * 65), b"\2" + b"\1" * 65),
    ],
)
def test_signatures(signature: MultiSignature, encoded: bytes) -> None:
    assert MULTI_SIGNATURE.encode(signature) == encoded
    assert MULTI_SIGNATURE.decode_all(encoded) == signature


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(DecodeError, match=r"MultiAddress has no variant 5$"):
        MULTI_ADDRESS.decode_all(b"\5" + bytes(32))
    with pytest.raises(DecodeError, match=r"MultiSignature has no variant 3$"):
        MULTI_SIGNATURE.decode_all(b"\3" + bytes(64))
