"""Votes on finality: the three kinds, and the bytes that a voter signs.

Invariant: `signing_payload` is the SCALE tuple (message, round, set id), so a vote of any Substrate
chain verifies here.
Source: Substrate `sp_consensus_grandpa`, `finality_grandpa::Message`; WP II.A.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from runtime.primitives.babe_digest import GRANDPA_ENGINE, Authority
from runtime.primitives.header import Consensus, Header
from runtime.primitives.scale import ScaleEnum, codec_of, scale_type
from runtime.primitives.signatures import ed25519_verify
from runtime.primitives.types import U32, Bytes32, Bytes64, Hash

AuthorityId = Bytes32
"""An ed25519 public key, 32 bytes."""


class BlockRef(NamedTuple):
    """A block by hash and height."""

    hash: Hash
    number: int

    def __str__(self) -> str:
        return f"#{self.number} (0x{self.hash[:4].hex()}..)"


class Message(ScaleEnum, path="finality_grandpa::Message"):
    """A vote of one of three kinds for a block."""

    target_hash: Hash
    target_number: U32

    @property
    def target(self) -> BlockRef:
        """The block voted for."""
        return BlockRef(self.target_hash, self.target_number)


class Prevote(Message, index=0):
    """What the voter believes is the best chain."""

    target_hash: Hash
    target_number: U32


class Precommit(Message, index=1):
    """What the voter saw a supermajority of prevotes for."""

    target_hash: Hash
    target_number: U32


class PrimaryPropose(Message, index=2):
    """The primary's hint: the last round's estimate."""

    target_hash: Hash
    target_number: U32


@scale_type(path="finality_grandpa::SignedMessage")
class SignedMessage:
    """A message with its voter's signature."""

    message: Message
    signature: Bytes64
    id: AuthorityId


class ConsensusLog(ScaleEnum, path="sp_consensus_grandpa::ConsensusLog"):
    """What a block's digest tells finality."""


class ScheduledChange(ConsensusLog, index=1):
    """When the block is final, and `delay` blocks later, these authorities finalize."""

    next_authorities: list[Authority]
    delay: U32


class ForcedChange(ConsensusLog, index=2):
    """`delay` blocks later these authorities finalize, though the ones before them cannot.

    `median_last_finalized` is the height up to which the old ones have finalized.
    """

    median_last_finalized: U32
    next_authorities: list[Authority]
    delay: U32


MESSAGE: Final = codec_of(Message)
CONSENSUS_LOG: Final = codec_of(ConsensusLog)


def find_set_change(header: Header) -> ScheduledChange | ForcedChange | None:
    """The authorities that a header names for finality. Raises DecodeError."""
    for log in header.digest.logs:
        if isinstance(log, Consensus) and log.engine == GRANDPA_ENGINE:
            change = CONSENSUS_LOG.decode_all(log.data)
            return change if isinstance(change, ScheduledChange | ForcedChange) else None
    return None


def signing_payload(message: Message, round_number: int, set_id: int) -> bytes:
    """The 53 bytes that a vote signs: kind, hash, number, round, set id."""
    round_and_set = round_number.to_bytes(8, "little") + set_id.to_bytes(8, "little")
    return MESSAGE.encode(message) + round_and_set


def is_signed(signed: SignedMessage, round_number: int, set_id: int) -> bool:
    """Whether the signature is the claimed authority's for this round and set."""
    payload = signing_payload(signed.message, round_number, set_id)
    return ed25519_verify(signed.signature, payload, signed.id)
