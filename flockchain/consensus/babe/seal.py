"""Sealing: what an author adds to the header it made.

Invariant: a sealed header has one seal, its last item, which `check_seal` takes.
Source: Substrate BABE seals; WP II.A.
"""

from collections.abc import Callable
from dataclasses import replace

from runtime.primitives.babe_digest import ENGINE
from runtime.primitives.header import Digest, Header, Seal
from runtime.primitives.slot_seal import BadSeal, check_seal, seal_payload


def seal_header(header: Header, sign: Callable[[bytes], bytes]) -> Header:
    """The header with its seal; `sign` gives a 64-byte ed25519 signature."""
    seal = Seal(ENGINE, sign(seal_payload(header)))
    return replace(header, digest=Digest([*header.without_seal().digest.logs, seal]))


__all__ = ["BadSeal", "check_seal", "seal_header", "seal_payload"]
