"""Extrinsics version 4: what is signed, what is hashed, what does not decode."""

from __future__ import annotations

import pytest

from runtime.frame.extrinsic import (
    Additional,
    Extra,
    MetadataHashMode,
    Preamble,
    assemble,
    decode_extrinsic,
    extrinsic_hash,
    payload,
    signing_payload,
)
from runtime.frame.pallet import encode_call
from runtime.pallets.system import System
from runtime.primitives.era import IMMORTAL, Era
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import (
    Address20,
    Ecdsa,
    Ed25519,
    Id,
    Index,
    MultiAddress,
    MultiSignature,
    Sr25519,
)
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import AccountId, Hash

WHO = AccountId(b"\1" * 32)
EXTRA = Extra(Era(64, 42), 3, 10**18, MetadataHashMode.DISABLED)
GENESIS, BIRTH = Hash(b"g" * 32), Hash(b"b" * 32)
ADDITIONAL = Additional(1, 2, GENESIS, BIRTH, None)
CALL = encode_call(System.remark, b"hi")
EXTRA_BYTES = bytes.fromhex("a502" + "0c" + "130000" + "64a7b3b6e00d" + "00")
ADDITIONAL_BYTES = b"\1\0\0\0\2\0\0\0" + GENESIS + BIRTH + b"\0"


def test_what_is_signed_is_call_extra_and_additional() -> None:
    assert signing_payload(CALL, EXTRA, ADDITIONAL) == CALL + EXTRA_BYTES + ADDITIONAL_BYTES


def test_a_payload_above_256_bytes_is_signed_by_its_hash() -> None:
    rest = len(ADDITIONAL_BYTES)
    longest = bytes(256 - rest)
    assert payload(longest, ADDITIONAL) == longest + ADDITIONAL_BYTES
    longer = bytes(257 - rest)
    assert payload(longer, ADDITIONAL) == blake2b_256(longer + ADDITIONAL_BYTES)


@pytest.mark.parametrize("signature", [Ed25519(b"s" * 64), Sr25519(b"s" * 64), Ecdsa(b"s" * 65)])
@pytest.mark.parametrize("address", [Id(WHO), Index(None), Address20(b"a" * 20)])
def test_a_signed_extrinsic_comes_back(address: MultiAddress, signature: MultiSignature) -> None:
    preamble = Preamble(address, signature, EXTRA)
    data = assemble(CALL, preamble)
    found = decode_extrinsic(data)
    assert found.preamble == preamble
    assert found.call.arguments == (b"hi",)
    assert found.signed_part == CALL + EXTRA_BYTES
    assert found.length == len(data)


def test_a_bare_extrinsic_is_a_version_and_a_call() -> None:
    data = assemble(CALL, None)
    assert data == b"\x18\x04" + CALL
    found = decode_extrinsic(data)
    assert (found.preamble, found.signed_part, found.length) == (None, b"", 7)


def test_the_hash_covers_the_length_prefix() -> None:
    data = assemble(CALL, None)
    assert extrinsic_hash(data) == blake2b_256(data) != blake2b_256(data[1:])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "end of data in a compact integer"),
        (b"\x00", "empty extrinsic"),
        (b"\x0c\x04", "extrinsic of 1 bytes says 3"),
        (b"\x04\x04\x00", "extrinsic of 2 bytes says 1"),
        (b"\x01\x00\x04", "compact integer 0 is not in its shortest form"),
        (b"\x04\x85", "extrinsic version 0x85, the chain takes 0x04 and 0x84"),
        (b"\x1c\x04" + CALL + b"\0", "1 bytes left over behind the call"),
    ],
)
def test_what_is_no_extrinsic_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_extrinsic(data)
    assert str(caught.value) == message


def test_every_cut_extrinsic_is_refused() -> None:
    data = assemble(
        CALL,
        Preamble(Id(WHO), Ed25519(b"s" * 64), Extra(IMMORTAL, 0, 0, MetadataHashMode.DISABLED)),
    )
    for end in range(2, len(data)):
        body = data[2:end]
        with pytest.raises(DecodeError):
            decode_extrinsic(bytes((len(body) << 2 & 255 | 1, len(body) >> 6)) + body)
