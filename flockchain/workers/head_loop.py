"""The loop of every worker: a tick for each new best block and for whatever else changed.

Invariant: ticks follow one another, at most so many a second; nothing is polled.

Source: WP II.B (roles as programs).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from flockchain.sdk import Client, Head, SdkError
from flockchain.workers.pace import Pace
from runtime.primitives.types import Hash

TICK_GAP_S: Final = 0.1


class HeadLoop:
    """Calls `tick` with the best block; `wake` asks for another tick."""

    def __init__(
        self, client: Client, tick: Callable[[Head], Awaitable[None]], gap_s: float = TICK_GAP_S
    ) -> None:
        self._client = client
        self._tick = tick
        self._pace = Pace(gap_s)
        self._changed = asyncio.Event()
        self._quiet = asyncio.Condition()
        self._head: Head | None = None
        self._settled: Hash | None = None

    def wake(self) -> None:
        """Something changed: have another tick."""
        self._changed.set()

    @property
    def has_changed(self) -> bool:
        """Whether another tick is due already."""
        return self._changed.is_set()

    async def run(self) -> None:
        """Until cancelled. Raises WrongChain, RpcFailed if the node cannot be followed."""
        following = asyncio.create_task(self._follow())
        following.add_done_callback(lambda _: self._changed.set())
        try:
            while True:
                await self._changed.wait()
                await self._pace.wait()
                self._changed.clear()
                if following.done():
                    following.result()
                if self._head is not None:
                    await self._tick(self._head)
                    self._pace.done()
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError, SdkError):
                await following

    async def settled(self, block: Hash) -> None:
        """Wait until a tick said that all is done that this best block calls for."""
        async with self._quiet:
            await self._quiet.wait_for(lambda: self._settled == block)

    async def settle(self, block: Hash) -> None:
        """Say so."""
        async with self._quiet:
            self._settled = block
            self._quiet.notify_all()

    async def _follow(self) -> None:
        async for head in self._client.best_heads(latest_only=True):
            self._head = head
            self._changed.set()
