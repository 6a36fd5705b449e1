"""Blobs over HTTP: uploads that the real node takes, downloads that survive a bad line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from flockchain.keys import key_pair_from_uri
from flockchain.sdk import BlobCorrupt, BlobRefused, BlobTooLarge, BlobUnavailable, Client
from flockchain.sdk.blobs import BlobClient
from runtime.primitives.content_id import CHUNK_BYTES, content_id
from runtime.primitives.types import Hash
from tests.flockchain.fast_chain import fast_chain

ALICE = key_pair_from_uri("//Alice", "sr25519")
BOB = key_pair_from_uri("//Bob", "ed25519")
NOBODY = key_pair_from_uri("//Nobody", "ed25519")
DATA = bytes(range(256)) * (CHUNK_BYTES // 100)  # two chunks and a part


def test_blobs_go_up_and_come_back(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            fast_chain(tmp_path, [ALICE, BOB]) as chain,
            await Client.connect(chain.url) as client,
        ):
            for key, data in ((ALICE, DATA), (BOB, b"")):
                blob = await client.put_blob(data, key)
                assert blob == content_id(data)
                assert await client.get_blob(blob) == data
            with pytest.raises(BlobRefused, match="existential deposit"):
                await client.put_blob(b"spam", NOBODY)
            with pytest.raises(BlobUnavailable):
                await client.get_blob(bytes(32))
            with pytest.raises(BlobTooLarge):
                await client.get_blob(content_id(DATA), size_max_bytes=len(DATA) - 1)

    asyncio.run(run())


class BadLine:
    """Serves bytes by range and hangs up in the middle, so many times."""

    def __init__(self, data: bytes, failures: int) -> None:
        self.data = data
        self.failures = failures
        self.ranges: list[str | None] = []

    async def get(self, request: web.Request) -> web.StreamResponse:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        rest = self.data[start:]
        response = web.StreamResponse(status=206 if asked else 200)
        response.content_length = len(rest)
        if asked:
            end = len(self.data)
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{end}"
        await response.prepare(request)
        if self.failures:
            self.failures -= 1
            await response.write(rest[: len(rest) // 2])
            assert request.transport is not None
            request.transport.close()
        else:
            await response.write(rest)
        return response


@asynccontextmanager
async def serve(line: BadLine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BlobClient]:
    monkeypatch.setattr("flockchain.sdk.blobs._PAUSE_S", 0.0)
    app = web.Application()
    app.router.add_get("/blobs/{name}", line.get)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    client = BlobClient(f"ws://127.0.0.1:{port}", Hash(bytes(32)))
    try:
        yield client
    finally:
        await client.close()
        await runner.cleanup()


def test_an_interrupted_download_goes_on_where_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    line = BadLine(DATA, failures=2)

    async def run() -> bytes:
        async with serve(line, monkeypatch) as client:
            return await client.get(content_id(DATA))

    assert asyncio.run(run()) == DATA
    assert line.ranges[0] is None
    assert len(line.ranges) == 3
    starts = [int(asked[6:-1]) for asked in line.ranges[1:] if asked is not None]
    assert 0 < starts[0] < starts[1]


def test_bytes_that_are_not_the_blob_are_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with serve(BadLine(DATA, failures=0), monkeypatch) as client:
            await client.get(content_id(b"other"))

    with pytest.raises(BlobCorrupt):
        asyncio.run(run())
