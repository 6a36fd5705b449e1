"""Ring signatures: who may sign, what links them, and every way to bend one refused."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.exceptions import CryptoError

from runtime.primitives.curve import GROUP_ORDER, IDENTITY, hash_to_point, point_add
from runtime.primitives.ring_signature import (
    RING_SIZE_MAX,
    KeyProof,
    RingSignature,
    prove_key,
    public_key,
    ring_secret_from_seed,
    sign_ring,
    tag_of,
    verify_key,
    verify_ring,
)
from runtime.primitives.scale import DecodeError, codec_of
from tests.runtime.primitives import edwards

SECRETS = [ring_secret_from_seed(bytes((number,)) * 32) for number in range(34)]
KEYS = [public_key(secret) for secret in SECRETS]
BASE = hash_to_point(b"flock/test/base")
TAGS = [tag_of(secret, BASE) for secret in SECRETS[:3]]
MESSAGE = b"message"
ENTROPY = b"\x07" * 32
PAIR = KEYS[:2]
SIGNED = sign_ring(SECRETS[1], PAIR, BASE, MESSAGE, ENTROPY)
CONTEXT = b"genesis and account"
KEY_PROOF = prove_key(SECRETS[0], CONTEXT, ENTROPY)
NOT_POINTS = [
    *(b"", KEYS[0][:31], KEYS[0] + b"\x00", b"\x02" + bytes(31), b"\xff" * 32, IDENTITY),
    *((edwards.P + y | sign << 255).to_bytes(32, "little") for y in range(19) for sign in (0, 1)),
    *edwards.TORSION,
]
NOT_SCALARS = [
    *(b"", bytes(31), bytes(33), bytes(32), b"\xff" * 32),
    *(GROUP_ORDER.to_bytes(32, "little"), (GROUP_ORDER + 1).to_bytes(32, "little")),
]


def number_of(scalar: bytes) -> int:
    return int.from_bytes(scalar, "little")


def scalar_of(number: int) -> bytes:
    return number.to_bytes(32, "little")


def flips(data: bytes) -> Iterator[bytes]:
    for bit in range(8 * len(data)):
        yield (int.from_bytes(data, "little") ^ 1 << bit).to_bytes(len(data), "little")


def numbers_of(signature: RingSignature) -> list[bytes]:
    return [signature.challenge, *signature.responses]


def signature_of(numbers: list[bytes]) -> RingSignature:
    return RingSignature(numbers[0], numbers[1:])


def is_pair_valid(
    *,
    numbers: list[bytes] | None = None,
    ring: list[bytes] = PAIR,
    base: bytes = BASE,
    tag: bytes = TAGS[1],
    message: bytes = MESSAGE,
) -> bool:
    """The verdict on the signature of the second key of two, with something exchanged."""
    return verify_ring(signature_of(numbers or numbers_of(SIGNED)), ring, base, tag, message)


# -- signing and linking


@pytest.mark.parametrize("size", [1, 2, 31, 32])
def test_every_member_can_sign(size: int) -> None:
    ring = KEYS[:size]
    for place in range(size):
        signature = sign_ring(SECRETS[place], ring, BASE, MESSAGE, ENTROPY)
        assert len(signature.responses) == size
        assert verify_ring(signature, ring, BASE, tag_of(SECRETS[place], BASE), MESSAGE)


def test_tags_link_a_signer_for_a_base_and_nothing_else() -> None:
    other = hash_to_point(b"flock/test/another base")
    tags = [tag_of(secret, base) for secret in SECRETS for base in (BASE, other)]
    assert len({*tags, *KEYS}) == len(tags) + len(KEYS)
    # Another ring, message and entropy: the same tag, and no other passes.
    signature = sign_ring(SECRETS[1], KEYS[1:5], BASE, b"another", b"")
    assert verify_ring(signature, KEYS[1:5], BASE, TAGS[1], b"another")
    assert not verify_ring(signature, KEYS[1:5], BASE, tag_of(SECRETS[1], other), b"another")


def test_nobody_signs_with_the_tag_of_another() -> None:
    assert not is_pair_valid(tag=TAGS[0])
    # An attacker that signs for the tag of its victim from the start.
    numbers = forge(KEYS[0], BASE, TAGS[1])
    assert not edwards.verify_ring(numbers, KEYS[:1], BASE, TAGS[1], MESSAGE)
    assert not verify_ring(signature_of(numbers), KEYS[:1], BASE, TAGS[1], MESSAGE)


def test_the_same_inputs_give_the_same_signature_and_entropy_another() -> None:
    assert sign_ring(SECRETS[1], PAIR, BASE, MESSAGE, ENTROPY) == SIGNED
    other = sign_ring(SECRETS[1], PAIR, BASE, MESSAGE, b"")
    assert not set(numbers_of(other)) & set(numbers_of(SIGNED))
    assert prove_key(SECRETS[0], CONTEXT, ENTROPY) == KEY_PROOF
    assert prove_key(SECRETS[0], CONTEXT, b"") != KEY_PROOF


def test_repeated_entropy_does_not_reveal_the_secret() -> None:
    """Two answers with one nonce would: x = (s - s') / (c' - c)."""
    one = sign_ring(SECRETS[0], KEYS[:1], BASE, b"one", ENTROPY)
    two = sign_ring(SECRETS[0], KEYS[:1], BASE, b"two", ENTROPY)
    other = prove_key(SECRETS[0], b"another context", ENTROPY)
    pairs = [
        (one.challenge, one.responses[0], two.challenge, two.responses[0]),
        (KEY_PROOF.challenge, KEY_PROOF.response, other.challenge, other.response),
    ]
    for pair in pairs:
        c, s, other_c, other_s = map(number_of, pair)
        guess = (s - other_s) * pow(other_c - c, -1, GROUP_ORDER) % GROUP_ORDER
        assert scalar_of(guess) != SECRETS[0]


# -- what a signature binds


def test_every_flipped_bit_of_a_signature_is_refused() -> None:
    numbers = numbers_of(SIGNED)
    for at, number in enumerate(numbers):
        for flipped in flips(number):
            assert not is_pair_valid(numbers=[*numbers[:at], flipped, *numbers[at + 1 :]])


def test_every_flipped_bit_of_the_statement_is_refused() -> None:
    assert is_pair_valid()
    assert not any(is_pair_valid(tag=flipped) for flipped in flips(TAGS[1]))
    assert not any(is_pair_valid(base=flipped) for flipped in flips(BASE))
    assert not any(is_pair_valid(message=flipped) for flipped in flips(MESSAGE))
    for at in (0, 1):
        for flipped in flips(PAIR[at]):
            assert not is_pair_valid(ring=[*PAIR[:at], flipped, *PAIR[at + 1 :]])


def test_the_message_is_bound_with_its_length() -> None:
    assert not is_pair_valid(message=MESSAGE + b"\x00")
    assert not is_pair_valid(message=MESSAGE[:-1])
    assert not is_pair_valid(message=b"")


def test_another_ring_is_refused() -> None:
    ring = KEYS[:4]
    signature = sign_ring(SECRETS[1], ring, BASE, MESSAGE, ENTROPY)
    assert verify_ring(signature, ring, BASE, TAGS[1], MESSAGE)
    rings = [
        [*KEYS[:3], KEYS[4]],  # a member replaced
        [KEYS[0], KEYS[4], *KEYS[2:4]],  # the signer replaced
        [KEYS[1], KEYS[0], *KEYS[2:4]],
        [*KEYS[1:4], KEYS[0]],
        ring[::-1],
        ring[:3],
        [*ring, KEYS[4]],
        [*ring[:3], ring[0]],
        [],
    ]
    for other in rings:
        numbers = numbers_of(signature)
        assert not verify_ring(signature, other, BASE, TAGS[1], MESSAGE)
        fitted = signature_of((numbers + numbers)[: 1 + len(other)])
        assert not verify_ring(fitted, other, BASE, TAGS[1], MESSAGE)


def test_the_circle_of_challenges_has_one_beginning() -> None:
    numbers = numbers_of(SIGNED)
    statement = edwards.statement_of(PAIR, BASE, TAGS[1], MESSAGE)
    challenge, response = map(number_of, numbers[:2])
    of_key, of_tag = (
        edwards.multiply((response, base), (challenge, edwards.point_of(image)))
        for base, image in ((edwards.BASE, PAIR[0]), (edwards.point_of(BASE), TAGS[1]))
    )
    second = scalar_of(edwards.challenge_of(statement, of_key, of_tag))
    turned = [second, numbers[2], numbers[1]]
    assert not is_pair_valid(numbers=turned, ring=PAIR[::-1])
    assert not is_pair_valid(numbers=turned)


def test_sizes_outside_of_the_bounds_are_refused() -> None:
    signature = signature_of([SIGNED.challenge] * 34)
    assert not verify_ring(signature, KEYS[:33], BASE, TAGS[1], MESSAGE)
    assert not verify_ring(RingSignature(SIGNED.challenge, []), [], BASE, TAGS[1], MESSAGE)
    assert not verify_ring(RingSignature(SIGNED.challenge, []), PAIR, BASE, TAGS[1], MESSAGE)
    codec = codec_of(RingSignature)
    with pytest.raises(DecodeError, match=r"^33 items, the most is 32$"):
        codec.decode_all(SIGNED.challenge + bytes((33 << 2,)) + bytes(33 * 32))


# -- what is not canonical


@pytest.mark.parametrize("point", NOT_POINTS, ids=bytes.hex)
def test_what_is_no_point_of_the_group_is_refused(point: bytes) -> None:
    assert not is_pair_valid(tag=point)
    assert not is_pair_valid(base=point)
    assert not is_pair_valid(ring=[point, KEYS[1]])
    assert not is_pair_valid(ring=[KEYS[0], point])
    assert not verify_key(point, CONTEXT, KEY_PROOF)


@pytest.mark.parametrize("number", NOT_SCALARS, ids=bytes.hex)
def test_what_is_no_scalar_is_refused(number: bytes) -> None:
    numbers = numbers_of(SIGNED)
    for at in range(len(numbers)):
        assert not is_pair_valid(numbers=[*numbers[:at], number, *numbers[at + 1 :]])
    assert not verify_key(KEYS[0], CONTEXT, KeyProof(number, KEY_PROOF.response))
    assert not verify_key(KEYS[0], CONTEXT, KeyProof(KEY_PROOF.challenge, number))


def test_numbers_of_the_same_remainder_are_refused() -> None:
    """Lenient arithmetic takes such responses: a signature would have several forms."""
    numbers = numbers_of(SIGNED)
    for at, number in enumerate(numbers):
        others = [number_of(number) + multiple * GROUP_ORDER for multiple in range(1, 8)]
        for other in (*others, number_of(number) + 2**255):
            bent = [*numbers[:at], scalar_of(other), *numbers[at + 1 :]]
            assert not is_pair_valid(numbers=bent)
        bent = [*numbers[:at], scalar_of(others[0]), *numbers[at + 1 :]]
        assert edwards.verify_ring(bent, PAIR, BASE, TAGS[1], MESSAGE) == (at > 0)


def forge(key: bytes, base: bytes, tag: bytes) -> list[bytes]:
    """A signature of SECRETS[0] by search, which lenient arithmetic takes for these points."""
    statement = edwards.statement_of([key], base, tag, MESSAGE)
    base_point = edwards.point_of(base)
    for nonce in range(1, 1000):
        of_key = edwards.multiply((nonce, edwards.BASE))
        of_tag = edwards.multiply((nonce, base_point))
        challenge = edwards.challenge_of(statement, of_key, of_tag)
        product = challenge * number_of(SECRETS[0])
        # Then neither the challenge nor the reduction of the response shows a small order.
        if challenge % 8 == 0 and (nonce - product) // GROUP_ORDER % 8 == 0:
            return [scalar_of(challenge), scalar_of((nonce - product) % GROUP_ORDER)]
    raise AssertionError("no forgery found")


def tag_of_any(base: bytes) -> bytes:
    return edwards.encode(edwards.multiply((number_of(SECRETS[0]), edwards.point_of(base))))


@pytest.mark.parametrize("torsion", edwards.TORSION, ids=bytes.hex)
def test_a_second_form_of_a_key_base_or_tag_is_refused(torsion: bytes) -> None:
    """The attack on linkable signatures: a tag plus a point of small order signs once more."""
    base = point_add(BASE, torsion)
    forms = [
        (point_add(KEYS[0], torsion), BASE, TAGS[0]),
        (KEYS[0], base, tag_of_any(base)),
        (KEYS[0], BASE, point_add(TAGS[0], torsion)),
    ]
    for key, base, tag in forms:
        numbers = forge(key, base, tag)
        assert edwards.verify_ring(numbers, [key], base, tag, MESSAGE)
        assert not verify_ring(signature_of(numbers), [key], base, tag, MESSAGE)


def test_a_base_that_is_not_canonical_is_refused() -> None:
    base = (edwards.P + 3).to_bytes(32, "little")
    numbers = forge(KEYS[0], base, tag_of_any(base))
    assert edwards.verify_ring(numbers, KEYS[:1], base, tag_of_any(base), MESSAGE)
    assert not verify_ring(signature_of(numbers), KEYS[:1], base, tag_of_any(base), MESSAGE)


# -- the second opinion


@settings(max_examples=20)
@given(st.integers(1, 4), st.data())
def test_the_equations_hold_in_integers(size: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, size - 1))
    message = data.draw(st.binary(max_size=40))
    ring, tag = KEYS[:size], tag_of(SECRETS[place], BASE)
    numbers = numbers_of(sign_ring(SECRETS[place], ring, BASE, message, b""))
    assert verify_ring(signature_of(numbers), ring, BASE, tag, message)
    assert edwards.verify_ring(numbers, ring, BASE, tag, message)


@settings(max_examples=25)
@given(st.sampled_from(["number", "key", "tag", "base", "message"]), st.data())
def test_both_agree_on_what_is_bent(part: str, data: st.DataObject) -> None:
    numbers, ring = numbers_of(SIGNED), list(PAIR)
    points = {"tag": TAGS[1], "base": BASE, "message": MESSAGE}
    if part == "number":
        at = data.draw(st.integers(0, 2))
        numbers[at] = scalar_of(data.draw(st.integers(1, GROUP_ORDER - 1)))
    elif part == "key":
        ring[data.draw(st.integers(0, 1))] = data.draw(st.sampled_from(KEYS[2:]))
    else:
        points[part] = data.draw(st.sampled_from([*KEYS, *TAGS, BASE]))
    arguments = (ring, points["base"], points["tag"], points["message"])
    verdict = verify_ring(signature_of(numbers), *arguments)
    assert verdict == edwards.verify_ring(numbers, *arguments)


# -- keys


def test_a_key_proof_holds_for_its_key_and_context_only() -> None:
    assert verify_key(KEYS[0], CONTEXT, KEY_PROOF)
    assert not verify_key(KEYS[1], CONTEXT, KEY_PROOF)
    assert not verify_key(KEYS[0], CONTEXT + b"\x00", KEY_PROOF)
    assert not verify_key(KEYS[0], b"", KEY_PROOF)


def test_every_flipped_bit_of_a_key_proof_is_refused() -> None:
    for flipped in flips(KEY_PROOF.challenge):
        assert not verify_key(KEYS[0], CONTEXT, KeyProof(flipped, KEY_PROOF.response))
    for flipped in flips(KEY_PROOF.response):
        assert not verify_key(KEYS[0], CONTEXT, KeyProof(KEY_PROOF.challenge, flipped))
    for flipped in flips(KEYS[0]):
        assert not verify_key(flipped, CONTEXT, KEY_PROOF)


def test_a_key_proof_is_no_ring_signature() -> None:
    signature = RingSignature(KEY_PROOF.challenge, [KEY_PROOF.response])
    assert not verify_ring(signature, KEYS[:1], BASE, TAGS[0], CONTEXT)


def test_seed_of_wrong_length_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^a ring seed has 32 bytes, not 31$"):
        ring_secret_from_seed(bytes(31))


@pytest.mark.parametrize("secret", NOT_SCALARS, ids=bytes.hex)
@pytest.mark.parametrize(
    "use",
    [
        public_key,
        lambda secret: tag_of(secret, BASE),
        lambda secret: prove_key(secret, b"", b""),
        lambda secret: sign_ring(secret, PAIR, BASE, b"", b""),
    ],
    ids=["public_key", "tag_of", "prove_key", "sign_ring"],
)
def test_a_secret_must_be_a_scalar(secret: bytes, use: Callable[[bytes], object]) -> None:
    message = "^a ring secret is a scalar: 32 bytes, not zero, below the group's order$"
    with pytest.raises(ValueError, match=message):
        use(secret)


@pytest.mark.parametrize("ring", [[], KEYS[1:3], [KEYS[0], KEYS[0]], KEYS[:33]])
def test_no_signature_for_what_is_no_ring_of_the_signer(ring: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"^no ring of 1 to 32 different keys with the signer's$"):
        sign_ring(SECRETS[0], ring, BASE, MESSAGE, ENTROPY)


def test_no_signature_over_what_is_no_point() -> None:
    torsion = edwards.TORSION[0]
    with pytest.raises(CryptoError):
        sign_ring(SECRETS[0], [KEYS[0], torsion], BASE, MESSAGE, ENTROPY)
    with pytest.raises(CryptoError):
        tag_of(SECRETS[0], point_add(BASE, torsion))


# -- any bytes


POINTS = st.one_of(st.binary(max_size=40), st.sampled_from([*NOT_POINTS, *KEYS[:3], BASE, *TAGS]))
NUMBERS = st.one_of(st.binary(max_size=40), st.sampled_from([*NOT_SCALARS, *numbers_of(SIGNED)]))


@settings(max_examples=100)
@given(
    st.lists(NUMBERS, min_size=1, max_size=4), st.lists(POINTS, max_size=4), POINTS, POINTS, POINTS
)
def test_any_bytes_give_a_verdict(
    numbers: list[bytes], ring: list[bytes], base: bytes, tag: bytes, message: bytes
) -> None:
    assert not verify_ring(signature_of(numbers), ring, base, tag, message)
    assert not verify_key(base, message, KeyProof(numbers[0], numbers[-1]))


# -- frozen


def test_keys_tags_and_proofs_are_frozen() -> None:
    assert RING_SIZE_MAX == 32
    assert SECRETS[0].hex() == "6d4355900064fa6323c82417a293e94965aa5a1121ece317c1c0014e6d8cda04"
    assert KEYS[0].hex() == "aca26afe1f9880d50809163b8939dbc0e57ec86d52547614b84c62c6d773daa2"
    assert TAGS[0].hex() == "c9fdbdb0c2fd26044d415b1043291375b6a02819ebc7df8bd7fd88f7eca019da"
    assert codec_of(KeyProof).encode(KEY_PROOF).hex() == (
        "cef45a6eecac212f28475108a162da3bccff601fbf0f96d0225b5ec3074cbf01"
        "234d7791a642ef68ec5266d8c6f887e2a756cd4551e200347b694fa6fb25a007"
    )


def test_a_signature_is_frozen() -> None:
    signature = sign_ring(SECRETS[1], KEYS[:3], BASE, MESSAGE, ENTROPY)
    encoded = codec_of(RingSignature).encode(signature)
    assert encoded.hex() == (
        "33db57c8648a085afb04cc61950038dfc4b2593389e189cd88192e5e0681d606"
        "0cbe8a2e2c4b9cd8c35fd47325c3ee2ee3256c7e6a974759f7d4a78a7217fb84"
        "0c97a0b6db3a000713129786c4ea68738b650d90e184f899e54fe869a00a324a"
        "01268c728ef88adaef717530d97972d8cf3fa86e0780309df4be9f6738d6b49d"
        "00"
    )
    assert codec_of(RingSignature).decode_all(encoded) == signature
