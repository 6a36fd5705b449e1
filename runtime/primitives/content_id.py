"""Content ids: the name of a blob is the hash of the manifest of its chunks.

Owns the chunk size, the canonical manifest encoding and the CIDv1 text of an id. Invariant: one
blob has exactly one manifest encoding and one id; every decoder accepts only what the encoder
writes. On chain an id is the bare 32-byte SHA2-256 digest of the manifest.
Source: CIDv1 (multiformats), codec messagepack 0x0201, sha2-256; MessagePack; WP V.C.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final, NewType, cast

import msgpack

ContentId = NewType("ContentId", bytes)
"""32 bytes: the SHA2-256 digest of a canonical manifest."""

CONTENT_ID_BYTES: Final = 32
CHUNK_BYTES: Final = 1 << 20
"""Every chunk but the last has this size, in bytes."""
BLOB_BYTES_MAX: Final = 30_000 * CHUNK_BYTES
"""The largest blob that a manifest may describe, 29 GiB: its manifest fits into 1 MiB, which is
what a peer answers at once."""
MANIFEST_BYTES_MAX: Final = 64 + 34 * (BLOB_BYTES_MAX // CHUNK_BYTES)
"""34 bytes a chunk hash (2 of them msgpack's), and the map around them."""

_CID_PREFIX: Final = bytes([0x01, 0x81, 0x04, 0x12, 0x20])
"""CIDv1; messagepack 0x0201 as a varint; the multihash header of sha2-256 and its length."""
_CID_TEXT: Final = re.compile(r"b[a-z2-7]{60}", re.ASCII)
_KEYS: Final = ("chunk_size", "chunks", "size")


class ContentIdError(ValueError):
    """A content id, its text or a manifest that is not in the one accepted form."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a content id commits to: the size of a blob and the SHA2-256 of each of its chunks.

    Raises `ContentIdError` if the count or the width of the hashes does not fit the size.
    """

    size: int
    chunks: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.size <= BLOB_BYTES_MAX:
            raise ContentIdError(f"blob of {self.size} bytes is outside 0..{BLOB_BYTES_MAX}")
        expected = -(-self.size // CHUNK_BYTES)
        if len(self.chunks) != expected:
            raise ContentIdError(
                f"{len(self.chunks)} chunk hashes for {self.size} bytes, expected {expected}"
            )
        for index, chunk in enumerate(self.chunks):
            if len(chunk) != CONTENT_ID_BYTES:
                raise ContentIdError(f"hash of chunk {index} has {len(chunk)} bytes, expected 32")

    @staticmethod
    def of(data: bytes) -> Manifest:
        """The manifest of a whole blob. Linear in its size: one SHA2-256 pass."""
        view = memoryview(data)
        hashes = (
            hashlib.sha256(view[start : start + CHUNK_BYTES]).digest()
            for start in range(0, len(data), CHUNK_BYTES)
        )
        return Manifest(size=len(data), chunks=tuple(hashes))

    def encode(self) -> bytes:
        """Canonical msgpack: a map of three keys in this order, shortest integers, bin hashes."""
        fields = {"chunk_size": CHUNK_BYTES, "chunks": list(self.chunks), "size": self.size}
        return cast(bytes, msgpack.packb(fields, use_bin_type=True))

    def content_id(self) -> ContentId:
        """The SHA2-256 digest of the encoding."""
        return ContentId(hashlib.sha256(self.encode()).digest())

    def chunk_size(self, index: int) -> int:
        """The size of one chunk in bytes. Raises `ContentIdError` if there is no such chunk."""
        if not 0 <= index < len(self.chunks):
            raise ContentIdError(f"chunk {index} of a blob of {len(self.chunks)} chunks")
        return min(CHUNK_BYTES, self.size - index * CHUNK_BYTES)

    def is_chunk(self, index: int, data: bytes) -> bool:
        """Whether these bytes are chunk `index`. Raises `ContentIdError` if there is none."""
        fits = len(data) == self.chunk_size(index)
        return fits and hashlib.sha256(data).digest() == self.chunks[index]


def decode_manifest(data: bytes, size_max_bytes: int = BLOB_BYTES_MAX) -> Manifest:
    """The manifest of these bytes, of a blob of at most `size_max_bytes`.

    Raises `ContentIdError` on anything that `Manifest.encode` would not write.
    """
    if len(data) > MANIFEST_BYTES_MAX:
        raise ContentIdError(f"manifest of {len(data)} bytes is above {MANIFEST_BYTES_MAX}")
    try:
        fields = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            max_map_len=len(_KEYS),
            max_array_len=BLOB_BYTES_MAX // CHUNK_BYTES,
            max_bin_len=CONTENT_ID_BYTES,
            max_str_len=len("chunk_size"),
            max_ext_len=0,
        )
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise ContentIdError(f"manifest is not msgpack within limits: {error}") from error
    manifest = _manifest_from_fields(fields)
    if manifest.size > size_max_bytes:
        raise ContentIdError(f"blob of {manifest.size} bytes is above {size_max_bytes}")
    if manifest.encode() != data:
        raise ContentIdError("manifest is not in canonical form")
    return manifest


def _manifest_from_fields(fields: object) -> Manifest:
    if not isinstance(fields, dict) or tuple(fields) != _KEYS:
        raise ContentIdError(f"manifest is not a map of {', '.join(_KEYS)} in this order")
    size, chunks = fields["size"], fields["chunks"]
    if type(fields["chunk_size"]) is not int or fields["chunk_size"] != CHUNK_BYTES:
        raise ContentIdError(f"chunk size is not {CHUNK_BYTES}")
    if type(size) is not int:
        raise ContentIdError("size is not an integer")
    if not isinstance(chunks, list) or not all(type(chunk) is bytes for chunk in chunks):
        raise ContentIdError("chunks is not a list of byte strings")
    return Manifest(size=size, chunks=tuple(chunks))


def content_id(data: bytes) -> ContentId:
    """The content id of a whole blob, as it stands on chain."""
    return Manifest.of(data).content_id()


def ensure_content_id(digest: bytes) -> ContentId:
    """These bytes as an id. Raises `ContentIdError` unless they are exactly 32 bytes."""
    if not isinstance(digest, bytes) or len(digest) != CONTENT_ID_BYTES:
        raise ContentIdError("a content id is 32 bytes")
    return ContentId(digest)


def cid_text(digest: bytes) -> str:
    """The CIDv1 text of an id: multibase `b`, lower-case base32 without padding, 61 characters."""
    raw = _CID_PREFIX + ensure_content_id(digest)
    return "b" + base64.b32encode(raw).decode("ascii").rstrip("=").lower()


def parse_cid_text(text: str) -> ContentId:
    """The id of a CIDv1 text. Raises `ContentIdError` on any form that `cid_text` never writes."""
    if not _CID_TEXT.fullmatch(text):
        raise ContentIdError("a content id's text is 'b' and 60 characters of lower-case base32")
    try:
        raw = base64.b32decode(text[1:].upper() + "=" * 4)
    except binascii.Error as error:
        raise ContentIdError(f"a content id's text is not base32: {error}") from error
    if raw[: len(_CID_PREFIX)] != _CID_PREFIX:
        raise ContentIdError("not a CIDv1 of messagepack and sha2-256")
    digest = ensure_content_id(raw[len(_CID_PREFIX) :])
    if cid_text(digest) != text:
        raise ContentIdError("a content id's text has spare bits set")
    return digest
