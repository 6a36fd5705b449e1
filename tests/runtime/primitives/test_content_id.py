"""Content ids: pinned vectors, strict decoding, one text and one encoding for each blob."""

from __future__ import annotations

import hashlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.primitives.content_id import (
    CHUNK_BYTES,
    ContentIdError,
    Manifest,
    cid_text,
    content_id,
    decode_manifest,
    ensure_content_id,
    parse_cid_text,
)

VECTORS = [
    (
        b"",
        "7ac18cfa084fea583fd32e149695d8cd083e9e1c555db51e89ed14c62a12a364",
        "bagaqieraplayz6qij7vfqp6tfykjnfoyzued5hq4kvo3khuj5ukmmkqsunsa",
    ),
    (
        b"abc",
        "d6db8091e217c14abc57c2ed9f4285605836a7ecf7f03e27a8dc50b9c0404b1d",
        "bagaqiera23nybepcc7auvpcxylwz6qufmbmdnj7m67yd4j5i3riltqcajmoq",
    ),
    (
        bytes(CHUNK_BYTES + 1),
        "dbfacbf6516424501fbe5983c6614799e677dcbe2e888453aeb39270417b27af",
        "bagaqiera3p5mx5srmqsfah56lgb4mykhththpxf6f2eiiu5owojhaql3e6xq",
    ),
]
HASH = bytes(32)


def packed(size: object, chunks: object, chunk_size: object = CHUNK_BYTES) -> bytes:
    fields = {"chunk_size": chunk_size, "chunks": chunks, "size": size}
    encoded = msgpack.packb(fields, use_bin_type=True)
    assert isinstance(encoded, bytes)
    return encoded


@pytest.mark.parametrize(("data", "digest", "text"), VECTORS)
def test_vectors(data: bytes, digest: str, text: str) -> None:
    assert content_id(data).hex() == digest
    assert cid_text(content_id(data)) == text
    assert parse_cid_text(text).hex() == digest


def test_manifest_commits_to_every_chunk() -> None:
    data = b"a" * CHUNK_BYTES + b"b"
    manifest = Manifest.of(data)
    assert manifest.chunks == (
        hashlib.sha256(b"a" * CHUNK_BYTES).digest(),
        hashlib.sha256(b"b").digest(),
    )
    assert [manifest.chunk_size(0), manifest.chunk_size(1)] == [CHUNK_BYTES, 1]
    assert manifest.is_chunk(1, b"b")
    assert not manifest.is_chunk(1, b"c")
    assert not manifest.is_chunk(1, b"bb")
    assert decode_manifest(manifest.encode()) == manifest


def test_id_is_the_hash_of_the_encoding() -> None:
    manifest = Manifest.of(b"abc")
    assert manifest.content_id() == hashlib.sha256(manifest.encode()).digest()
    assert manifest.encode() == packed(3, [hashlib.sha256(b"abc").digest()])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x93\x01\x02\x03",
        packed(3, [HASH]) + b"\x00",
        packed(3, [HASH])[:-1],
        packed(3, []),
        packed(3, [HASH, HASH]),
        packed(3, [HASH[:31]]),
        packed(3, [HASH.hex()]),
        packed(-1, []),
        packed(True, [HASH]),
        packed(3.0, [HASH]),
        packed(2**63, []),
        packed(3, [HASH], chunk_size=1024),
        packed(3, {"0": HASH}),
        msgpack.packb({"size": 3, "chunks": [HASH], "chunk_size": CHUNK_BYTES}),
        msgpack.packb({"chunk_size": CHUNK_BYTES, "chunks": [HASH], "size": 3, "more": 1}),
        msgpack.packb({1: 2}),
        packed(3, [HASH])[:-1] + b"\xcc\x03",
        b"\xdf\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc7\x00\x01",
        b"\x91" * 100_000,
    ],
)
def test_a_manifest_has_one_encoding(data: bytes) -> None:
    with pytest.raises(ContentIdError):
        decode_manifest(data)


def test_size_limit_of_the_caller() -> None:
    encoded = Manifest.of(b"abc").encode()
    assert decode_manifest(encoded, size_max_bytes=3).size == 3
    with pytest.raises(ContentIdError, match=r"^blob of 3 bytes is above 2$"):
        decode_manifest(encoded, size_max_bytes=2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "b",
        VECTORS[0][2].upper(),
        VECTORS[0][2] + "=",
        VECTORS[0][2] + "\n",
        "z" + VECTORS[0][2][1:],
        VECTORS[0][2][:-1] + "b",
        "b" + "a" * 60,
        "../../etc/passwd",
    ],
)
def test_a_text_has_one_form(text: str) -> None:
    with pytest.raises(ContentIdError):
        parse_cid_text(text)


def test_width_of_an_id() -> None:
    assert ensure_content_id(HASH) == HASH
    with pytest.raises(ContentIdError, match=r"^a content id is 32 bytes$"):
        ensure_content_id(bytes(31))


@given(st.binary(max_size=80))
def test_garbage_is_a_content_id_error(data: bytes) -> None:
    with pytest.raises(ContentIdError):
        decode_manifest(data)
