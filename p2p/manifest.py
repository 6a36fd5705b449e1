"""What a blob is: a size and the hash of each chunk, named by the hash of that list.

It owns the manifest's canonical bytes, the content id (sha2-256 of them) and its text form, a
CIDv1. Invariant: equal content has equal manifests, hence one id.
Source: WP IV.C (model storage); multiformats CIDv1, MessagePack
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NewType

from p2p.envelope import Fields, Limits, decode, encode
from p2p.interface import RESPONSE_SIZE_MAX, PeerError

BlobId = NewType("BlobId", bytes)
"""32 bytes: the sha2-256 of the canonical manifest."""

CHUNK_SIZE: Final = 1024 * 1024
HASH_SIZE: Final = 32
CHUNKS_MAX: Final = 30_000
"""A manifest must fit into one response; 30,000 chunks are 29 GiB."""
MANIFEST_LIMITS: Final = Limits(
    size_max=RESPONSE_SIZE_MAX, depth_max=2, length_max=CHUNKS_MAX, items_max=CHUNKS_MAX + 16
)
CID_PREFIX: Final = bytes([0x01, 0x81, 0x04, 0x12, HASH_SIZE])
"""Version 1, codec messagepack (0x0201), then sha2-256 and the digest's length."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The size of a blob in bytes and the sha2-256 of each of its chunks, in order."""

    size: int
    chunks: tuple[bytes, ...]

    def encode(self) -> bytes:
        """The canonical bytes."""
        return encode({"chunk_size": CHUNK_SIZE, "chunks": [*self.chunks], "size": self.size})

    def blob_id(self) -> BlobId:
        """The content id."""
        return BlobId(hashlib.sha256(self.encode()).digest())

    def chunk_size(self, index: int) -> int:
        """The size of chunk `index` in bytes."""
        return min(CHUNK_SIZE, self.size - index * CHUNK_SIZE)

    def is_chunk(self, index: int, data: bytes) -> bool:
        """Whether `data` is chunk `index`."""
        return (
            len(data) == self.chunk_size(index)
            and hashlib.sha256(data).digest() == self.chunks[index]
        )


def decode_manifest(blob: BlobId, data: bytes) -> Manifest:
    """The manifest of `blob`. Raises: PeerError: other bytes, or not a manifest."""
    if hashlib.sha256(data).digest() != blob:
        raise PeerError(f"these {len(data)} bytes are not the manifest of blob {blob.hex()}")
    fields = Fields(decode(data, MANIFEST_LIMITS, canonical=True))
    chunks = fields.take_bytes_list("chunks", CHUNKS_MAX, HASH_SIZE)
    fields.take_int("chunk_size", CHUNK_SIZE, CHUNK_SIZE)
    size = fields.take_int("size", 1, CHUNKS_MAX * CHUNK_SIZE)
    fields.ensure_empty()
    if len(chunks) != -(-size // CHUNK_SIZE) or any(len(chunk) != HASH_SIZE for chunk in chunks):
        raise PeerError(f"manifest of {size} bytes has {len(chunks)} chunks")
    return Manifest(size, tuple(chunks))


def manifest_of(pieces: Iterable[bytes]) -> Manifest:
    """The manifest of content given as chunks of `CHUNK_SIZE` bytes, the last one may be shorter.

    Raises: ValueError: no content, a piece of another size, or more than `CHUNKS_MAX`.
    """
    size = 0
    hashes: list[bytes] = []
    for piece in pieces:
        if size % CHUNK_SIZE or not 0 < len(piece) <= CHUNK_SIZE or len(hashes) == CHUNKS_MAX:
            raise ValueError(f"piece {len(hashes)} of {len(piece)} bytes does not fit a blob")
        size += len(piece)
        hashes.append(hashlib.sha256(piece).digest())
    if not hashes:
        raise ValueError("a blob has at least one byte")
    return Manifest(size, tuple(hashes))


def cid_text(blob: BlobId) -> str:
    """The content id as CIDv1 text: base32, lower case."""
    return "b" + base64.b32encode(CID_PREFIX + blob).decode("ascii").rstrip("=").lower()


def parse_cid(text: str) -> BlobId:
    """The content id of a CIDv1 text. Raises: ValueError: another kind or malformed."""
    try:
        raw = base64.b32decode(text[1:].upper() + "=" * (-(len(text) - 1) % 8))
    except ValueError as error:
        raise ValueError(f"{text!r} is no content id: {error}") from error
    blob = BlobId(raw[len(CID_PREFIX) :])
    if text[:1] != "b" or len(blob) != HASH_SIZE or cid_text(blob) != text:
        raise ValueError(f"{text!r} is no content id of a blob")
    return blob
