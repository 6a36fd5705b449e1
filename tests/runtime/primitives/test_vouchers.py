"""What a voucher, an answer and a grant sign, byte for byte."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from runtime.frame.extrinsic import HASHED_ABOVE_BYTES
from runtime.primitives.scale import DecodeError, EncodeError, codec_of
from runtime.primitives.types import AccountId, Hash
from runtime.primitives.vouchers import Answer, Grant, Voucher

GENESIS, CALLER, HOST = Hash(b"g" * 32), AccountId(b"c" * 32), AccountId(b"h" * 32)
MODEL, REQUEST, DOCUMENTS, SAID = b"m" * 32, Hash(b"r" * 32), Hash(b"d" * 32), Hash(b"a" * 32)
VOUCHER = Voucher(GENESIS, CALLER, HOST, MODEL, 7)
ANSWER = Answer(GENESIS, HOST, CALLER, MODEL, REQUEST, DOCUMENTS, 5, SAID)
GRANT = Grant(GENESIS, CALLER, HOST, MODEL, 9, 3, 1)
SIGNED: list[Voucher | Answer | Grant] = [VOUCHER, ANSWER, GRANT]


def test_payloads_are_domain_and_fields() -> None:
    total, limit = (7).to_bytes(16, "little"), (9).to_bytes(16, "little")
    hashes = REQUEST + DOCUMENTS
    assert VOUCHER.payload() == b"flockchain/voucher/v1" + GENESIS + CALLER + HOST + MODEL + total
    answer = b"flockchain/answer/v1" + GENESIS + HOST + CALLER + MODEL + hashes
    assert ANSWER.payload() == answer + (5).to_bytes(8, "little") + SAID
    grant = b"flockchain/grant/v1" + GENESIS + CALLER + HOST + MODEL + limit
    assert GRANT.payload() == grant + (3).to_bytes(4, "little") + (1).to_bytes(8, "little")


@pytest.mark.parametrize("signed", SIGNED)
def test_payloads_are_short_enough_to_be_signed_as_they_are(
    signed: Voucher | Answer | Grant,
) -> None:
    assert len(signed.payload()) <= HASHED_ABOVE_BYTES


@pytest.mark.parametrize("signed", SIGNED)
def test_every_field_is_signed(signed: Voucher | Answer | Grant) -> None:
    for field in fields(signed):
        value = getattr(signed, field.name)
        other = value + 1 if isinstance(value, int) else bytes(32)
        assert replace(signed, **{field.name: other}).payload() != signed.payload(), field.name


@pytest.mark.parametrize("signed", SIGNED)
def test_they_decode_to_themselves(signed: Voucher | Answer | Grant) -> None:
    codec = codec_of(type(signed))
    data = codec.encode(signed)
    assert codec.decode_all(data) == signed
    with pytest.raises(DecodeError):
        codec.decode_all(data[:-1])


def test_a_total_has_128_bits() -> None:
    assert replace(VOUCHER, total=2**128 - 1).payload()[-16:] == b"\xff" * 16
    with pytest.raises(EncodeError):
        replace(VOUCHER, total=2**128).payload()
