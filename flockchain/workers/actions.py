"""What a worker does on the chain: each action in flight at most once, repeated until it shows.

Duties are driven by state: an action whose effect is in the state is not asked for again; one that
a fork undid is. Invariant: an action that succeeded in a block is not repeated on a state before
that block, one that failed pauses for 1, 2, 4, ... blocks.

Source: WP Fig. 3; Substrate `author_submitAndWatchExtrinsic`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, Final

from flockchain.keys import KeyPair
from flockchain.sdk import CallFailed, Client, SdkError

log = logging.getLogger(__name__)

ERA_BLOCKS: Final = 16  # an action that is in no block by then has missed its window
_PAUSE_BLOCKS_MAX: Final = 64
_KEPT: Final = 4096


class Actions:
    """Extrinsics on their way. `on_change` is called when one ends."""

    def __init__(self, client: Client, on_change: Callable[[], None]) -> None:
        self._client = client
        self._on_change = on_change
        self._in_flight: dict[Hashable, asyncio.Task[None]] = {}
        self._failures: dict[Hashable, tuple[int, int]] = {}
        self._done: dict[Hashable, int] = {}  # the block in which it succeeded
        self._entering = 0

    @property
    def entering(self) -> int:
        """Extrinsics that are not in the node's pool yet."""
        return self._entering

    def is_in_flight(self, name: Hashable) -> bool:
        """Whether the action's outcome is not known yet."""
        return name in self._in_flight

    async def wait(self, name: Hashable) -> None:
        """Until the action's outcome is known; returns at once if it is not in flight."""
        task = self._in_flight.get(name)
        if task is not None:
            await asyncio.wait([task])

    def act(self, name: Hashable, number: int, key: KeyPair, call: bytes, text: str) -> None:
        """Submit `call` unless the action `name` is in flight or pauses. `text` is for the log."""
        _, not_before = self._failures.get(name, (0, 0))
        if name in self._in_flight or number < max(not_before, self._done.get(name, 0)):
            return
        task = asyncio.create_task(self._submit(name, number, key, call, text))
        self._in_flight[name] = task
        task.add_done_callback(lambda _: self._in_flight.pop(name, None))

    async def close(self) -> None:
        """Stop watching; what is in a pool stays there."""
        tasks = list(self._in_flight.values())
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _submit(
        self, name: Hashable, number: int, key: KeyPair, call: bytes, text: str
    ) -> None:
        is_entering = True
        self._entering += 1

        def entered() -> None:
            nonlocal is_entering
            if is_entering:
                is_entering = False
                self._entering -= 1
                self._on_change()

        try:
            receipt = await self._client.submit(call, key, era_blocks=ERA_BLOCKS, on_pool=entered)
        except CallFailed as error:
            self._pause(name, number)
            log.warning("%s: refused by the chain: %s", text, error)
        except SdkError as error:
            self._pause(name, number)
            log.warning("%s: not submitted: %s", text, error)
        else:
            self._failures.pop(name, None)
            _make_room(self._done)
            self._done[name] = receipt.number or 0
            log.info("%s", text)
        finally:
            entered()

    def _pause(self, name: Hashable, number: int) -> None:
        times, _ = self._failures.get(name, (0, 0))
        _make_room(self._failures)
        self._failures[name] = (times + 1, number + min(1 << times, _PAUSE_BLOCKS_MAX))


def _make_room(kept: dict[Hashable, Any]) -> None:
    """Forget the oldest entry of a full dictionary."""
    if len(kept) >= _KEPT:
        del kept[next(iter(kept))]
