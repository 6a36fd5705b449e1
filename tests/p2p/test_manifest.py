"""Manifests and content ids."""

import hashlib

import pytest

from p2p.envelope import encode
from p2p.interface import PeerError
from p2p.manifest import CHUNK_SIZE, BlobId, cid_text, decode_manifest, manifest_of, parse_cid


def test_the_id_is_the_hash_of_the_canonical_manifest() -> None:
    manifest = manifest_of([bytes(CHUNK_SIZE), b"end"])
    assert (manifest.size, len(manifest.chunks)) == (CHUNK_SIZE + 3, 2)
    assert manifest.chunks[1] == hashlib.sha256(b"end").digest()
    assert manifest.blob_id() == hashlib.sha256(manifest.encode()).digest()
    assert decode_manifest(manifest.blob_id(), manifest.encode()) == manifest
    assert manifest.blob_id().hex() == (
        "644f13173a5fabc5627daa6b92ca0b3498f50917b1133b993ec8681e1bd76136"
    )


def test_cid_text_round_trips() -> None:
    blob = manifest_of([b"a"]).blob_id()
    text = cid_text(blob)
    assert text.startswith("baga")
    assert parse_cid(text) == blob
    for bad in ("", "b", text[:-1], text.upper(), "z" + text[1:], text + "a", "b1" + text[2:]):
        with pytest.raises(ValueError, match="is no content id"):
            parse_cid(bad)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"chunk_size": CHUNK_SIZE, "chunks": [], "size": 1}, "manifest of 1 bytes has 0 chunks"),
        (
            {"chunk_size": CHUNK_SIZE, "chunks": [b"short"], "size": 1},
            "manifest of 1 bytes has 1 chunks",
        ),
        (
            {"chunk_size": 7, "chunks": [bytes(32)], "size": 1},
            "field 'chunk_size' is not an integer from 1048576 to 1048576",
        ),
        (
            {"chunk_size": CHUNK_SIZE, "chunks": [bytes(32)], "more": 1, "size": 1},
            "unknown field 'more'",
        ),
    ],
)
def test_a_malformed_manifest_is_refused(fields: dict[str, object], message: str) -> None:
    data = encode(fields)  # type: ignore[arg-type]
    with pytest.raises(PeerError) as caught:
        decode_manifest(BlobId(hashlib.sha256(data).digest()), data)
    assert str(caught.value) == message


def test_pieces_must_fit() -> None:
    for pieces in ([], [b""], [b"a", b"b"], [bytes(CHUNK_SIZE + 1)]):
        with pytest.raises(ValueError, match="blob"):
            manifest_of(pieces)
