"""The prime-order group of edwards25519 and its scalars, as libsodium computes them.

Owns what proofs about points have in common: names for libsodium's operations, the canonical form
of points and scalars, and hashing to either. A point is its 32-byte encoding, a scalar 32 bytes,
little endian.
`point_mul` refuses, with CryptoError, a point that is not canonical, of small order or outside the
prime-order subgroup, a zero scalar, and a product that is the identity; so a verifier that
multiplies every point it was handed has validated it. `point_add` and `point_sub` refuse only what
is not on the curve. Multiplication ignores a scalar's top bit: check scalars first. Older versions
of libsodium took points with a part of order two for points of the subgroup (CVE-2025-69277), by
which a tag would have had two forms: requirements and tests hold the installed one to the rule.
Source: RFC 8032; RFC 9380 (Elligator 2); libsodium `crypto_core_ed25519`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from nacl import bindings as sodium
from nacl._sodium import ffi, lib
from nacl.exceptions import CryptoError

from runtime.primitives.hashing import blake2b_512

POINT_BYTES: Final = 32
SCALAR_BYTES: Final = 32
FIELD_PRIME: Final = 2**255 - 19
GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
IDENTITY: Final = b"\x01" + bytes(31)

scalar_add: Final = sodium.crypto_core_ed25519_scalar_add
scalar_sub: Final = sodium.crypto_core_ed25519_scalar_sub
scalar_mul: Final = sodium.crypto_core_ed25519_scalar_mul
scalar_reduce: Final = sodium.crypto_core_ed25519_scalar_reduce

_TO_POINT: Final = b"flock/hash to point"
# libsodium is called itself where a block's lottery proof needs it ten times: PyNaCl's functions
# take a third as long again as an addition of points.
_ADD: Final = lib.crypto_core_ed25519_add
_SUB: Final = lib.crypto_core_ed25519_sub
_MUL: Final = lib.crypto_scalarmult_ed25519_noclamp
_BASE_MUL: Final = lib.crypto_scalarmult_ed25519_base_noclamp
_OUT: Final = ffi.typeof("unsigned char[32]")
_DOUBLINGS: Final = 3  # the cofactor is 8


def point_add(left: bytes, right: bytes) -> bytes:
    """The sum. Raises: CryptoError if one of them is not on the curve."""
    return _combine(_ADD, left, right)


def point_sub(left: bytes, right: bytes) -> bytes:
    """The difference. Raises: CryptoError if one of them is not on the curve."""
    return _combine(_SUB, left, right)


def point_mul(scalar: bytes, point: bytes) -> bytes:
    """The product. Raises: CryptoError, for what the module's text says."""
    return _combine(_MUL, scalar, point)


def base_mul(scalar: bytes) -> bytes:
    """The product with the generator. Raises: CryptoError for a scalar of zero."""
    _ensure_sizes(scalar)
    out = ffi.new(_OUT)
    if _BASE_MUL(out, scalar):
        raise CryptoError("libsodium refuses the scalar")
    return ffi.buffer(out)[:]  # type: ignore[no-any-return]


def clear_cofactor(point: bytes) -> bytes:
    """Eight times a point, which lies in the prime-order subgroup wherever the point lies.

    Raises: CryptoError if it is not on the curve.
    """
    _ensure_sizes(point)
    out, current = ffi.new(_OUT), point
    for _ in range(_DOUBLINGS):  # additions are all that libsodium does outside the subgroup
        if _ADD(out, current, current):
            raise CryptoError("not on the curve")
        current = out
    return ffi.buffer(out)[:]  # type: ignore[no-any-return]


def _combine(operation: Callable[[Any, bytes, bytes], int], left: bytes, right: bytes) -> bytes:
    """The point that an operation of libsodium gives for two values of 32 bytes."""
    _ensure_sizes(left, right)
    out = ffi.new(_OUT)
    if operation(out, left, right):
        raise CryptoError("libsodium refuses the point, the scalar or the product")
    return ffi.buffer(out)[:]  # type: ignore[no-any-return]


def _ensure_sizes(*values: bytes) -> None:
    """libsodium reads 32 bytes whatever it is given."""
    for value in values:
        if len(value) != POINT_BYTES:
            raise CryptoError(f"{len(value)} bytes where points and scalars have {POINT_BYTES}")


def is_canonical(point: bytes) -> bool:
    """Whether it is 32 bytes with y below the field's prime; not whether it is on the curve."""
    y = int.from_bytes(point, "little") & (2**255 - 1)
    return len(point) == POINT_BYTES and y < FIELD_PRIME


def is_scalar(number: bytes) -> bool:
    """Whether it is 32 bytes, not zero and below the group's order."""
    return len(number) == SCALAR_BYTES and 0 < int.from_bytes(number, "little") < GROUP_ORDER


def hash_parts(domain: bytes, *parts: bytes) -> bytes:
    """64 bytes of BLAKE2b over `domain` and `parts`, each preceded by its length.

    No two lists of parts, and no two domains, are hashed as the same bytes.
    """
    framed = (len(part).to_bytes(8, "little") + part for part in (domain, *parts))
    return blake2b_512(b"".join(framed))


def hash_to_scalar(domain: bytes, *parts: bytes) -> bytes:
    """A scalar without noticeable bias; zero with a chance of 2^-252."""
    return scalar_reduce(hash_parts(domain, *parts))


def hash_to_point(data: bytes) -> bytes:
    """A point of the subgroup whose discrete logarithm nobody knows.

    The sum of two Elligator images is indifferentiable from a random point; one alone reaches only
    about half of the curve.
    """
    digest = hash_parts(_TO_POINT, data)
    return point_add(
        sodium.crypto_core_ed25519_from_uniform(digest[:32]),
        sodium.crypto_core_ed25519_from_uniform(digest[32:]),
    )


def answer(nonce: bytes, challenge: bytes, secret: bytes) -> bytes:
    """The response of a Schnorr proof: nonce - challenge * secret."""
    return scalar_sub(nonce, scalar_mul(challenge, secret))


def commitment(response: bytes, challenge: bytes, image: bytes, base: bytes | None = None) -> bytes:
    """The commitment that `response` answers: response * base + challenge * image.

    Without `base`, the generator. Raises: CryptoError as `point_mul` does.
    """
    left = base_mul(response) if base is None else point_mul(response, base)
    return point_add(left, point_mul(challenge, image))
