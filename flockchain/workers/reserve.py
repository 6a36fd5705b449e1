"""One sandboxed process that is loaded and waits for its task, so that a verdict need not wait.

A start takes seconds, on a busy machine many, and a window for scores may be shorter. Invariant: a
process is given away once; one that died unused is replaced, but not at once, since what ended it
may last.

Source: WP V.D (validation within a window).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from ml.sandbox_process import SandboxError, SandboxProcess

log = logging.getLogger(__name__)

PAUSE_S: Final = 30.0  # after a process that did not load or died unused


class Reserve:
    """Holds at most one process. `spawn` starts one; `clock` in seconds is given by tests."""

    def __init__(
        self,
        spawn: Callable[[], SandboxProcess],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spawn = spawn
        self._clock = clock
        self._waiting: SandboxProcess | None = None
        self._is_filling = False
        self._is_closed = False
        self._not_before = clock()

    def is_due(self) -> bool:
        """Whether `fill` has something to do; tells a process that died from one that waits."""
        waiting = self._waiting
        if waiting is not None and not waiting.is_running():
            log.warning("the sandbox in reserve ended by itself (status %s)", waiting.end())
            self._waiting = None
            self._not_before = self._clock() + PAUSE_S
        is_wanted = self._waiting is None and not self._is_filling and not self._is_closed
        return is_wanted and self._clock() >= self._not_before

    async def fill(self) -> None:
        """Start a process and wait until it is loaded, if one is due."""
        if not self.is_due():
            return
        self._is_filling = True
        process = self._spawn()
        try:
            await asyncio.to_thread(process.load)
        except SandboxError as error:
            log.warning("no sandbox in reserve: %s", error)
            self._not_before = self._clock() + PAUSE_S
        except asyncio.CancelledError:
            process.kill()
            raise
        else:
            self._waiting = process
        finally:
            self._is_filling = False

    def take(self) -> SandboxProcess:
        """The process that waits, or a new one; it is the caller's from here on."""
        process, self._waiting = self._waiting, None
        self._not_before = self._clock()
        if process is not None and process.is_running():
            return process
        if process is not None:
            process.end()
        return self._spawn()

    async def close(self) -> None:
        """End the process that waits; no other is started."""
        self._is_closed = True
        process, self._waiting = self._waiting, None
        if process is not None:
            await asyncio.to_thread(process.close)
