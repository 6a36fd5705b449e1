"""Keys that others seal to: X25519, as libsodium's sealed boxes use them.

Owns the rule which 32 bytes are a key: those with which a secret can be agreed at all. The points
of small order are none, since whatever is multiplied with them gives zero.
Invariant: bytes of any length give True or False; nothing is raised.
Source: RFC 7748, section 6.1; libsodium `crypto_box_seal`.
"""

from __future__ import annotations

from typing import Final

from nacl.bindings import crypto_scalarmult
from nacl.exceptions import CryptoError

SEALING_KEY_BYTES: Final = 32
_ANY_SECRET: Final = bytes(31) + b"\x40"


def is_sealing_key(key: bytes) -> bool:
    """Whether something can be sealed to this public key. Costs a scalar multiplication."""
    if len(key) != SEALING_KEY_BYTES:
        return False
    try:
        crypto_scalarmult(_ANY_SECRET, key)
    except CryptoError:  # the result was zero
        return False
    return True
