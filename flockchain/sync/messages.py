"""What peers ask one another about the chain: status, blocks, finality.

Envelopes are msgpack with limits; headers, bodies and proofs travel inside as the SCALE bytes that
they are on chain.

Source: Substrate's `sync/2` and block-announces protocols.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flockchain.chain.blocks import EXTRINSICS_MAX
from p2p.envelope import Fields, decode, encode
from p2p.interface import PeerError
from runtime.primitives.header import Header, decode_header
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import Hash

PROTOCOL_VERSION: Final = 2
BLOCKS_PER_REQUEST_MAX: Final = 64
RESPONSE_BYTES_MAX: Final = 960 * 1024  # room for the envelope below a response's limit
ANNOUNCED_BODY_BYTES_MAX: Final = 480 * 1024
BLOCK_BYTES_MAX: Final = 1024 * 1024
EXTRINSICS_PER_MESSAGE_MAX: Final = 1_024


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """The handshake: which chain, how far, what for."""

    genesis: Hash
    version: int
    roles: str  # full or authority
    best_number: int
    best_hash: Hash
    finalized_number: int

    def encode(self) -> bytes:
        """The envelope's bytes."""
        return encode(
            {
                "genesis": self.genesis,
                "version": self.version,
                "roles": self.roles,
                "best_number": self.best_number,
                "best_hash": self.best_hash,
                "finalized_number": self.finalized_number,
            }
        )


def decode_status(data: bytes) -> PeerStatus:
    """Raises PeerError."""
    fields = Fields(decode(data))
    status = PeerStatus(
        Hash(fields.take_bytes("genesis", 32, 32)),
        fields.take_int("version", 0, 2**32 - 1),
        fields.take_text("roles", 16),
        fields.take_int("best_number", 0, 2**32 - 1),
        Hash(fields.take_bytes("best_hash", 32, 32)),
        fields.take_int("finalized_number", 0, 2**32 - 1),
    )
    fields.ensure_empty()
    return status


@dataclass(frozen=True, slots=True)
class BlockData:
    """A block as it travels. `body` is None where only the header was sent."""

    header: Header
    body: list[bytes] | None
    justification: bytes | None = None


def encode_announcement(header: Header, body: list[bytes]) -> bytes:
    """A new block; a large body stays behind and is asked for."""
    is_small = sum(map(len, body)) <= ANNOUNCED_BODY_BYTES_MAX
    return encode({"header": header.encode(), "body": list(body) if is_small else None})


def encode_header_announcement(header: Header) -> bytes:
    """A block that is known or may be asked for."""
    return encode({"header": header.encode(), "body": None})


def decode_announcement(data: bytes) -> BlockData:
    """Raises PeerError, also for any but the canonical bytes: each form would be forwarded anew."""
    fields = Fields(decode(data, canonical=True))
    block = _take_block(fields)
    fields.ensure_empty()
    return block


def encode_extrinsics(extrinsics: list[bytes]) -> bytes:
    """A batch on the `transactions` topic."""
    return encode({"extrinsics": list(extrinsics)})


def decode_extrinsics(data: bytes) -> list[bytes]:
    """Raises PeerError, also for any but the canonical bytes."""
    fields = Fields(decode(data, canonical=True))
    extrinsics = fields.take_bytes_list("extrinsics", EXTRINSICS_PER_MESSAGE_MAX, BLOCK_BYTES_MAX)
    fields.ensure_empty()
    return extrinsics


def blocks_request(start: int, count: int) -> bytes:
    """Ask for blocks of the peer's best chain, upwards from a number."""
    return encode({"kind": "blocks", "start": start, "count": count})


def ancestry_request(head: Hash, above: int) -> bytes:
    """Ask for the blocks of a branch, of whatever chain it is."""
    return encode({"kind": "ancestry", "head": head, "above": above})


def history_request(head: Hash, count: int) -> bytes:
    """Ask for a final block and those before it, backwards."""
    return encode({"kind": "history", "head": head, "count": count})


def catch_up_request(request: bytes) -> bytes:
    """Ask for finality's last completed round."""
    return encode({"kind": "catch-up", "request": request})


def catch_up_response(data: bytes) -> bytes:
    """The SCALE bytes of a catch-up. Raises PeerError."""
    fields = Fields(decode(data))
    answer = fields.take_bytes("response", 1024 * 1024)
    fields.ensure_empty()
    return answer


def encode_catch_up_response(response: bytes) -> bytes:
    """The answer to `catch_up_request`."""
    return encode({"response": response})


@dataclass(frozen=True, slots=True)
class BlocksRequest:
    """Blocks from `start` upwards, at most `count`."""

    start: int
    count: int


@dataclass(frozen=True, slots=True)
class AncestryRequest:
    """The branch that ends in `head`, upwards from the first block above the height `above`."""

    head: Hash
    above: int


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """`head` and the blocks before it, downwards, at most `count`."""

    head: Hash
    count: int


@dataclass(frozen=True, slots=True)
class CatchUpAsked:
    """A question to finality."""

    request: bytes


SyncRequest = BlocksRequest | AncestryRequest | HistoryRequest | CatchUpAsked


def decode_request(data: bytes) -> SyncRequest:
    """Raises PeerError."""
    fields = Fields(decode(data))
    kind = fields.take_text("kind", 16)
    request: SyncRequest
    if kind == "blocks":
        start = fields.take_int("start", 0, 2**32 - 1)
        request = BlocksRequest(start, fields.take_int("count", 1, BLOCKS_PER_REQUEST_MAX))
    elif kind == "ancestry":
        head = Hash(fields.take_bytes("head", 32, 32))
        request = AncestryRequest(head, fields.take_int("above", 0, 2**32 - 1))
    elif kind == "history":
        head = Hash(fields.take_bytes("head", 32, 32))
        request = HistoryRequest(head, fields.take_int("count", 1, BLOCKS_PER_REQUEST_MAX))
    elif kind == "catch-up":
        request = CatchUpAsked(fields.take_bytes("request", 64))
    else:
        raise PeerError(f"unknown request {kind!r}")
    fields.ensure_empty()
    return request


def encode_blocks(blocks: list[BlockData]) -> bytes:
    """The answer to `blocks_request`."""
    return encode(
        {
            "blocks": [
                {
                    "header": block.header.encode(),
                    "body": None if block.body is None else list(block.body),
                    "justification": block.justification,
                }
                for block in blocks
            ]
        }
    )


def decode_blocks(data: bytes) -> list[BlockData]:
    """Raises PeerError."""
    fields = Fields(decode(data))
    listed = fields.take_list("blocks", BLOCKS_PER_REQUEST_MAX)
    fields.ensure_empty()
    blocks = []
    for item in listed:
        inner = Fields(item)
        block = _take_block(inner)
        proof = None
        if not inner.take_null("justification"):
            proof = inner.take_bytes("justification", BLOCK_BYTES_MAX)
        inner.ensure_empty()
        blocks.append(BlockData(block.header, block.body, proof))
    return blocks


def _take_block(fields: Fields) -> BlockData:
    raw = fields.take_bytes("header", 64 * 1024)
    body = None
    if not fields.take_null("body"):
        body = fields.take_bytes_list("body", EXTRINSICS_MAX, BLOCK_BYTES_MAX)
    try:
        header = decode_header(raw)
    except DecodeError as error:
        raise PeerError(f"a header that does not decode: {error}") from error
    return BlockData(header, body)
