"""What slot authoring puts into headers: the claim of a slot, the next epoch, the seal.

Engine `FVRF` is slot authoring with RFC 9381 VRFs; `FINS` marks blocks that a development node
sealed at once, without a slot.

Source: Substrate BABE's digests; WP VI.B (VRF); RFC 9381.
"""

from __future__ import annotations

import enum
from functools import lru_cache
from typing import Final

from runtime.primitives.header import Consensus, Header, PreRuntime, Seal
from runtime.primitives.scale import DecodeError, codec_of, scale_enum, scale_type
from runtime.primitives.types import U32, U64, Bytes32, Bytes64, Bytes80, Hash

ENGINE: Final = b"FVRF"
INSTANT_ENGINE: Final = b"FINS"
GRANDPA_ENGINE: Final = b"FRNK"
_CLAIMS_MAX: Final = 1_024


@scale_enum("flockchain_consensus::SlotKind")
class SlotKind(enum.Enum):
    """Primary slots are won by lottery; a secondary slot has exactly one fallback author."""

    PRIMARY = 1
    SECONDARY = 2


@scale_type(path="flockchain_consensus::SlotClaim")
class SlotClaim:
    """An author's claim of a slot, in the header's PreRuntime item."""

    kind: SlotKind
    authority_index: U32
    slot: U64
    vrf_output: Bytes64
    vrf_proof: Bytes80


@scale_type(path="flockchain_consensus::Authority")
class Authority:
    """An ed25519 key that may author or finalize; `weight` is stake / 10^9 planck."""

    key: Bytes32
    weight: U64


@scale_type(path="flockchain_consensus::NextEpoch")
class NextEpoch:
    """What the next epoch runs on, announced in the first block of the current one."""

    authorities: list[Authority]
    randomness: Hash


SLOT_CLAIM: Final = codec_of(SlotClaim)
NEXT_EPOCH: Final = codec_of(NextEpoch)


def find_claim(header: Header) -> SlotClaim | None:
    """The slot claim of a header. Raises DecodeError if there are two, or none that decodes."""
    claim, count = b"", 0
    for log in header.digest.logs:
        if isinstance(log, PreRuntime) and log.engine == ENGINE:
            claim, count = log.data, count + 1
    if count > 1:
        raise DecodeError(f"{count} slot claims in block {header.number}")
    return decode_claim(claim) if count else None


@lru_cache(maxsize=_CLAIMS_MAX)
def decode_claim(data: bytes) -> SlotClaim:
    """A claim's digest data: asked for by a block's check, its execution, fork choice and the
    check of its child. Raises DecodeError.
    """
    return SLOT_CLAIM.decode_all(data)


def find_next_epoch(header: Header) -> NextEpoch | None:
    """The announcement of the next epoch, if the header carries one. Raises DecodeError."""
    for log in header.digest.logs:
        if isinstance(log, Consensus) and log.engine == ENGINE:
            return NEXT_EPOCH.decode_all(log.data)
    return None


def find_seal(header: Header) -> bytes | None:
    """The author's signature."""
    last = header.digest.logs[-1] if header.digest.logs else None
    return last.data if isinstance(last, Seal) and last.engine == ENGINE else None


def claim_log(claim: SlotClaim) -> PreRuntime:
    """The digest item of a claim."""
    return PreRuntime(ENGINE, SLOT_CLAIM.encode(claim))


def instant_log(authority_index: int) -> PreRuntime:
    """The digest item of a block sealed at once by an authority."""
    return PreRuntime(INSTANT_ENGINE, authority_index.to_bytes(4, "little"))
