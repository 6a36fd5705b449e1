"""One proof that many tags belong to one ring key.

Owns the opening of tags: T[j] = x*H[j] for every j, with the x of the key X = x*G. A combination
of all tags with weights that depend on all of them equals x times the same combination of the
bases only if every tag does, but for a chance of 2^-128; so a single proof of equal logarithms
for the combination covers them all, and nobody can open some tags and keep others out. Weights,
challenge and nonce bind key, context, bases and tags in their order.
Invariant: verifying gives True or False for bytes of any length; nothing is raised.
Source: Chaum and Pedersen, "Wallet databases with observers" (1992); batching as in RFC 9497,
section 2.2; WP IV.B.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

from nacl.exceptions import CryptoError

from runtime.primitives.curve import (
    answer,
    base_mul,
    commitment,
    hash_parts,
    hash_to_scalar,
    is_canonical,
    is_scalar,
    point_add,
    point_mul,
)
from runtime.primitives.ring_signature import public_key
from runtime.primitives.scale import scale_type
from runtime.primitives.types import Bytes32

_STATEMENT: Final = b"flock/tags/statement"
_WEIGHT: Final = b"flock/tags/weight"
_NONCE: Final = b"flock/tags/nonce"
_CHALLENGE: Final = b"flock/tags/challenge"
_WEIGHT_BYTES: Final = 16


@scale_type(path="flockchain_primitives::TagProof")
class TagProof:
    """That tags have the secret of a ring key; two scalars."""

    challenge: Bytes32
    response: Bytes32


def prove_tags(
    secret: bytes, bases: Sequence[bytes], tags: Sequence[bytes], context: bytes, entropy: bytes
) -> TagProof:
    """A proof for all of `tags`, each the tag of `secret` and the base in its place.

    Raises: ValueError if the secret is no scalar, or there are no tags or not as many as bases;
    CryptoError if a base is no point of the group.
    """
    if not tags or len(bases) != len(tags):
        raise ValueError(f"{len(tags)} tags for {len(bases)} bases")
    digest = _digest(public_key(secret), bases, tags, context)
    base = _combine(digest, bases)
    nonce = hash_to_scalar(_NONCE, secret, entropy, digest)
    challenge = hash_to_scalar(_CHALLENGE, digest, base_mul(nonce), point_mul(nonce, base))
    return TagProof(challenge, answer(nonce, challenge, secret))


def verify_tags(
    key: bytes, bases: Sequence[bytes], tags: Sequence[bytes], context: bytes, proof: TagProof
) -> bool:
    """Whether every tag is that of the secret of `key` and of the base in its place.

    Takes two multiplications of points for each tag: callers bound how many there may be. The
    same base may stand in several places.
    """
    if not tags or len(bases) != len(tags):
        return False
    if not all(is_canonical(point) for point in (key, *bases, *tags)):
        return False
    if not (is_scalar(proof.challenge) and is_scalar(proof.response)):
        return False
    digest = _digest(key, bases, tags, context)
    try:
        of_key = commitment(proof.response, proof.challenge, key)
        base, tag = _combine(digest, bases), _combine(digest, tags)
        of_tags = commitment(proof.response, proof.challenge, tag, base)
    except CryptoError:
        return False
    return hash_to_scalar(_CHALLENGE, digest, of_key, of_tags) == proof.challenge


def _digest(key: bytes, bases: Sequence[bytes], tags: Sequence[bytes], context: bytes) -> bytes:
    return hash_parts(_STATEMENT, key, context, *bases, *tags)


def _combine(digest: bytes, points: Sequence[bytes]) -> bytes:
    return reduce(
        point_add,
        (point_mul(_weight(digest, place), point) for place, point in enumerate(points)),
    )


def _weight(digest: bytes, place: int) -> bytes:
    number = hash_parts(_WEIGHT, digest, place.to_bytes(4, "little"))[:_WEIGHT_BYTES]
    return number + bytes(_WEIGHT_BYTES)
