"""Hash functions against published digests."""

import hashlib

import pytest

from runtime.primitives.hashing import (
    blake2b_64,
    blake2b_128,
    blake2b_256,
    blake2b_512,
    sha2_256,
    sha2_512,
    twox_64,
    twox_128,
    twox_256,
)


def test_blake2b_256_of_nothing_is_the_published_digest() -> None:
    expected = "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
    assert blake2b_256(b"").hex() == expected


def test_blake2b_512_matches_rfc_7693() -> None:
    assert blake2b_512(b"abc").hex() == (
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
        "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
    )


def test_blake2b_128_of_an_account_is_substrates_storage_key_part() -> None:
    alice = bytes.fromhex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d")
    assert blake2b_128(alice).hex() == "de1e86a9a8c739864cf3cc5ec2bea59f"


def test_blake2b_64_is_the_core_runtime_api_id() -> None:
    assert blake2b_64(b"Core").hex() == "df6acb689907609b"
    assert blake2b_64(b"Metadata").hex() == "37e397fc7c91f5e4"


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        (b"System", "26aa394eea5630e07c48ae0c9558cef7"),
        (b"Account", "b99d880ec681799c0cf30e8886371da9"),
        (b"", "99e9d85137db46ef4bbea33613baafd5"),
    ],
)
def test_twox_128_gives_substrates_storage_prefixes(name: bytes, prefix: str) -> None:
    assert twox_128(name).hex() == prefix


def test_twox_widths_extend_each_other() -> None:
    data = b"\x00\xff" * 9
    assert twox_64(data) == twox_128(data)[:8] == twox_256(data)[:8]
    assert twox_128(data) == twox_256(data)[:16]
    assert [len(twox_64(data)), len(twox_128(data)), len(twox_256(data))] == [8, 16, 32]


def test_sha2_matches_fips_180_4() -> None:
    assert sha2_256(b"abc").hex() == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    assert sha2_512(b"abc") == hashlib.new("sha512", b"abc").digest()
