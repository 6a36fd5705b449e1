"""Turns at something scarce: of the tasks that wait, the one served longest ago goes first.

Invariant: at most `places` turns are taken at once, and never two of them by one task, so a task
with much or slow work delays the others by one turn at most.

Source: WP II.B (a participant takes part in several tasks).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from typing import Final

REMEMBERED_MAX: Final = 4096  # tasks whose last turn is known; a forgotten one counts as new


class Turns:
    """Hands out `places`."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken: set[Hashable] = set()
        self._waiting: list[tuple[Hashable, asyncio.Future[None]]] = []  # in order of arrival
        self._served: dict[Hashable, None] = {}  # the latest last

    @asynccontextmanager
    async def turn(self, task: Hashable) -> AsyncIterator[None]:
        """Wait for a turn of the task, and hold it for the length of the context."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((task, mine))
        self._hand_out()
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # it came as the caller gave up
                self._give_back(task)
            else:
                self._waiting.remove((task, mine))
            raise
        try:
            yield
        finally:
            self._give_back(task)

    def _give_back(self, task: Hashable) -> None:
        self._taken.discard(task)
        self._hand_out()

    def _hand_out(self) -> None:
        while len(self._taken) < self._places:
            ready = [
                (task, future)
                for task, future in self._waiting
                if task not in self._taken and not future.done()  # cancelled ones leave soon
            ]
            if not ready:
                return
            order = {task: place for place, task in enumerate(self._served)}
            entry = min(ready, key=lambda each: order.get(each[0], -1))  # ties: first come
            self._waiting.remove(entry)
            task, future = entry
            self._taken.add(task)
            self._served.pop(task, None)
            self._served[task] = None
            if len(self._served) > REMEMBERED_MAX:
                del self._served[next(iter(self._served))]
            future.set_result(None)
