"""The VRF: the vectors of RFC 9381, and every way to bend a proof refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_core_ed25519_add, crypto_sign_seed_keypair

from runtime.primitives import vrf

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
# A point of order 8, and the identity.
TORSION = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
IDENTITY = b"\x01" + bytes(31)

# RFC 9381 B.3, examples 16, 17 and 18: seed, public key, alpha, proof, output.
RFC_9381 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f"
        "26f8a57ccaed74ee1b190bed1f479d9727d2d0f9b005a6e456a35d4fb0daab12"
        "68a1b0db10836d9826a528ca76567805",
        "90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff"
        "66b71dda49d2de59d03450451af026798e8f81cd2e333de5cdf4f3e140fdd8ae",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed593"
        "3bf0864a62558b3ed7f2fea45c92a465301b3bbf5e3e54ddf2d935be3b67926d"
        "a3ef39226bbc355bdc9850112c8f4b02",
        "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb"
        "5e33821bc613efb94db5e5b54c70a848a0bef4553a41befc57663b56373a5031",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "9bc0f79119cc5604bf02d23b4caede71393cedfbb191434dd016d30177ccbf80"
        "96bb474e53895c362d8628ee9f9ea3c0e52c7a5c691b6c18c9979866568add7a"
        "2d41b00b05081ed0f58ee5e31b3a970e",
        "645427e5d00c62a23fb703732fa5d892940935942101e456ecca7bb217c61c45"
        "2118fec1219202a0edcf038bb6373241578be7217ba85a2687f7a0310b2df19f",
    ),
]
SEED, PUBLIC, ALPHA, PROOF, OUTPUT = (bytes.fromhex(part) for part in RFC_9381[1])


@pytest.mark.parametrize(("seed", "public", "alpha", "proof", "output"), RFC_9381)
def test_rfc_9381_vectors(seed: str, public: str, alpha: str, proof: str, output: str) -> None:
    assert vrf.public_key(bytes.fromhex(seed)).hex() == public
    assert vrf.prove(bytes.fromhex(seed), bytes.fromhex(alpha)).hex() == proof
    raw = bytes.fromhex(proof)
    verified = vrf.verify(bytes.fromhex(public), raw, bytes.fromhex(alpha))
    assert verified is not None
    assert verified.hex() == output
    assert vrf.proof_to_output(raw) == verified


def test_public_key_is_the_ed25519_key_of_the_seed() -> None:
    assert vrf.public_key(SEED) == crypto_sign_seed_keypair(SEED)[0]


def test_every_flipped_bit_of_a_proof_is_refused() -> None:
    for bit in range(8 * vrf.PROOF_BYTES):
        flipped = bytearray(PROOF)
        flipped[bit // 8] ^= 1 << bit % 8
        assert vrf.verify(PUBLIC, bytes(flipped), ALPHA) is None


def test_response_plus_group_order_is_refused() -> None:
    response = int.from_bytes(PROOF[48:], "little")
    for multiple in range(1, 15):
        malleated = PROOF[:48] + (response + multiple * GROUP_ORDER).to_bytes(32, "little")
        assert vrf.verify(PUBLIC, malleated, ALPHA) is None
        assert vrf.proof_to_output(malleated) is None


def test_gamma_with_a_torsion_part_is_refused_although_its_output_is_equal() -> None:
    gamma = crypto_core_ed25519_add(PROOF[:32], TORSION)
    assert gamma != PROOF[:32]
    assert vrf.verify(PUBLIC, gamma + PROOF[32:], ALPHA) is None
    assert vrf.proof_to_output(gamma + PROOF[32:]) is None


@pytest.mark.parametrize(
    "gamma", [IDENTITY, TORSION, bytes(32), b"\xff" * 32, b"\xed" + b"\xff" * 31]
)
def test_small_and_non_canonical_gamma_is_refused(gamma: bytes) -> None:
    assert vrf.verify(PUBLIC, gamma + PROOF[32:], ALPHA) is None
    assert vrf.proof_to_output(gamma + PROOF[32:]) is None


@pytest.mark.parametrize(
    "public",
    [
        IDENTITY,
        TORSION,
        bytes(32),
        (2**255 - 19 + 1).to_bytes(32, "little"),
        crypto_core_ed25519_add(PUBLIC, TORSION),
        b"",
        PUBLIC[:31],
        PUBLIC + b"\x00",
    ],
)
def test_keys_outside_of_the_prime_subgroup_are_refused(public: bytes) -> None:
    assert vrf.verify(public, PROOF, ALPHA) is None


def test_zero_challenge_and_zero_response_are_refused() -> None:
    assert vrf.verify(PUBLIC, PROOF[:32] + bytes(48), ALPHA) is None
    assert vrf.verify(PUBLIC, PROOF[:48] + bytes(32), ALPHA) is None


def test_proof_of_another_alpha_or_key_is_refused() -> None:
    assert vrf.verify(PUBLIC, PROOF, ALPHA + b"x") is None
    assert vrf.verify(vrf.public_key(bytes(32)), PROOF, ALPHA) is None


def test_seed_of_wrong_length_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^a VRF seed has 32 bytes, not 31$"):
        vrf.prove(bytes(31), b"")
    with pytest.raises(ValueError, match=r"^a VRF seed has 32 bytes, not 31$"):
        vrf.evaluate(bytes(31), b"")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40), st.binary(max_size=100), st.binary(max_size=40))
def test_any_bytes_give_a_verdict(public: bytes, proof: bytes, alpha: bytes) -> None:
    assert vrf.verify(public, proof, alpha) is None
    vrf.proof_to_output(proof)


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_what_is_proved_verifies(seed: bytes, alpha: bytes) -> None:
    proof = vrf.prove(seed, alpha)
    assert vrf.prove(seed, alpha) == proof
    output = vrf.verify(vrf.public_key(seed), proof, alpha)
    assert output is not None
    assert output == vrf.proof_to_output(proof) == vrf.evaluate(seed, alpha)
    assert len(output) == vrf.OUTPUT_BYTES
