"""Extrinsics: the bytes that users sign and authors include, version 4.

The bytes with their length prefix are kept as they came; what was signed is cut out of them, never
encoded anew.

Source: Substrate `UncheckedExtrinsic` v4 and its signed extensions.
"""

from __future__ import annotations

import enum
from typing import Final

from runtime.frame.call import RuntimeCall, decode_call
from runtime.primitives.era import Era
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Ecdsa, Id, MultiAddress, MultiSignature
from runtime.primitives.record import record
from runtime.primitives.scale import DecodeError, codec_of, scale_enum, scale_type
from runtime.primitives.scale.compact import compact_bytes, decode_compact
from runtime.primitives.types import U32, Bytes32, CompactBalance, CompactU32, Hash

SIGNED_V4: Final = 0x84
BARE_V4: Final = 0x04
_COMMON_BYTES: Final = 33 + 65  # an account id and an ed25519 or sr25519 signature
HASHED_ABOVE_BYTES: Final = 256  # longer payloads are signed by their blake2b-256


@scale_enum("frame_metadata_hash_extension::Mode")
class MetadataHashMode(enum.Enum):
    """Whether the signer commits to the metadata's digest; the chain takes only DISABLED."""

    DISABLED = 0
    ENABLED = 1


@scale_type
class Extra:
    """The signed extensions' explicit data, in order."""

    era: Era
    nonce: CompactU32
    tip: CompactBalance
    mode: MetadataHashMode


@scale_type
class Additional:
    """The signed extensions' implied data, in order: signed, never sent."""

    spec_version: U32
    transaction_version: U32
    genesis_hash: Hash
    birth_hash: Hash
    metadata_hash: Bytes32 | None


@scale_type
class Preamble:
    """What stands before the call of a signed extrinsic."""

    address: MultiAddress
    signature: MultiSignature
    extra: Extra


_PREAMBLE: Final = codec_of(Preamble)
_EXTRA: Final = codec_of(Extra)
_ADDITIONAL: Final = codec_of(Additional)
_ADDRESS: Final = codec_of(MultiAddress)
_SIGNATURE: Final = codec_of(MultiSignature)


@record
class Extrinsic:
    """A decoded extrinsic. `preamble` is None for bare ones (inherents, feeless calls)."""

    preamble: Preamble | None
    call: RuntimeCall
    signed_part: bytes  # call ‖ extra, as sent; empty for bare ones
    length: int  # bytes on the wire, length prefix included


def decode_extrinsic(data: bytes) -> Extrinsic:
    """Decode bytes with their length prefix. Raises DecodeError."""
    length, start = decode_compact(data, 0)
    if length != len(data) - start:
        raise DecodeError(f"extrinsic of {len(data) - start} bytes says {length}")
    if length == 0:
        raise DecodeError("empty extrinsic")
    version = data[start]
    if version == BARE_V4:
        call, end = decode_call(data, start + 1)
        _ensure_end(data, end)
        return Extrinsic(None, call, b"", len(data))
    if version != SIGNED_V4:
        raise DecodeError(f"extrinsic version {version:#04x}, the chain takes 0x04 and 0x84")
    preamble, call_start = _PREAMBLE.decode(data, start + 1)
    call, end = decode_call(data, call_start)
    if end != len(data):
        _ensure_end(data, end)
    is_common = type(preamble.address) is Id and type(preamble.signature) is not Ecdsa
    extra_start = start + 1 + (_COMMON_BYTES if is_common else _signer_length(preamble))
    signed_part = data[call_start:] + data[extra_start:call_start]
    return Extrinsic(preamble, call, signed_part, len(data))


def _signer_length(preamble: Preamble) -> int:
    """Bytes of address and signature."""
    address = _ADDRESS.encode(preamble.address)
    return len(address) + len(_SIGNATURE.encode(preamble.signature))


def _ensure_end(data: bytes, end: int) -> None:
    if end != len(data):
        raise DecodeError(f"{len(data) - end} bytes left over behind the call")


def payload(signed_part: bytes, additional: Additional) -> bytes:
    """What is signed: call ‖ extra ‖ additional, hashed when long."""
    return payload_of(signed_part, _ADDITIONAL.encode(additional))


def payload_of(signed_part: bytes, additional: bytes) -> bytes:
    """As `payload`, with `Additional` encoded already: extrinsics of a block share it."""
    whole = signed_part + additional
    return whole if len(whole) <= HASHED_ABOVE_BYTES else blake2b_256(whole)


def encode_additional(additional: Additional) -> bytes:
    """What `payload_of` takes."""
    return _ADDITIONAL.encode(additional)


def signing_payload(call: bytes, extra: Extra, additional: Additional) -> bytes:
    """The payload of a call that is about to be signed."""
    return payload(call + _EXTRA.encode(extra), additional)


def assemble(call: bytes, preamble: Preamble | None) -> bytes:
    """An extrinsic's bytes, length prefix included."""
    head = bytes((BARE_V4,)) if preamble is None else b"\x84" + _PREAMBLE.encode(preamble)
    return compact_bytes(len(head) + len(call)) + head + call


def extrinsic_hash(data: bytes) -> Hash:
    """blake2b-256 of the bytes with their length prefix."""
    return blake2b_256(data)
