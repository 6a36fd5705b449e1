"""Tag proofs: all tags or none, for one key and one context."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.exceptions import CryptoError

from runtime.primitives.curve import (
    GROUP_ORDER,
    IDENTITY,
    hash_to_point,
    point_add,
    point_mul,
    point_sub,
)
from runtime.primitives.ring_signature import KeyProof, public_key, ring_secret_from_seed, tag_of
from runtime.primitives.ring_signature import verify_key as verify_key_proof
from runtime.primitives.scale import codec_of
from runtime.primitives.tag_proof import TagProof, prove_tags, verify_tags
from tests.runtime.primitives import edwards

SECRET, OTHER = (ring_secret_from_seed(bytes((number,)) * 32) for number in (1, 2))
KEY = public_key(SECRET)
BASES = [hash_to_point(b"flock/test/base" + bytes((number,))) for number in range(100)]
TAGS = [tag_of(SECRET, base) for base in BASES]
CONTEXT = b"task and day"
ENTROPY = b"\x07" * 32
THREE = prove_tags(SECRET, BASES[:3], TAGS[:3], CONTEXT, ENTROPY)


def are_three_valid(
    *,
    key: bytes = KEY,
    bases: list[bytes] | None = None,
    tags: list[bytes] | None = None,
    context: bytes = CONTEXT,
    proof: TagProof = THREE,
) -> bool:
    """The verdict on the proof of the first three tags, with something exchanged."""
    return verify_tags(key, bases or BASES[:3], tags or TAGS[:3], context, proof)


def prove_and_verify(bases: list[bytes], tags: list[bytes]) -> bool:
    proof = prove_tags(SECRET, bases, tags, CONTEXT, ENTROPY)
    return verify_tags(KEY, bases, tags, CONTEXT, proof)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 33, 64, 99, 100])
def test_one_proof_covers_all_tags(count: int) -> None:
    assert prove_and_verify(BASES[:count], TAGS[:count])


@pytest.mark.parametrize("at", [0, 1, 31, 62, 63])
def test_one_wrong_tag_among_many_is_refused(at: int) -> None:
    """Even by its owner, who proves for the very list with the wrong tag."""
    for wrong in (tag_of(OTHER, BASES[at]), TAGS[at - 1], BASES[at], KEY):
        tags = [*TAGS[:at], wrong, *TAGS[at + 1 : 64]]
        assert not prove_and_verify(BASES[:64], tags)


def test_errors_that_cancel_without_weights_are_refused() -> None:
    tags = [point_add(TAGS[0], KEY), point_sub(TAGS[1], KEY), *TAGS[2:10]]
    assert point_add(tags[0], tags[1]) == point_add(TAGS[0], TAGS[1])
    assert not prove_and_verify(BASES[:10], tags)


def test_swapped_tags_and_another_order_are_refused() -> None:
    swapped = [TAGS[1], TAGS[0], TAGS[2]]
    assert not prove_and_verify(BASES[:3], swapped)
    assert not are_three_valid(tags=swapped)
    # The pairs are right, but the proof is for another list.
    assert not are_three_valid(bases=[BASES[1], BASES[0], BASES[2]], tags=swapped)


def test_a_proof_is_for_all_of_its_tags_and_no_more() -> None:
    assert are_three_valid()
    for count in (1, 2, 4):
        assert not are_three_valid(bases=BASES[:count], tags=TAGS[:count])
    assert not verify_tags(KEY, BASES[:3], TAGS[:2], CONTEXT, THREE)
    assert not verify_tags(KEY, [], [], CONTEXT, THREE)
    assert not verify_tags(KEY, BASES[:3], [], CONTEXT, THREE)


def test_another_key_or_context_is_refused() -> None:
    assert not are_three_valid(key=public_key(OTHER))
    assert not are_three_valid(context=CONTEXT + b"\x00")
    assert not are_three_valid(context=b"")
    other = prove_tags(OTHER, BASES[:3], TAGS[:3], CONTEXT, ENTROPY)
    assert not are_three_valid(proof=other)
    assert not are_three_valid(key=public_key(OTHER), proof=other)


def test_a_base_may_stand_twice_with_one_tag() -> None:
    bases = [BASES[0], BASES[0]]
    assert prove_and_verify(bases, [TAGS[0], TAGS[0]])
    assert not prove_and_verify(bases, [TAGS[0], TAGS[1]])


def test_every_flipped_bit_is_refused() -> None:
    base, tag = BASES[0], TAGS[0]
    proof = prove_tags(SECRET, [base], [tag], CONTEXT, ENTROPY)
    whole = KEY + base + tag + proof.challenge + proof.response
    for bit in [None, *range(8 * len(whole))]:
        bent = int.from_bytes(whole, "little") ^ (0 if bit is None else 1 << bit)
        parts = bent.to_bytes(len(whole), "little")
        key, base, tag, challenge, response = (parts[at : at + 32] for at in range(0, 160, 32))
        verdict = verify_tags(key, [base], [tag], CONTEXT, TagProof(challenge, response))
        assert verdict == (bit is None)


@pytest.mark.parametrize(
    "point",
    [
        *(b"", KEY[:31], KEY + b"\x00", b"\x02" + bytes(31), b"\xff" * 32, IDENTITY),
        *((edwards.P + y).to_bytes(32, "little") for y in range(19)),
        *edwards.TORSION,
        *(point_add(TAGS[1], torsion) for torsion in edwards.TORSION),
        *(point_add(BASES[1], torsion) for torsion in edwards.TORSION),
        *(point_add(KEY, torsion) for torsion in edwards.TORSION),
    ],
    ids=bytes.hex,
)
def test_what_is_no_point_of_the_group_is_refused(point: bytes) -> None:
    assert not are_three_valid(key=point)
    assert not are_three_valid(bases=[BASES[0], point, BASES[2]])
    assert not are_three_valid(tags=[TAGS[0], point, TAGS[2]])
    # For a tag its owner proves: weights that are multiples of eight would hide a small order.
    assert not prove_and_verify(BASES[:3], [TAGS[0], point, TAGS[2]])


@pytest.mark.parametrize(
    "number",
    [
        *(b"", bytes(31), bytes(33), bytes(32), b"\xff" * 32, GROUP_ORDER.to_bytes(32, "little")),
        (GROUP_ORDER + int.from_bytes(THREE.response, "little")).to_bytes(32, "little"),
        (GROUP_ORDER + int.from_bytes(THREE.challenge, "little")).to_bytes(32, "little"),
        (2**255 + int.from_bytes(THREE.response, "little")).to_bytes(32, "little"),
    ],
    ids=bytes.hex,
)
def test_what_is_no_scalar_is_refused(number: bytes) -> None:
    assert not are_three_valid(proof=TagProof(number, THREE.response))
    assert not are_three_valid(proof=TagProof(THREE.challenge, number))


def test_a_tag_proof_is_no_key_proof() -> None:
    assert not verify_key_proof(KEY, CONTEXT, KeyProof(THREE.challenge, THREE.response))


def test_nonces_differ_with_statement_and_entropy() -> None:
    assert prove_tags(SECRET, BASES[:3], TAGS[:3], CONTEXT, ENTROPY) == THREE
    assert prove_tags(SECRET, BASES[:3], TAGS[:3], CONTEXT, b"") != THREE
    other = prove_tags(SECRET, BASES[:3], TAGS[:3], b"another context", ENTROPY)
    c, s, other_c, other_s = (
        int.from_bytes(number, "little")
        for number in (THREE.challenge, THREE.response, other.challenge, other.response)
    )
    guess = (s - other_s) * pow(other_c - c, -1, GROUP_ORDER) % GROUP_ORDER
    assert guess.to_bytes(32, "little") != SECRET


def test_the_equation_holds_in_integers() -> None:
    """A proof of one tag, whose weight then cancels: s*H + c*T is the nonce's multiple of H."""
    proof = prove_tags(SECRET, BASES[:1], TAGS[:1], CONTEXT, ENTROPY)
    base, tag, key = (edwards.point_of(point) for point in (BASES[0], TAGS[0], KEY))
    s, c, x = (
        int.from_bytes(number, "little") for number in (proof.response, proof.challenge, SECRET)
    )
    nonce = (s + c * x) % GROUP_ORDER
    assert edwards.multiply((s, edwards.BASE), (c, key)) == edwards.multiply((nonce, edwards.BASE))
    assert edwards.multiply((s, base), (c, tag)) == edwards.multiply((nonce, base))
    assert edwards.encode(edwards.multiply((nonce, base))) == point_mul(
        nonce.to_bytes(32, "little"), BASES[0]
    )


def test_no_proof_without_tags_or_a_group() -> None:
    with pytest.raises(ValueError, match=r"^0 tags for 0 bases$"):
        prove_tags(SECRET, [], [], CONTEXT, ENTROPY)
    with pytest.raises(ValueError, match=r"^1 tags for 2 bases$"):
        prove_tags(SECRET, BASES[:2], TAGS[:1], CONTEXT, ENTROPY)
    with pytest.raises(ValueError, match=r"^a ring secret is a scalar"):
        prove_tags(bytes(32), BASES[:1], TAGS[:1], CONTEXT, ENTROPY)
    with pytest.raises(CryptoError):
        prove_tags(SECRET, edwards.TORSION[:1], TAGS[:1], CONTEXT, ENTROPY)


POINTS = st.one_of(st.binary(max_size=40), st.sampled_from([KEY, *BASES[:3], *TAGS[:3]]))
NUMBERS = st.one_of(st.binary(max_size=40), st.just(THREE.challenge), st.just(THREE.response))


@settings(max_examples=100)
@given(POINTS, st.lists(POINTS, max_size=3), st.lists(POINTS, max_size=3), NUMBERS, NUMBERS)
def test_any_bytes_give_a_verdict(
    key: bytes, bases: list[bytes], tags: list[bytes], challenge: bytes, response: bytes
) -> None:
    assert not verify_tags(key, bases, tags, b"garbage", TagProof(challenge, response))


def test_a_proof_is_frozen() -> None:
    encoded = codec_of(TagProof).encode(THREE)
    assert encoded.hex() == (
        "179b0816440f16ac59bf23678f72454f75766584c8e9ba80e20d5476ca3b360f"
        "0641f2f3956268c7b5f734e1e50507028ecb0fc42a30a1df1328ce08cc58b40a"
    )
    assert codec_of(TagProof).decode_all(encoded) == THREE
