"""Linkable ring signatures: one of these keys signed, nobody can tell which, but never twice.

Owns ring keys, the proof that an account has the secret of one, and the signature. A key is
X = x*G. For a base H the tag T = x*H is the same whatever the ring and the message, and tells
nothing about x or X: who signs twice for a base shows the same tag. A signature proves, for some
key of the ring, that X and T have the same x: with c[i+1] = hash(statement, s[i]*G + c[i]*X[i],
s[i]*H + c[i]*T) the chain of challenges closes. Only the holder of a secret can close it, by
choosing its own response last.
A verifier hands every point to `point_mul`, which refuses all that is not in the prime-order
subgroup: a tag has one form. Entropy is a parameter, and nonces are hashes of secret, entropy and
statement: entropy that repeats, or is empty, reveals nothing.
Invariant: verifying gives True or False for bytes of any length; nothing is raised.
Source: "Linkable spontaneous anonymous group signature for ad hoc groups" (ACISP 2004); Schnorr,
"Efficient identification and signatures for smart cards" (1989); WP IV.B.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple

from nacl.exceptions import CryptoError

from runtime.primitives.curve import (
    answer,
    base_mul,
    commitment,
    hash_parts,
    hash_to_scalar,
    is_canonical,
    is_scalar,
    point_mul,
)
from runtime.primitives.scale import Limit, scale_type
from runtime.primitives.types import Bytes32

RING_SIZE_MAX: Final = 32
RING_SEED_BYTES: Final = 32

_SECRET: Final = b"flock/ring/secret"
_KEY_NONCE: Final = b"flock/ring/key nonce"
_KEY_CHALLENGE: Final = b"flock/ring/key challenge"
_STATEMENT: Final = b"flock/ring/statement"
_NONCE: Final = b"flock/ring/nonce"
_DECOY: Final = b"flock/ring/decoy"
_CHALLENGE: Final = b"flock/ring/challenge"


@scale_type(path="flockchain_primitives::KeyProof")
class KeyProof:
    """That its maker has the secret of a ring key; two scalars."""

    challenge: Bytes32
    response: Bytes32


@scale_type(path="flockchain_primitives::RingSignature")
class RingSignature:
    """The first member's challenge and a response for each member; all of them scalars."""

    challenge: Bytes32
    responses: Annotated[list[Bytes32], Limit(RING_SIZE_MAX)]


class _Statement(NamedTuple):
    """What a signature is about. `digest` binds ring, base, tag and message."""

    digest: bytes
    base: bytes
    tag: bytes


def ring_secret_from_seed(seed: bytes) -> bytes:
    """The secret scalar of a 32-byte seed.

    Raises: ValueError if the seed is not 32 bytes long.
    """
    if len(seed) != RING_SEED_BYTES:
        raise ValueError(f"a ring seed has {RING_SEED_BYTES} bytes, not {len(seed)}")
    return hash_to_scalar(_SECRET, seed)


def public_key(secret: bytes) -> bytes:
    """The ring key of a secret.

    Raises: ValueError if the secret is no scalar.
    """
    _ensure_secret(secret)
    return base_mul(secret)


def tag_of(secret: bytes, base: bytes) -> bytes:
    """What shows that two signatures for `base` have one signer.

    Raises: ValueError if the secret is no scalar; CryptoError if `base` is no point of the group.
    """
    _ensure_secret(secret)
    return point_mul(secret, base)


def prove_key(secret: bytes, context: bytes, entropy: bytes) -> KeyProof:
    """A proof of possession that holds for `context` only.

    Raises: ValueError if the secret is no scalar.
    """
    key = public_key(secret)
    nonce = hash_to_scalar(_KEY_NONCE, secret, entropy, context)
    challenge = hash_to_scalar(_KEY_CHALLENGE, key, context, base_mul(nonce))
    return KeyProof(challenge, answer(nonce, challenge, secret))


def verify_key(key: bytes, context: bytes, proof: KeyProof) -> bool:
    """Whether `key` is a point of the group and its secret was known to the maker of `proof`."""
    if not (is_canonical(key) and is_scalar(proof.challenge) and is_scalar(proof.response)):
        return False
    try:
        claimed = commitment(proof.response, proof.challenge, key)
    except CryptoError:
        return False
    return hash_to_scalar(_KEY_CHALLENGE, key, context, claimed) == proof.challenge


def sign_ring(
    secret: bytes, ring: Sequence[bytes], base: bytes, message: bytes, entropy: bytes
) -> RingSignature:
    """A signature of one of `ring`, to be verified with the tag of `secret` and `base`.

    Raises: ValueError if the secret is no scalar, or the ring not 1 to 32 different keys with the
    signer's among them; CryptoError if `base` or a key is no point of the group.
    """
    key = public_key(secret)
    if not _is_ring(ring) or key not in ring:
        raise ValueError(f"no ring of 1 to {RING_SIZE_MAX} different keys with the signer's")
    place = list(ring).index(key)
    statement = _state(ring, base, tag_of(secret, base), message)
    nonce = hash_to_scalar(_NONCE, secret, entropy, statement.digest)
    responses = [
        hash_to_scalar(_DECOY, secret, entropy, statement.digest, bytes((member,)))
        for member in range(len(ring))
    ]
    challenges = [b""] * len(ring)
    challenge = _challenge(statement, base_mul(nonce), point_mul(nonce, base))
    for member in (*range(place + 1, len(ring)), *range(place)):
        challenges[member] = challenge
        challenge = _pass_on(statement, ring[member], challenge, responses[member])
    challenges[place] = challenge
    responses[place] = answer(nonce, challenge, secret)
    return RingSignature(challenges[0], responses)


def verify_ring(
    signature: RingSignature, ring: Sequence[bytes], base: bytes, tag: bytes, message: bytes
) -> bool:
    """Whether the owner of one key of `ring`, whose tag for `base` is `tag`, signed `message`.

    Takes three multiplications of points and one of the generator for each member.
    """
    if not _is_ring(ring) or len(signature.responses) != len(ring):
        return False
    if not all(is_canonical(point) for point in (*ring, base, tag)):
        return False
    if not all(is_scalar(number) for number in (signature.challenge, *signature.responses)):
        return False
    statement = _state(ring, base, tag, message)
    challenge = signature.challenge
    try:
        for key, response in zip(ring, signature.responses, strict=True):
            challenge = _pass_on(statement, key, challenge, response)
    except CryptoError:
        return False
    return challenge == signature.challenge


def _is_ring(ring: Sequence[bytes]) -> bool:
    return 1 <= len(ring) <= RING_SIZE_MAX and len(set(ring)) == len(ring)


def _state(ring: Sequence[bytes], base: bytes, tag: bytes, message: bytes) -> _Statement:
    digest = hash_parts(_STATEMENT, bytes((len(ring),)), *ring, base, tag, message)
    return _Statement(digest, base, tag)


def _pass_on(statement: _Statement, key: bytes, challenge: bytes, response: bytes) -> bytes:
    """The challenge of the member after the one with `key`."""
    return _challenge(
        statement,
        commitment(response, challenge, key),
        commitment(response, challenge, statement.tag, statement.base),
    )


def _challenge(statement: _Statement, of_key: bytes, of_tag: bytes) -> bytes:
    return hash_to_scalar(_CHALLENGE, statement.digest, of_key, of_tag)


def _ensure_secret(secret: bytes) -> None:
    if not is_scalar(secret):
        raise ValueError("a ring secret is a scalar: 32 bytes, not zero, below the group's order")
