"""Headers: a public chain's genesis hash, digest items, what a seal covers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.primitives.header import (
    DIGEST_ITEM,
    HEADER,
    Consensus,
    Digest,
    DigestItem,
    Header,
    Other,
    PreRuntime,
    RuntimeEnvironmentUpdated,
    Seal,
    decode_header,
)
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import ZERO_HASH, Hash

EMPTY_ROOT = Hash(bytes.fromhex("03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"))
STATE_ROOT = Hash(bytes.fromhex("29d0d972cd27cbc511e9589fcb7a4506d5eb6a9e8df205f00472e5ab354a4e17"))
HEAD = Header(ZERO_HASH, 5, STATE_ROOT, EMPTY_ROOT, Digest([PreRuntime(b"FVRF", b"claim")]))
SEAL = Seal(b"FVRF", bytes(64))


def test_the_hash_of_polkadots_genesis() -> None:
    header = Header(ZERO_HASH, 0, STATE_ROOT, EMPTY_ROOT, Digest([]))
    assert header.hash().hex() == "91b171bb158e2d3848fa23a9f1c25182fb8e20313b2c1eb49219da7a70ce90c3"


@pytest.mark.parametrize(
    ("item", "encoded"),
    [
        (Other(b"ab"), "00086162"),
        (Consensus(b"FRNK", b"\1"), "0446524e4b0401"),
        (Seal(b"FVRF", b"\1\2"), "0546565246080102"),
        (PreRuntime(b"FVRF", b""), "064656524600"),
        (RuntimeEnvironmentUpdated(), "08"),
    ],
)
def test_digest_items(item: DigestItem, encoded: str) -> None:
    assert DIGEST_ITEM.encode(item).hex() == encoded
    assert DIGEST_ITEM.decode_all(bytes.fromhex(encoded)) == item


@pytest.mark.parametrize("index", [1, 2, 3, 7, 9, 255])
def test_retired_digest_items_are_refused(index: int) -> None:
    with pytest.raises(DecodeError, match=f"DigestItem has no variant {index}$"):
        DIGEST_ITEM.decode_all(bytes((index,)) + bytes(40))


@pytest.mark.parametrize("number", [0, 63, 64, 16_383, 16_384, 2**30 - 1, 2**30, 2**32 - 1])
@pytest.mark.parametrize("others", [0, 1, 62, 63, 64])
@pytest.mark.parametrize("seal_bytes", [0, 63, 64, 20_000])
def test_what_the_author_signs_is_cut_out_of_the_sealed_header(
    number: int, others: int, seal_bytes: int
) -> None:
    logs: list[DigestItem] = [Other(b"ab")] * others
    plain = Header(ZERO_HASH, number, STATE_ROOT, EMPTY_ROOT, Digest(logs))
    sealed = plain.with_log(Seal(b"FVRF", bytes(seal_bytes)))
    assert sealed.encode_unsealed() == plain.encode() == sealed.without_seal().encode()
    assert plain.encode_unsealed() == plain.encode()


def test_a_decoded_header_keeps_its_bytes_since_no_others_mean_it() -> None:
    whole = HEAD.with_log(SEAL).encode()
    assert decode_header(whole).encode() is whole
    for place in range(len(whole)):
        for bit in range(8):
            changed = whole[:place] + bytes((whole[place] ^ 1 << bit,)) + whole[place + 1 :]
            try:
                found = decode_header(changed)
            except DecodeError:
                continue
            assert HEADER.encode(found) == changed


def test_the_number_is_compact_and_the_five_fields_come_in_order() -> None:
    encoded = HEAD.encode()
    assert encoded[:33] == bytes(32) + b"\x14"
    assert encoded[33:97] == STATE_ROOT + EMPTY_ROOT
    assert encoded[97:] == bytes.fromhex("04064656524614") + b"claim"
    assert HEADER.decode_all(encoded) == HEAD


def test_a_seal_is_the_last_item_and_part_of_the_hash() -> None:
    sealed = HEAD.with_log(SEAL)
    assert sealed.hash() != HEAD.hash()
    assert (sealed.seal(), sealed.without_seal()) == (SEAL, HEAD)
    assert (HEAD.seal(), HEAD.without_seal()) == (None, HEAD)
    buried = sealed.with_log(Other(b""))
    assert (buried.seal(), buried.without_seal()) == (None, buried)
    twice = sealed.with_log(SEAL)
    assert twice.without_seal() == sealed


def test_a_header_without_items_has_no_seal() -> None:
    bare = Header(ZERO_HASH, 0, STATE_ROOT, EMPTY_ROOT, Digest([]))
    assert (bare.seal(), bare.without_seal()) == (None, bare)


def test_a_header_keeps_its_bytes_and_no_copy_takes_them_over() -> None:
    header = Header(ZERO_HASH, 5, STATE_ROOT, EMPTY_ROOT, Digest([]))
    assert header.encode() is header.encode()
    assert replace(header, number=6).encode() == HEADER.encode(replace(header, number=6))
    assert header.with_log(SEAL).without_seal().encode() == header.encode()
    assert header == Header(ZERO_HASH, 5, STATE_ROOT, EMPTY_ROOT, Digest([]))
