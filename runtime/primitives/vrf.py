"""ECVRF-EDWARDS25519-SHA512-TAI: prove, evaluate, verify, and the output of a proof.

Owns the acceptance rules of verifiable randomness. They are stricter than the RFC's in one point:
Gamma must lie in the prime-order subgroup, because libsodium multiplies no other points; the
effect is that every proof has one encoding only. Public keys are validated ("full uniqueness"),
Gamma and the hash candidates must be canonical, s < L, and any refusal of libsodium means an
invalid proof. A key pair is an ed25519 key pair of RFC 8032: the same seed, the same public key.
Try-and-increment takes a time that depends on alpha, which is public on this chain.
Invariant: for a key and an alpha at most one output verifies.
Source: RFC 9381 sections 5.1 to 5.5; WP VI.B; WP II.D.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from runtime.primitives.curve import (
    GROUP_ORDER,
    IDENTITY,
    base_mul,
    clear_cofactor,
    is_canonical,
    point_mul,
    point_sub,
    scalar_add,
    scalar_mul,
    scalar_reduce,
)

SEED_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 32
PROOF_BYTES: Final = 80
OUTPUT_BYTES: Final = 64

_SUITE: Final = b"\x03"
_CHALLENGE_BYTES: Final = 16
_VALIDATED_KEYS_MAX: Final = 4096
_EXPANDED_SEEDS_MAX: Final = 64


def public_key(seed: bytes) -> bytes:
    """The 32-byte public key of a 32-byte seed.

    Raises: ValueError if the seed is not 32 bytes long.
    """
    return _expand(seed)[1]


def secret_scalar(seed: bytes) -> bytes:
    """The scalar x with public key = x*G, reduced by the group's order.

    Raises: ValueError if the seed is not 32 bytes long.
    """
    return _expand(seed)[0]


def prove(seed: bytes, alpha: bytes) -> bytes:
    """The 80-byte proof of `alpha` under the key of a 32-byte seed; deterministic.

    Raises: ValueError if the seed is not 32 bytes long.
    """
    secret, public, nonce_prefix = _expand(seed)
    point = _encode_to_curve(public, alpha)
    gamma = point_mul(secret, point)
    nonce = scalar_reduce(_sha512(nonce_prefix, point))
    challenge = _challenge(public, point, gamma, base_mul(nonce), point_mul(nonce, point))
    product = scalar_mul(_widen(challenge), secret)
    return gamma + challenge + scalar_add(nonce, product)


def evaluate(seed: bytes, alpha: bytes) -> bytes:
    """The 64-byte output that `prove` would prove, for half of its cost.

    Raises: ValueError if the seed is not 32 bytes long.
    """
    secret, public, _ = _expand(seed)
    return _output(point_mul(secret, _encode_to_curve(public, alpha)))


def verify(public: bytes, proof: bytes, alpha: bytes) -> bytes | None:
    """The 64-byte output if `proof` is valid for `alpha` under `public`, else None."""
    parts = _split(proof)
    if parts is None or len(public) != PUBLIC_KEY_BYTES or not _is_valid_key(public):
        return None
    gamma, challenge, response = parts
    wide = _widen(challenge)
    try:
        point = _encode_to_curve(public, alpha)
        commitment = point_sub(base_mul(response), point_mul(wide, public))
        shadow = point_sub(point_mul(response, point), point_mul(wide, gamma))
        if _challenge(public, point, gamma, commitment, shadow) != challenge:
            return None
        return _output(gamma)
    except CryptoError:
        return None


def proof_to_output(proof: bytes) -> bytes | None:
    """The 64-byte output that `proof` claims, or None if it does not decode; verifies nothing."""
    parts = _split(proof)
    if parts is None or not sodium.crypto_core_ed25519_is_valid_point(parts[0]):
        return None
    return _output(parts[0])


def _split(proof: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Gamma, c and s, if the length is right, Gamma canonical and s < L."""
    if len(proof) != PROOF_BYTES:
        return None
    gamma, challenge, response = proof[:32], proof[32:48], proof[48:]
    if int.from_bytes(response, "little") >= GROUP_ORDER or not is_canonical(gamma):
        return None
    return gamma, challenge, response


@lru_cache(maxsize=_VALIDATED_KEYS_MAX)
def _is_valid_key(public: bytes) -> bool:
    """Authorities prove in every epoch, so the answer for a key (40 us) is kept."""
    return sodium.crypto_core_ed25519_is_valid_point(public)


def _encode_to_curve(salt: bytes, alpha: bytes) -> bytes:
    """The first hash of (salt, alpha, counter) that is a point, times the cofactor."""
    for counter in range(256):
        candidate = _sha512(_SUITE, b"\x01", salt, alpha, bytes((counter,)), b"\x00")[:32]
        if not is_canonical(candidate):
            continue
        try:
            point = clear_cofactor(candidate)
        except CryptoError:
            continue  # not on the curve: half of all candidates
        if point != IDENTITY:
            return point
    raise AssertionError("no curve point in 256 candidates, a chance of 2^-256")


def _challenge(*points: bytes) -> bytes:
    return _sha512(_SUITE, b"\x02", *points, b"\x00")[:_CHALLENGE_BYTES]


def _output(gamma: bytes) -> bytes:
    return _sha512(_SUITE, b"\x03", clear_cofactor(gamma), b"\x00")


@lru_cache(maxsize=_EXPANDED_SEEDS_MAX)
def _expand(seed: bytes) -> tuple[bytes, bytes, bytes]:
    """Secret scalar mod L, public key and nonce prefix of RFC 8032.

    Kept for the few keys that a process has: an authority evaluates in every slot.
    """
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a VRF seed has {SEED_BYTES} bytes, not {len(seed)}")
    digest = hashlib.sha512(seed).digest()
    clamped = bytes((digest[0] & 248, *digest[1:31], digest[31] & 127 | 64))
    secret = scalar_reduce(clamped + bytes(32))
    return secret, base_mul(secret), digest[32:]


def _widen(challenge: bytes) -> bytes:
    return challenge + bytes(16)


def _sha512(*parts: bytes) -> bytes:
    return hashlib.sha512(b"".join(parts)).digest()
