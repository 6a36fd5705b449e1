"""Addresses and signatures that come in several kinds.

The chain takes account ids as addresses and ed25519 or sr25519 signatures; the other cases exist so
that clients' types decode, and are refused where they are used.

Source: Substrate `sp_runtime::{MultiAddress, MultiSignature}`.
"""

from __future__ import annotations

from typing import Annotated

from runtime.primitives.scale import Compact, ScaleEnum, codec_of
from runtime.primitives.types import AccountId, Bytes20, Bytes32, Bytes64, Bytes65


class MultiAddress(ScaleEnum, path="sp_runtime::multiaddress::MultiAddress"):
    """Who is meant; only `Id` can be looked up."""


class Id(MultiAddress, index=0, flat=True):
    """An account id."""

    account: AccountId


class Index(MultiAddress, index=1, flat=True):
    """An account index; the chain has none."""

    index: Annotated[None, Compact(0)]


class Raw(MultiAddress, index=2, flat=True):
    """Arbitrary bytes; not used."""

    data: bytes


class Address32(MultiAddress, index=3, flat=True):
    """32 bytes that are no account id; not used."""

    data: Bytes32


class Address20(MultiAddress, index=4, flat=True):
    """20 bytes; not used."""

    data: Bytes20


class MultiSignature(ScaleEnum, path="sp_runtime::MultiSignature"):
    """A signature and its scheme."""


class Ed25519(MultiSignature, index=0, flat=True):
    """RFC 8032, libsodium's strict rules."""

    signature: Bytes64


class Sr25519(MultiSignature, index=1, flat=True):
    """schnorrkel, context `substrate`."""

    signature: Bytes64


class Ecdsa(MultiSignature, index=2, flat=True):
    """secp256k1; refused by the chain."""

    signature: Bytes65


MULTI_ADDRESS = codec_of(MultiAddress)
MULTI_SIGNATURE = codec_of(MultiSignature)
