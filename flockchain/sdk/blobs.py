"""Blobs over a node's HTTP endpoint: whole or resumed, checked against their content id.

Invariant: bytes are returned only if they have the content id that was asked for.

Source: WP V.C (data and models off the chain); RFC 9110, section 14 (ranges).
"""

from __future__ import annotations

import asyncio
import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from flockchain.keys import KeyPair
from flockchain.sdk.errors import (
    BlobCorrupt,
    BlobRefused,
    BlobTooLarge,
    BlobUnavailable,
    Disconnected,
)
from runtime.primitives.content_id import (
    CHUNK_BYTES,
    ContentId,
    cid_text,
    content_id,
    ensure_content_id,
)
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import Hash

SIZE_BYTES_MAX: Final = 1 << 30
ATTEMPTS: Final = 5  # of one download, each going on where the last one ended
STALL_S: Final = 60.0  # without a byte; the node may be fetching the blob from its peers
_UPLOAD_DOMAIN: Final = b"flock/blob/put"
_PAUSE_S: Final = 0.3
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15})", re.ASCII)
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=STALL_S)


class BlobClient:
    """Fetches and uploads. `rpc_url` is the node's WebSocket URL: blobs are on the same port."""

    def __init__(self, rpc_url: str, genesis: Hash) -> None:
        parts = urlsplit(rpc_url)
        scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
        self._base = urlunsplit((scheme, parts.netloc, "/blobs/", "", ""))
        self._genesis = genesis
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def close(self) -> None:
        """End all transfers, for good."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()

    async def get(self, digest: bytes, size_max_bytes: int = SIZE_BYTES_MAX) -> bytes:
        """The blob of a content id. An interrupted download goes on where it ended.

        Raises BlobUnavailable, BlobTooLarge, BlobCorrupt, Disconnected; ContentIdError for what is
        no content id.
        """
        blob = ensure_content_id(digest)
        received = bytearray()
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(_PAUSE_S * 2 ** (attempt - 1))
            try:
                await self._receive(blob, received, size_max_bytes)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                problem = str(error) or type(error).__name__
                continue
            data = bytes(received)
            if await asyncio.to_thread(content_id, data) != blob:
                raise BlobCorrupt(f"the node's bytes are not blob {cid_text(blob)}")
            return data
        raise Disconnected(f"blob {cid_text(blob)}: {problem}")

    async def _receive(self, blob: ContentId, received: bytearray, size_max_bytes: int) -> None:
        headers = {"Range": f"bytes={len(received)}-"} if received else {}
        url = self._base + cid_text(blob)
        async with self._http().get(url, headers=headers, timeout=_TIMEOUT) as response:
            if response.status in (404, 410):
                raise BlobUnavailable(f"the node has no blob {cid_text(blob)}, and got none")
            if response.status == 206:
                if _start_of(response.headers.get("Content-Range", "")) != len(received):
                    raise BlobCorrupt("the node answered another range than was asked for")
            elif response.status == 200:
                received.clear()
            else:
                response.raise_for_status()
                raise BlobUnavailable(f"blob {cid_text(blob)}: HTTP status {response.status}")
            async for piece in response.content.iter_chunked(CHUNK_BYTES):
                if len(received) + len(piece) > size_max_bytes:
                    raise BlobTooLarge(
                        f"blob {cid_text(blob)} is larger than {size_max_bytes} bytes"
                    )
                received += piece

    async def put(self, data: bytes, key: KeyPair, *, task: int | None = None) -> ContentId:
        """Upload a blob, signed by an account that exists on the chain; its content id.

        With `task`, it is signed by an alias that revealed this ciphertext in the task.

        Raises BlobRefused, Disconnected.
        """
        blob = await asyncio.to_thread(content_id, data)
        headers = {
            "X-Flock-Account": "0x" + key.account.hex(),
            "X-Flock-Scheme": key.scheme,
            "X-Flock-Signature": "0x" + key.sign(self._upload_message(blob)).hex(),
        }
        if task is not None:
            headers["X-Flock-Task"] = str(task)
        url = self._base + cid_text(blob)
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(_PAUSE_S * 2 ** (attempt - 1))
            try:
                async with self._http().put(
                    url, data=data, headers=headers, timeout=_TIMEOUT
                ) as response:
                    if response.status in (200, 201):
                        return blob
                    problem = (await response.text())[:200].strip()
                    if response.status not in (408, 503):
                        raise BlobRefused(f"blob {cid_text(blob)}: {problem}")
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                problem = str(error) or type(error).__name__
        raise Disconnected(f"upload of blob {cid_text(blob)}: {problem}")

    def _upload_message(self, blob: ContentId) -> bytes:
        """What an upload's signature covers: the domain, the chain, the content id."""
        return blake2b_256(_UPLOAD_DOMAIN + self._genesis + blob)

    def _http(self) -> aiohttp.ClientSession:
        if self._is_closed:
            raise Disconnected("the client is closed")
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession()
        return self._session


def _start_of(content_range: str) -> int | None:
    match = _CONTENT_RANGE.fullmatch(content_range)
    return None if match is None else int(match[1])
