"""Long work beside the event loop: each job runs once, its result waits to be picked up.

A duty asks for a result on every block and gets None until it is there; a job that failed starts
again some blocks later. Invariant: at most `JOBS_MAX` results and failures are kept.

Source: WP V.C, V.D (training and validation take as long as they take).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

log = logging.getLogger(__name__)

JOBS_MAX: Final = 4096
_PAUSE_BLOCKS_MAX: Final = 64

T = TypeVar("T")


class NotYet(Exception):
    """What a job needs has not come: that is no failure, and it runs again with the next block."""


class Jobs:
    """Running and finished jobs by name. `on_change` is called when one ends."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._running: dict[Hashable, asyncio.Task[Any]] = {}
        self._results: dict[Hashable, Any] = {}
        self._failures: dict[Hashable, tuple[int, int]] = {}  # how often, not before which block

    @property
    def running(self) -> int:
        """How many jobs are at work."""
        return len(self._running)

    def poll(
        self, name: Hashable, number: int, start: Callable[[], Coroutine[Any, Any, T]]
    ) -> T | None:
        """The result of the job, or None while it runs; starts it if it does not.

        `number` is the best block's: it paces attempts after failures.
        """
        if name in self._results:
            return cast(T, self._results[name])
        times, not_before = self._failures.get(name, (0, 0))
        if name not in self._running and number >= not_before:
            task = asyncio.create_task(start())
            self._running[name] = task
            task.add_done_callback(lambda done: self._on_done(name, number, times, done))
        return None

    def failures(self, name: Hashable) -> int:
        """How often in a row the job has failed."""
        return self._failures.get(name, (0, 0))[0]

    def forget(self, name: Hashable) -> None:
        """Drop a result, so that the job can run again."""
        self._results.pop(name, None)
        self._failures.pop(name, None)

    async def close(self) -> None:
        """Cancel what runs."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task

    def _on_done(self, name: Hashable, number: int, times: int, task: asyncio.Task[Any]) -> None:
        self._running.pop(name, None)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            _bound(self._results)
            self._results[name] = task.result()
            self._failures.pop(name, None)
        elif isinstance(error, NotYet):
            _bound(self._failures)
            self._failures[name] = (times, number + 1)
            log.debug("%s waits: %s", _shown(name), error)
        else:
            pause = min(1 << times, _PAUSE_BLOCKS_MAX)
            _bound(self._failures)
            self._failures[name] = (times + 1, number + pause)
            log.warning("%s failed, again in %d blocks: %s", _shown(name), pause, error)
        self._on_change()


def _bound(kept: dict[Hashable, Any]) -> None:
    """Forget the oldest entry of a full dictionary."""
    if len(kept) >= JOBS_MAX:
        del kept[next(iter(kept))]


def _shown(name: Hashable) -> str:
    """A job's name for the log; bytes are content ids and accounts."""
    parts = name if isinstance(name, tuple) else (name,)
    return " ".join(
        f"0x{part[:4].hex()}" if isinstance(part, bytes) else str(part) for part in parts
    )
