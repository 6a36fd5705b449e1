"""Signature verification as consensus sees it: ed25519 and sr25519, a verdict and never an error.

Owns the acceptance rules, which differ between libraries and must therefore have one home.
ed25519 is libsodium's rule: no small-order A or R, no non-canonical A or R, S < L, and the
equation without the cofactor. sr25519 is schnorrkel with the context "substrate" and the marker
bit set. Substrate's third scheme, ecdsa, is not part of this chain: a `MultiSignature` of that
variant decodes and is refused where it is used; no verifier for it exists.
Invariant: bytes of any length give True or False; nothing is raised.
Source: RFC 8032; libsodium `crypto_sign_open`; Substrate `sp_core::sr25519`.
"""

from __future__ import annotations

from typing import Final

import sr25519
from nacl.bindings import crypto_sign_open
from nacl.exceptions import CryptoError

SIGNATURE_BYTES: Final = 64
PUBLIC_KEY_BYTES: Final = 32


def ed25519_verify(signature: bytes, message: bytes, public: bytes) -> bool:
    """Whether `signature` over `message` is valid for the 32-byte key `public`."""
    # libsodium reads 32 bytes of key whatever it is given, so the lengths are checked here.
    if len(signature) != SIGNATURE_BYTES or len(public) != PUBLIC_KEY_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, public)
    except CryptoError:
        return False
    return True


def sr25519_verify(signature: bytes, message: bytes, public: bytes) -> bool:
    """Whether `signature` over `message` is valid for the 32-byte ristretto key `public`."""
    if len(signature) != SIGNATURE_BYTES or len(public) != PUBLIC_KEY_BYTES:
        return False
    try:
        return bool(sr25519.verify(signature, message, public))
    except ValueError:
        # The binding raises for points, scalars and marker bits that do not decode.
        return False
