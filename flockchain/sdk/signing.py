"""Signed extrinsics: a call, an account's nonce and an era become the bytes that are submitted.

Source: Substrate `UncheckedExtrinsic` v4 and its signed extensions; `sp_runtime::generic::Era`.
"""

from __future__ import annotations

from dataclasses import dataclass

from flockchain.keys import KeyPair
from runtime.frame.extrinsic import (
    Additional,
    Extra,
    MetadataHashMode,
    Preamble,
    assemble,
    signing_payload,
)
from runtime.primitives.era import Era
from runtime.primitives.multi import Ed25519, Id, Sr25519
from runtime.primitives.types import Hash
from runtime.version import SPEC_VERSION, TRANSACTION_VERSION


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a signature is good for: an era and the hash of its birth block."""

    era: Era
    birth_hash: Hash


def sign_call(
    call: bytes, key: KeyPair, *, nonce: int, tip: int, validity: Validity, genesis: Hash
) -> bytes:
    """The signed extrinsic, its length prefix included. `tip` in planck. Raises EncodeError."""
    extra = Extra(validity.era, nonce, tip, MetadataHashMode.DISABLED)
    additional = Additional(SPEC_VERSION, TRANSACTION_VERSION, genesis, validity.birth_hash, None)
    signature = key.sign(signing_payload(call, extra, additional))
    signed = Ed25519(signature) if key.scheme == "ed25519" else Sr25519(signature)
    return assemble(call, Preamble(Id(key.account), signed, extra))
