"""Reads of one block that are asked for at the same time, sent to the node as one question.

Many duties of a worker ask for one value each when a block comes: their questions wait until the
event loop has heard all of them. Invariant: each reader gets its own values, in its own order; a
failed question fails all that asked.

Source: Substrate `state_queryStorageAt`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from flockchain.sdk.errors import SdkError
from flockchain.sdk.state_view import StateView
from flockchain.sdk.transport import Transport
from runtime.primitives.types import Hash

KEYS_MAX: Final = 1_024  # of one question


class GatheredView(StateView):
    """A `StateView` whose readers share their questions."""

    def __init__(self, transport: Transport, block: Hash) -> None:
        super().__init__(transport, block)
        self._asked: list[tuple[Sequence[bytes], asyncio.Future[list[bytes | None]]]] = []
        self._asking: set[asyncio.Task[None]] = set()

    async def values(self, paths: Sequence[bytes]) -> list[bytes | None]:
        """The raw values of storage keys, in their order. Raises SdkError."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[bytes | None]] = loop.create_future()
        if not self._asked:
            loop.call_soon(self._send)  # behind all that are ready to ask now
        self._asked.append((paths, answer))
        return await answer

    def _send(self) -> None:
        asked, self._asked = self._asked, []
        task = asyncio.create_task(self._ask(asked))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(
        self, asked: list[tuple[Sequence[bytes], asyncio.Future[list[bytes | None]]]]
    ) -> None:
        wanted = list(dict.fromkeys(path for paths, _ in asked for path in paths))
        found: dict[bytes, bytes | None] = {}
        try:
            for start in range(0, len(wanted), KEYS_MAX):
                some = wanted[start : start + KEYS_MAX]
                found.update(zip(some, await super().values(some), strict=True))
        except SdkError as error:
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            return
        for paths, answer in asked:
            if not answer.done():  # its reader may have given up
                answer.set_result([found[path] for path in paths])
