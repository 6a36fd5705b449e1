"""Blobs over HTTP: ranges, signed uploads, names that try to be paths."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from flockchain.blobs import BlobStore
from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.rpc.blobs import BlobRoutes, Fetch, find_range
from flockchain.rpc.upload_rights import UploadRights, upload_message
from runtime.primitives.content_id import CHUNK_BYTES, ContentId, cid_text, content_id
from tests.flockchain.rpc.dev_node import ALICE, ALICE_SR, DevNode, build, dev_node

DATA = bytes(range(256)) * 5_000  # 1.28 MB: two chunks
BLOB = content_id(DATA)
STRANGER = key_pair_from_uri("//Nobody", "ed25519")
BLOB_BYTES_MAX = 4 * CHUNK_BYTES


@asynccontextmanager
async def serving(path: Path, fetch: Fetch | None = None) -> AsyncIterator[tuple[DevNode, str]]:
    """A node with an empty blob store, and the URL of its blobs."""
    node = build()
    store = BlobStore(path / "blobs", 16 * CHUNK_BYTES, BLOB_BYTES_MAX)
    uploads = path / "uploads"
    uploads.mkdir()
    node.blobs = store
    routes = BlobRoutes(
        store,
        UploadRights(node.backend),
        blob_max_bytes=BLOB_BYTES_MAX,
        upload_directory=uploads,
        fetch=fetch,
    )
    async with dev_node(blobs=routes, made=node) as running:
        yield running, running.http_url + "blobs/"
    store.close()
    assert not list(uploads.iterdir())


def signed(node: DevNode, blob: bytes, key: KeyPair = ALICE) -> dict[str, str]:
    """The headers of an upload."""
    message = upload_message(node.backend.genesis, ContentId(blob))
    return {
        "X-Flock-Account": key.address(),
        "X-Flock-Scheme": key.scheme,
        "X-Flock-Signature": "0x" + key.sign(message).hex(),
    }


async def put(url: str, data: bytes, headers: dict[str, str]) -> tuple[int, str]:
    async with ClientSession() as session, session.put(url, data=data, headers=headers) as found:
        return found.status, await found.text()


async def get(url: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
    async with ClientSession() as session, session.get(url, headers=headers) as found:
        return found.status, await found.read(), found.headers


Check = Callable[[DevNode, str], Awaitable[None]]


def run(path: Path, check: Check, fetch: Fetch | None = None) -> None:
    async def serve() -> None:
        async with serving(path, fetch) as (node, url):
            await check(node, url)

    asyncio.run(serve())


@pytest.mark.parametrize("key", [ALICE, ALICE_SR], ids=lambda key: key.scheme)
@pytest.mark.parametrize("name", [BLOB.hex(), "0x" + BLOB.hex(), cid_text(BLOB)])
def test_what_was_put_can_be_got(tmp_path: Path, key: KeyPair, name: str) -> None:
    async def check(node: DevNode, url: str) -> None:
        assert (await get(url + name))[0] == 404
        status, text = await put(url + name, DATA, signed(node, BLOB, key))
        assert (status, text) == (201, cid_text(BLOB) + "\n")
        status, data, headers = await get(url + name)
        assert (status, data) == (200, DATA)
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["ETag"] == f'"{cid_text(BLOB)}"'
        assert (await put(url + name, DATA, signed(node, BLOB, key)))[0] == 200
        async with ClientSession() as session, session.head(url + name) as head:
            assert head.headers["Content-Length"] == str(len(DATA))

    run(tmp_path, check)


def test_small_and_empty_blobs(tmp_path: Path) -> None:
    async def check(node: DevNode, url: str) -> None:
        for data in (b"", b"x", bytes(CHUNK_BYTES)):
            blob = content_id(data)
            assert (await put(url + blob.hex(), data, signed(node, blob)))[0] == 201
            assert (await get(url + blob.hex()))[:2] == (200, data)

    run(tmp_path, check)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=1048570-1048580", (1_048_570, 1_048_581)),
        (f"bytes={len(DATA) - 5}-", (len(DATA) - 5, len(DATA))),
        ("bytes=-7", (len(DATA) - 7, len(DATA))),
        ("bytes=-99999999", (0, len(DATA))),
        ("bytes=5-99999999", (5, len(DATA))),
    ],
)
def test_ranges(tmp_path: Path, header: str, expected: tuple[int, int]) -> None:
    async def check(node: DevNode, url: str) -> None:
        node.blobs.put(DATA)
        status, data, headers = await get(url + BLOB.hex(), Range=header)
        start, end = expected
        assert status == 206
        assert data == DATA[start:end]
        assert headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(DATA)}"

    run(tmp_path, check)


def test_ranges_outside_and_ranges_that_are_none(tmp_path: Path) -> None:
    async def check(node: DevNode, url: str) -> None:
        node.blobs.put(DATA)
        for header in (f"bytes={len(DATA)}-", "bytes=9-3", "bytes=-0"):
            status, _, headers = await get(url + BLOB.hex(), Range=header)
            assert (status, headers["Content-Range"]) == (416, f"bytes */{len(DATA)}")
        for header in ("bytes=-", "bytes=a-b", "items=0-1", "bytes=0-1,3-4", "bytes=" + "9" * 40):
            assert (await get(url + BLOB.hex(), Range=header))[0] == 200
        assert find_range("bytes=0-", 0) == (1, 0)

    run(tmp_path, check)


def test_uploads_are_signed_by_accounts_that_exist(tmp_path: Path) -> None:
    async def check(node: DevNode, url: str) -> None:
        good, name = signed(node, BLOB), url + BLOB.hex()
        for headers, reason in [
            ({}, "sign uploads"),
            ({**good, "X-Flock-Account": "nobody"}, "sign uploads"),
            ({**good, "X-Flock-Scheme": "ecdsa"}, "X-Flock-Scheme is ed25519 or sr25519"),
            ({**good, "X-Flock-Scheme": "sr25519"}, "does not verify"),
            ({**good, "X-Flock-Signature": "0x00"}, "does not verify"),
            (signed(node, content_id(b"other")), "does not verify"),
            ({**good, "X-Flock-Account": STRANGER.address()}, "does not verify"),
            (signed(node, BLOB, STRANGER), "no more than the existential deposit"),
        ]:
            status, text = await put(name, DATA, headers)
            assert status == 401
            assert reason in text
        assert node.blobs.ids() == []

    run(tmp_path, check)


def test_bytes_that_are_another_blob_are_refused(tmp_path: Path) -> None:
    async def check(node: DevNode, url: str) -> None:
        status, text = await put(url + BLOB.hex(), DATA[:-1], signed(node, BLOB))
        assert (status, text) == (422, f"These bytes are {cid_text(content_id(DATA[:-1]))}.\n")
        assert node.blobs.ids() == []

    run(tmp_path, check)


def test_too_large_an_upload_is_refused_by_its_header(tmp_path: Path) -> None:
    async def check(node: DevNode, url: str) -> None:
        data = bytes(BLOB_BYTES_MAX + 1)
        blob = content_id(data)
        assert (await put(url + blob.hex(), data, signed(node, blob)))[0] == 413

        async def pieces() -> AsyncIterator[bytes]:
            yield b"no length"

        async with ClientSession() as session:
            headers = signed(node, BLOB)
            async with session.put(url + BLOB.hex(), data=pieces(), headers=headers) as found:
                assert found.status == 411

    run(tmp_path, check)


def test_a_blob_that_peers_have_is_fetched(tmp_path: Path) -> None:
    asked: list[bytes] = []
    found: list[DevNode] = []

    async def fetch(digest: bytes) -> bool:
        asked.append(digest)
        if digest == BLOB:
            found[0].blobs.put(DATA)
        return digest == BLOB

    async def check(node: DevNode, url: str) -> None:
        found.append(node)
        assert (await get(url + BLOB.hex()))[:2] == (200, DATA)
        assert (await get(url + "00" * 32))[0] == 404
        assert asked == [BLOB, bytes(32)]

    run(tmp_path, check, fetch)


PATHS = [
    "../secret",
    "..%2fsecret",
    "..%2Fsecret",
    "%2e%2e/secret",
    "%2e%2e%2fsecret",
    "....//secret",
    "..\\secret",
    "..%5csecret",
    "%252e%252e%252fsecret",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "secret%00",
    BLOB.hex() + "%00",
    BLOB.hex() + "/../secret",
    BLOB.hex() + "%0a",
    BLOB.hex()[:-1],
    BLOB.hex() + "0",
    BLOB.hex().upper(),
    "0X" + BLOB.hex(),
    cid_text(BLOB).upper(),
    "%EF%BC%8E%EF%BC%8E/secret",
    "%c0%ae%c0%ae/secret",
    "~/secret",
    "file:///secret",
    "blobs",
    "",
    ".",
    "%20",
    "a" * 4_000,
]


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_names_are_content_ids_and_nothing_else(tmp_path: Path, method: str) -> None:
    (tmp_path / "secret").write_bytes(b"the secret")

    async def check(node: DevNode, url: str) -> None:
        host, port = "127.0.0.1", node.server.port
        for path in PATHS:
            reader, writer = await asyncio.open_connection(host, port)
            head = f"{method} /blobs/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            writer.write(f"{head}Content-Length: 0\r\n\r\n".encode("latin1"))
            answer = await asyncio.wait_for(reader.read(), 5)
            status = int(answer.split(b" ", 2)[1])
            assert status in (400, 404, 405), (path, answer)
            assert b"secret" not in answer
            writer.close()

    run(tmp_path, check)
