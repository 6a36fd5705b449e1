"""The seal: an author's signature over the header it made.

Owns what is signed: the blake2b-256 hash of the header without its seal, as Substrate does it, so
that a hardware signer needs 32 bytes. Invariant: a sealed header has one seal, its last item.
Source: Substrate BABE seals; WP II.A.
"""

from __future__ import annotations

from runtime.primitives.babe_digest import find_seal
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Header, Seal
from runtime.primitives.signatures import ed25519_verify
from runtime.primitives.types import Hash


class BadSeal(ValueError):
    """The header is not sealed by the authority that claims its slot."""


def seal_payload(header: Header) -> Hash:
    """The 32 bytes that the author of `header` signs: its identity without the seal."""
    return blake2b_256(header.encode_unsealed())


def check_seal(header: Header, key: bytes) -> None:
    """Check that the holder of the 32-byte `key` sealed the header. Raises: BadSeal."""
    signature = find_seal(header)
    if signature is None:
        raise BadSeal(f"header {header.number} ends without a seal")
    seals = sum(isinstance(log, Seal) for log in header.digest.logs)
    if seals != 1:
        raise BadSeal(f"header {header.number} has {seals} seals")
    if not ed25519_verify(signature, seal_payload(header), key):
        raise BadSeal(f"seal of header {header.number} is not of 0x{key.hex()}")
