"""The seal: an author's signature over the header it made.

Owns what is signed: the blake2b-256 hash of the header without its seal, as Substrate does it, so
that a hardware signer needs 32 bytes. Invariant: a sealed header has one seal, its last item.
Source: Substrate BABE seals; WP II.A.
"""

from collections.abc import Callable
from dataclasses import replace

from runtime.primitives.babe_digest import ENGINE, find_seal
from runtime.primitives.header import Digest, Header, Seal
from runtime.primitives.signatures import ed25519_verify
from runtime.primitives.types import Hash


class BadSeal(ValueError):
    """The header is not sealed by the authority that claims its slot."""


def seal_payload(header: Header) -> Hash:
    """The 32 bytes that the author of `header` signs."""
    return header.without_seal().hash()


def seal_header(header: Header, sign: Callable[[bytes], bytes]) -> Header:
    """The header with its seal; `sign` gives a 64-byte ed25519 signature."""
    seal = Seal(ENGINE, sign(seal_payload(header)))
    return replace(header, digest=Digest([*header.without_seal().digest.logs, seal]))


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
