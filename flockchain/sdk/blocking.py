"""The client without `await`, for scripts and command lines.

Owns an event loop in a thread of its own, so that it works wherever it is called from.

Source: WP II.A (everyone may take part with a small program).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar, overload

from flockchain.keys import KeyPair
from flockchain.sdk.client import Client, Receipt, Wait
from runtime.frame.events import EventRecord
from runtime.frame.storage import StorageDoubleMap, StorageMap, StorageValue
from runtime.primitives.content_id import ContentId
from runtime.primitives.types import Hash

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


class BlockingClient:
    """A `Client` whose methods return when they are done. Use it in a `with` block."""

    def __init__(self, url: str) -> None:
        """Connect. Raises Disconnected, WrongChain."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sdk", daemon=True)
        self._thread.start()
        try:
            self.client = self.run(Client.connect(url))
        except BaseException:
            self._stop()
            raise

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of any coroutine of the client."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """End the connection."""
        self.run(self.client.close())
        self._stop()

    def __enter__(self) -> BlockingClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @overload
    def query(self, item: StorageValue[V], *, at: Hash | None = None) -> V: ...
    @overload
    def query(self, item: StorageMap[K, V], key: K, /, *, at: Hash | None = None) -> V: ...
    def query(self, item: Any, *key: Any, at: Hash | None = None) -> Any:
        """As `Client.query`."""
        return self.run(self.client.query(item, *key, at=at))

    @overload
    def find(self, item: StorageValue[V], *, at: Hash | None = None) -> V | None: ...
    @overload
    def find(self, item: StorageMap[K, V], key: K, /, *, at: Hash | None = None) -> V | None: ...
    def find(self, item: Any, *key: Any, at: Hash | None = None) -> Any:
        """As `Client.find`."""
        return self.run(self.client.find(item, *key, at=at))

    @overload
    def query_map(
        self, item: StorageDoubleMap[tuple[Any, Any], V], first: Any, /, *, at: Hash | None = None
    ) -> list[tuple[Any, V]]: ...
    @overload
    def query_map(self, item: StorageMap[K, V], *, at: Hash | None = None) -> list[tuple[K, V]]: ...
    def query_map(self, item: Any, *first: Any, at: Hash | None = None) -> list[tuple[Any, Any]]:
        """As `Client.query_map`, all at once."""

        async def collect() -> list[tuple[Any, Any]]:
            return [entry async for entry in self.client.query_map(item, *first, at=at)]

        return self.run(collect())

    def events_at(self, block: Hash) -> list[EventRecord]:
        """As `Client.events_at`."""
        return self.run(self.client.events_at(block))

    def submit(
        self, call: bytes, key: KeyPair, *, tip: int = 0, wait: Wait = Wait.IN_BLOCK
    ) -> Receipt:
        """As `Client.submit`."""
        return self.run(self.client.submit(call, key, tip=tip, wait=wait))

    def put_blob(self, data: bytes, key: KeyPair) -> ContentId:
        """As `Client.put_blob`."""
        return self.run(self.client.put_blob(data, key))

    def get_blob(self, digest: bytes) -> bytes:
        """As `Client.get_blob`."""
        return self.run(self.client.get_blob(digest))

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
