"""A trio program in a thread of its own, beside the node's asyncio loop.

It owns the thread, the way in (`post`, `spawn`), the way out (`tell`, `ask`) and the news that
the program ended. Invariant: calls out keep their order, and no failure stays silent: it ends
`start` or completes `failed`.
Source: WP II.A (peer-to-peer layer); trio reference, "threads"
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import trio

T = TypeVar("T")

STOP_TIMEOUT_S: Final = 15.0
"""A stalled peer may hold a write for up to 10 s; the thread is a daemon if it takes longer."""

logger = logging.getLogger(__name__)


class ThreadEnded(Exception):
    """The trio program is not running."""


class TrioThread:
    """Runs `main(self)` under trio; it calls `set_ready`, and returns after `stop_requested`."""

    def __init__(self, main: Callable[["TrioThread"], Awaitable[None]]) -> None:
        self._main = main
        self._token: trio.lowlevel.TrioToken | None = None
        self._nursery: trio.Nursery | None = None
        self.stop_requested = trio.Event()
        """Set on the trio side when `stop` was called."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: asyncio.Future[None] | None = None
        self._ended: asyncio.Future[None] | None = None
        self._stopping = False
        self.failed: asyncio.Future[None] | None = None
        """Gets the exception when the program dies after `start`; pending otherwise."""

    async def start(self) -> None:
        """Start the thread and wait for `set_ready`. Raises: what `main` raised before that."""
        self._loop = asyncio.get_running_loop()
        self._ready = self._loop.create_future()
        self._ended = self._loop.create_future()
        self.failed = self._loop.create_future()
        threading.Thread(target=self._run_thread, name="p2p", daemon=True).start()
        await self._ready

    async def stop(self) -> None:
        """Ask the program to return and wait for its end; nothing to do if it ended."""
        if self._ended is None:
            return
        self._stopping = True
        self.post(self.stop_requested.set)
        done, _ = await asyncio.wait([self._ended], timeout=STOP_TIMEOUT_S)
        if not done:
            logger.warning("the network thread did not stop within %s s", STOP_TIMEOUT_S)
            self.post(self._cancel)

    def set_ready(self) -> None:
        """Trio side: let `start` return."""
        assert self._ready is not None
        ready = self._ready
        self.tell(lambda: None if ready.done() else ready.set_result(None))

    def post(self, call: Callable[[], None]) -> bool:
        """Any thread: run `call` on the trio thread soon; false if the program ended."""
        if self._token is None:
            return False
        try:
            self._token.run_sync_soon(call)
        except trio.RunFinishedError:
            return False
        return True

    def spawn(self, task: Callable[[], Awaitable[None]], name: str) -> bool:
        """Any thread: run `task` as a background task; what it raises is logged."""

        def begin() -> None:
            self.start_task(task, name)

        return self.post(begin)

    def start_task(self, task: Callable[[], Awaitable[None]], name: str) -> bool:
        """Trio side: run `task` in the background, log what it raises; false when stopping."""
        if self._nursery is None or self._nursery.cancel_scope.cancel_called:
            return False
        self._nursery.start_soon(_contain, task, name)
        return True

    def tell(self, call: Callable[[], None]) -> None:
        """Trio side: run `call` on the asyncio loop soon; lost if the loop is closed."""
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            logger.debug("the loop is closed, %s is lost", call)

    async def ask(self, call: Callable[[], T]) -> T:
        """Trio side: run `call` on the asyncio loop and return or raise what it does."""
        answered = trio.Event()
        answers: list[T] = []
        errors: list[Exception] = []

        def answer() -> None:
            try:
                answers.append(call())
            except Exception as error:  # noqa: BLE001  carried to the side that asked
                errors.append(error)
            self.post(answered.set)

        self.tell(answer)
        await answered.wait()
        if errors:
            raise errors[0]
        return answers[0]

    def _run_thread(self) -> None:
        error: BaseException | None = None
        try:
            trio.run(self._run, strict_exception_groups=True)
        except BaseException as raised:  # noqa: BLE001  reported to the asyncio side below
            error = single_cause(raised)
        self.tell(lambda: self._finish(error))

    async def _run(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            await self._main(self)
            if not self._stopping:
                raise ThreadEnded("the network program returned")
            nursery.cancel_scope.cancel()

    def _cancel(self) -> None:
        if self._nursery is not None:
            self._nursery.cancel_scope.cancel()

    def _finish(self, error: BaseException | None) -> None:
        assert self._ready is not None
        assert self._ended is not None
        assert self.failed is not None
        if not self._ended.done():
            self._ended.set_result(None)
        cause = error or ThreadEnded("the network program ended")
        if not self._ready.done():
            self._ready.set_exception(cause)
        elif not self._stopping and not self.failed.done():
            logger.error("the network thread died: %r", cause)
            self.failed.set_exception(cause)


def single_cause(error: BaseException) -> BaseException:
    """The first leaf of an exception group, or `error` itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _contain(task: Callable[[], Awaitable[None]], name: str) -> None:
    try:
        await task()
    except Exception:  # one peer's task must not end the program
        logger.exception("network task %s failed", name)
