"""Signatures: RFC 8032, published edge-case grids, and a verdict for any bytes."""

import json
from pathlib import Path

import pytest
import sr25519
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from runtime.primitives.signatures import ed25519_verify, sr25519_verify

VECTORS = Path(__file__).parents[2] / "vectors"
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
FIELD_PRIME = 2**255 - 19
SEED = bytes(range(32))

RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_rfc_8032_vectors_verify(seed: str, public: str, message: str, signature: str) -> None:
    key, text, sealed = (bytes.fromhex(part) for part in (public, message, signature))
    assert crypto_sign_seed_keypair(bytes.fromhex(seed))[0] == key
    assert ed25519_verify(sealed, text, key)
    assert not ed25519_verify(sealed, text + b"x", key)


def test_edge_case_grid_has_the_verdicts_of_the_cofactorless_strict_rule() -> None:
    document = json.loads((VECTORS / "ed25519_edge_cases.json").read_text())
    wrong = []
    for key, point, scalar, message, valid in document["cases"]:
        signature = bytes.fromhex(document["points"][point] + scalar)
        public = bytes.fromhex(document["keys"][key])
        if ed25519_verify(signature, message.encode(), public) is not valid:
            wrong.append((key, point, message))
    assert wrong == []
    assert len(document["cases"]) == 914


def test_speccheck_accepts_the_mixed_order_case_only() -> None:
    document = json.loads((VECTORS / "ed25519_speccheck.json").read_text())
    verdicts = [
        ed25519_verify(*(bytes.fromhex(case[name]) for name in ("signature", "message", "pub_key")))
        for case in document["cases"]
    ]
    assert verdicts == [case["valid"] for case in document["cases"]]
    assert verdicts.count(True) == 1


def test_scalar_plus_group_order_is_refused() -> None:
    public, secret = crypto_sign_seed_keypair(SEED)
    signature = crypto_sign(b"message", secret)[:64]
    scalar = int.from_bytes(signature[32:], "little")
    assert ed25519_verify(signature, b"message", public)
    for multiple in range(1, 16):
        malleated = signature[:32] + (scalar + multiple * GROUP_ORDER).to_bytes(32, "little")
        assert not ed25519_verify(malleated, b"message", public)


@pytest.mark.parametrize("y", range(19))
def test_non_canonical_points_are_refused(y: int) -> None:
    public, secret = crypto_sign_seed_keypair(SEED)
    signature = crypto_sign(b"message", secret)[:64]
    for sign in (0, 1 << 255):
        point = (FIELD_PRIME + y | sign).to_bytes(32, "little")
        assert not ed25519_verify(point + signature[32:], b"message", public)
        assert not ed25519_verify(signature, b"message", point)


def test_every_flipped_bit_of_an_ed25519_signature_is_refused() -> None:
    public, secret = crypto_sign_seed_keypair(SEED)
    signature = crypto_sign(b"message", secret)[:64]
    for bit in range(512):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not ed25519_verify(bytes(flipped), b"message", public)


def test_every_flipped_bit_of_an_sr25519_signature_is_refused() -> None:
    public, secret = sr25519.pair_from_seed(SEED)
    signature = sr25519.sign((public, secret), b"message")
    assert sr25519_verify(signature, b"message", public)
    assert not sr25519_verify(signature, b"massage", public)
    for bit in range(512):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not sr25519_verify(bytes(flipped), b"message", public)


def test_sr25519_verifies_a_signature_made_by_another_implementation() -> None:
    # The signing payload of a transfer on a public Substrate chain, signed by polkadot.js.
    public = "66933bd1f37070ef87bd1198af3dacceb095237f803f3d32b173e6b425ed7972"
    payload = (
        "0503005244eb2b8a9f975c603485c5a76eeec41fdad88aa6ef204b7c56691940ad167102093d0045001c1400"
        "d6010000010000002f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c030648bc12"
        "0c2cd5d818f442481dc500adfce8fdd57afc448181362623f129429f00"
    )
    signature = (
        "f0ce803151838122782b9e25ddafc6336b9150d05f634620584c80d61126ca2d"
        "af3e508d71acffb5da16b99a30b35edc4b93a03c491be1a89b1f4898f11c6b87"
    )
    parts = [bytes.fromhex(part) for part in (signature, payload, public)]
    assert sr25519_verify(*parts)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=130), st.binary(max_size=40), st.binary(max_size=70))
def test_any_bytes_give_a_verdict(signature: bytes, message: bytes, public: bytes) -> None:
    assert ed25519_verify(signature, message, public) is False
    assert sr25519_verify(signature, message, public) is False


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=64, max_size=64), st.binary(min_size=32, max_size=32))
def test_random_bytes_of_the_right_length_are_refused(signature: bytes, public: bytes) -> None:
    assert ed25519_verify(signature, b"", public) is False
    assert sr25519_verify(signature, b"", public) is False
