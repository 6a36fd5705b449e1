"""Names that try to leave the blob store's directory: none reads or writes a byte outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flockchain.blobs import BlobError, BlobNameError, BlobStore
from runtime.primitives.content_id import ContentIdError, parse_cid_text

TARGETS = ["etc/passwd", "secret", "secret\0", ".ssh/id", "..", "", "con", "a" * 64]
PREFIXES = [
    "",
    "/",
    "//",
    "./",
    "../",
    "../../",
    "..\\",
    "....//",
    "%2e%2e/",
    "%2e%2e%2f",
    "..%c0%af",
    "..%252f",
    "\0/",
    "file:///",
    "~/",
    "b/../",
    "．．/",
    "\u2025/",
    "..\u2215",
    "..\u29f8",
    "\u202e../",
    "$HOME/",
    "`id`/",
    "|/",
    "C:\\",
    "\\\\host\\share\\",
    "/proc/self/root/",
    "/dev/fd/",
    "../" * 20,
    "\ud83d\ude00/".encode("utf-16", "surrogatepass").decode("utf-16"),
    "\x1b[2J",
    "-",
    "*",
    "..;/",
    "..\r\n/",
    "writing-",
    "0x",
    "b" * 61 + "/",
]
PAYLOADS = [prefix + target for prefix in PREFIXES for target in TARGETS]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BlobStore]:
    (tmp_path / "secret").write_bytes(b"secret")
    opened = BlobStore(tmp_path / "blobs", size_max_bytes=1 << 20, blob_max_bytes=1 << 20)
    yield opened
    opened.close()


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 300


def test_no_text_of_a_path_is_a_content_id() -> None:
    for payload in PAYLOADS:
        with pytest.raises(ContentIdError):
            parse_cid_text(payload)


def test_no_payload_reaches_outside(store: BlobStore, tmp_path: Path) -> None:
    before = sorted(path.name for path in tmp_path.rglob("*"))
    for payload in PAYLOADS:
        raw = payload.encode("utf-8", "surrogatepass")
        for name in (raw, raw[:32], raw.ljust(32, b"\0"), raw.ljust(32, b"/")[:32]):
            for request in (store.get, store.manifest, store.chunks_missing, store.pin):
                with pytest.raises(BlobError):
                    request(name)
            with pytest.raises(BlobError):
                store.put_chunk(name, 0, b"x")
            with pytest.raises(BlobError):
                store.read_range(name, 0, 10)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    assert (tmp_path / "secret").read_bytes() == b"secret"


def test_a_name_is_bytes_and_32_long(store: BlobStore) -> None:
    for name in ("a" * 32, "../secret", None, 7, bytearray(32), b"", bytes(33)):
        with pytest.raises(BlobNameError, match=r"^a content id is 32 bytes$"):
            store.get(name)  # type: ignore[arg-type]
