"""`/blobs/<content id>`: data sets and models by name, in ranges, and signed uploads.

A GET streams what was verified chunk by chunk; a blob that is not here may be fetched from peers
first. A PUT goes to an unnamed file, is hashed on its way, and enters the store only if it is what
its name says. Names are content ids and nothing else, so no path can be formed from a request.

Source: WP V.C (data and models off the chain); RFC 9110, section 14 (ranges).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import IO, Final

from aiohttp import web

from flockchain.blobs import BlobCorruptError, BlobLimitError, BlobMissingError, BlobStore
from flockchain.rpc.upload_rights import UploadRefused, UploadRights
from runtime.primitives.content_id import (
    CHUNK_BYTES,
    ContentId,
    ContentIdError,
    Manifest,
    cid_text,
    parse_cid_text,
)

log = logging.getLogger(__name__)

Fetch = Callable[[bytes], Awaitable[bool]]  # digest → whether the blob is here now

UPLOADS_MAX: Final = 4  # at once
FETCHES_MAX: Final = 8  # at once
FETCH_S: Final = 60.0
STALL_S: Final = 30.0  # without a byte of an upload, or without a reader of a download
_HEX_NAME: Final = re.compile(r"(?:0x)?[0-9a-f]{64}", re.ASCII)
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class BlobRoutes:
    """The routes over one store. `blob_max_bytes` bounds uploads, `fetch` asks peers."""

    def __init__(
        self,
        store: BlobStore,
        rights: UploadRights,
        *,
        blob_max_bytes: int,
        upload_directory: Path,
        fetch: Fetch | None = None,
    ) -> None:
        self._store = store
        self._rights = rights
        self._blob_max_bytes = blob_max_bytes
        self._upload_directory = upload_directory
        self._fetch = fetch
        self._uploads = 0
        self._fetches = asyncio.Semaphore(FETCHES_MAX)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Serve below `/blobs/`."""
        router.add_get("/blobs/{name}", self.get)
        router.add_put("/blobs/{name}", self.put)

    # -- reading

    async def get(self, request: web.Request) -> web.StreamResponse:
        """The blob or a range of it; HEAD tells its size."""
        blob = _name_of(request)
        if not self._store.has(blob) and not await self._fetch_from_peers(blob):
            raise web.HTTPNotFound
        size = self._store.manifest(blob).size
        start, end = 0, size
        status = 200
        wanted = find_range(request.headers.get("Range"), size)
        if wanted is not None:
            (start, end), status = wanted, 206
        if start > end:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
        response = web.StreamResponse(status=status, headers=_headers(blob))
        response.content_length = end - start
        if status == 206:
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        await self._stream(request, response, blob, (start, end))
        return response

    async def _stream(
        self,
        request: web.Request,
        response: web.StreamResponse,
        blob: ContentId,
        span: tuple[int, int],
    ) -> None:
        offset, end = span
        if request.method == "HEAD":
            await response.prepare(request)
            return
        try:
            piece = await self._read(blob, offset, end)  # before the header says that all is well
        except (BlobMissingError, BlobCorruptError) as error:
            raise web.HTTPNotFound from error
        await response.prepare(request)
        try:
            while piece:
                async with asyncio.timeout(STALL_S):
                    await response.write(piece)
                offset += len(piece)
                piece = await self._read(blob, offset, end) if offset < end else b""
        except (BlobMissingError, BlobCorruptError, TimeoutError) as error:
            log.warning("stopped sending blob %s: %r", cid_text(blob), error)
            if request.transport is not None:
                request.transport.abort()  # the only way left to say that it is not whole

    async def _read(self, blob: ContentId, offset: int, end: int) -> bytes:
        """What is left of the span, up to the end of a chunk. Hashes, so in a thread."""
        length = min(end, (offset // CHUNK_BYTES + 1) * CHUNK_BYTES) - offset
        return await asyncio.to_thread(self._store.read_range, blob, offset, length)

    async def _fetch_from_peers(self, blob: ContentId) -> bool:
        if self._fetch is None or self._fetches.locked():
            return False
        try:
            async with self._fetches, asyncio.timeout(FETCH_S):
                return await self._fetch(blob) and self._store.has(blob)
        except TimeoutError:
            return False

    # -- writing

    async def put(self, request: web.Request) -> web.StreamResponse:
        """Take in a blob from an account that exists on the chain, or from an alias."""
        blob = _name_of(request)
        try:
            due_bytes = self._rights.ensure(request.headers, blob)
        except UploadRefused as refused:
            return web.Response(status=401, text=f"{refused}\n")
        if self._store.has(blob):
            return web.Response(status=200, text=f"{cid_text(blob)}\n")
        length = request.content_length
        if length is None:
            return web.Response(status=411, text="Content-Length is missing.\n")
        if length > self._blob_max_bytes:
            raise web.HTTPRequestEntityTooLarge(self._blob_max_bytes, length)
        if due_bytes is not None and length != due_bytes:
            return web.Response(status=422, text=f"The alias revealed {due_bytes} bytes.\n")
        if self._uploads >= UPLOADS_MAX:
            return web.Response(status=503, text="Too many uploads, try again later.\n")
        self._uploads += 1
        try:
            return await self._take(request, blob)
        except TimeoutError:
            return web.Response(status=408, text="The upload stalled.\n")
        except BlobLimitError as error:
            return web.Response(status=507, text=f"{error}\n")
        finally:
            self._uploads -= 1

    async def _take(self, request: web.Request, blob: ContentId) -> web.StreamResponse:
        with tempfile.TemporaryFile(dir=self._upload_directory) as file:
            hashes: list[bytes] = []
            size = 0
            async for chunk in self._chunks(request):
                size += len(chunk)
                if size > self._blob_max_bytes:
                    raise web.HTTPRequestEntityTooLarge(self._blob_max_bytes, size)
                hashes.append(await asyncio.to_thread(_append, file, chunk))
            manifest = Manifest(size, tuple(hashes))
            if manifest.content_id() != blob:
                found = cid_text(manifest.content_id())
                return web.Response(status=422, text=f"These bytes are {found}.\n")
            await asyncio.to_thread(self._admit, file, manifest, blob)
        log.info("took in blob %s of %d bytes", cid_text(blob), size)
        return web.Response(status=201, text=f"{cid_text(blob)}\n")

    @staticmethod
    async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
        """The body in pieces of one chunk each, the last one shorter."""
        pending = bytearray()
        while True:
            async with asyncio.timeout(STALL_S):
                data = await request.content.readany()
            pending += data
            while len(pending) >= CHUNK_BYTES:
                yield bytes(pending[:CHUNK_BYTES])
                del pending[:CHUNK_BYTES]
            if not data:
                break
        if pending:
            yield bytes(pending)

    def _admit(self, file: IO[bytes], manifest: Manifest, blob: ContentId) -> None:
        self._store.begin(manifest)
        file.seek(0)
        for index in range(len(manifest.chunks)):
            self._store.put_chunk(blob, index, file.read(CHUNK_BYTES))


def find_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The half-open span of a Range header; None for none, or one that is not understood.

    A span that lies outside gives start > end, which is answered 416.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, size) if length else (1, 0)
    start = int(first)
    end = size if not last else min(int(last) + 1, size)
    return (1, 0) if start >= size or end <= start else (start, end)


def parse_name(text: str) -> ContentId:
    """A content id from 64 hex digits or its CIDv1 text. Raises ContentIdError."""
    if _HEX_NAME.fullmatch(text):
        return ContentId(bytes.fromhex(text.removeprefix("0x")))
    return parse_cid_text(text)


def _name_of(request: web.Request) -> ContentId:
    try:
        return parse_name(request.match_info["name"])
    except ContentIdError as error:
        raise web.HTTPNotFound from error


def _headers(blob: ContentId) -> dict[str, str]:
    """A blob never changes; whatever its bytes are, no browser may run them."""
    return {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": "attachment",
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": f'"{cid_text(blob)}"',
    }


def _append(file: IO[bytes], chunk: bytes) -> bytes:
    file.write(chunk)
    return hashlib.sha256(chunk).digest()
