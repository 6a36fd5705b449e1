"""Blobs that a worker used lately, so that its keys and days fetch each once.

Invariant: at most `CACHE_BYTES_MAX` are kept, the least recently used go first.

Source: WP V.C (data and models off the chain).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from flockchain.sdk import Client

CACHE_BYTES_MAX: Final = 256 * 1024 * 1024


class BlobCache:
    """`get` with memory, over one client."""

    def __init__(self, client: Client, bytes_max: int = CACHE_BYTES_MAX) -> None:
        self._client = client
        self._bytes_max = bytes_max
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0
        self._turns: dict[bytes, asyncio.Lock] = {}

    async def get(self, digest: bytes, size_max_bytes: int) -> bytes:
        """A blob. Raises BlobUnavailable, BlobTooLarge, BlobCorrupt, Disconnected."""
        turn = self._turns.setdefault(digest, asyncio.Lock())
        try:
            async with turn:
                known = self._kept.get(digest)
                if known is not None:
                    self._kept.move_to_end(digest)
                    return known
                data = await self._client.get_blob(digest, size_max_bytes)
                self._keep(digest, data)
                return data
        finally:
            if not turn.locked():
                self._turns.pop(digest, None)

    def _keep(self, digest: bytes, data: bytes) -> None:
        if len(data) > self._bytes_max:
            return
        self._kept[digest] = data
        self._bytes += len(data)
        while self._bytes > self._bytes_max:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped)
