"""One WebSocket to a node: requests side by side, subscriptions, and reconnecting by itself.

Owns the socket and the task that reads it. A connection that ends fails what is in flight with
`Disconnected`, then is made anew with growing pauses; a check (which chain is it?) runs before a
new connection is used. Invariant: no queue of a subscription grows beyond its limit.

Source: JSON-RPC 2.0; Substrate JSON-RPC (subscriptions).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import aiohttp
import orjson

from flockchain.sdk.errors import BadAnswer, Disconnected, RpcFailed, SdkError, WrongChain

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_S: Final = 30.0
CONNECT_TIMEOUT_S: Final = 10.0
MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024
QUEUE_MAX: Final = 4096  # notifications of one subscription that nobody has taken yet
EARLY_MAX: Final = 1024  # notifications that came before their subscription's id was known
_PAUSE_FIRST_S: Final = 0.1
_PAUSE_MAX_S: Final = 10.0
_HEARTBEAT_S: Final = 20.0

Check = Callable[["Transport"], Awaitable[None]]


class Subscription:
    """Notifications in order, until the connection ends or it is closed."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._ending: Exception | None = None
        self._has_news = asyncio.Event()

    def put(self, result: object) -> None:
        """Hand over a notification. A reader that is far behind loses the subscription."""
        if len(self._items) >= QUEUE_MAX:
            self.end(Disconnected(f"more than {QUEUE_MAX} notifications were not read in time"))
            return
        self._items.append(result)
        self._has_news.set()

    def end(self, reason: Exception) -> None:
        """Nothing more will come; what came can still be read."""
        self._ending = reason
        self._has_news.set()

    async def next(self) -> Any:
        """The next notification. Raises Disconnected when none will come."""
        while not self._items:
            if self._ending is not None:
                raise self._ending
            self._has_news.clear()
            await self._has_news.wait()
        return self._items.popleft()

    async def latest(self) -> Any:
        """The last notification, those before it skipped. Raises Disconnected."""
        result = await self.next()
        while self._items:
            result = self._items.popleft()
        return result


class Transport:
    """Calls and subscriptions over one connection that is kept up until `close`."""

    def __init__(self, url: str, check: Check | None = None) -> None:
        self.url = url
        self._check = check
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._task: asyncio.Task[None] | None = None
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._early: deque[tuple[str, object]] = deque(maxlen=EARLY_MAX)
        self._reading: asyncio.Task[None] | None = None
        self._ids = itertools.count(1)
        self._is_ready = asyncio.Event()
        self._fatal: WrongChain | None = None
        self.connections = 0

    async def open(self) -> None:
        """Connect for the first time. Raises Disconnected, WrongChain."""
        self._session = aiohttp.ClientSession()
        try:
            await self._connect()
        except BaseException:
            await self.close()
            raise
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End the connection for good."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._socket is not None:
            await self._socket.close()
        if self._session is not None:
            await self._session.close()
        self._drop(Disconnected("the client was closed"))

    async def call(self, method: str, params: Sequence[object] = ()) -> Any:
        """The result of a method. Waits for the connection to be up.

        Raises RpcFailed, Disconnected, WrongChain.
        """
        await self._wait_until_ready()
        return await self._request(method, params)

    @asynccontextmanager
    async def subscribe(
        self, method: str, params: Sequence[object], unsubscribe: str
    ) -> AsyncIterator[Subscription]:
        """A subscription that ends with the context or the connection. Raises as `call`."""
        identity = await self.call(method, params)
        if not isinstance(identity, str):
            raise BadAnswer(f"{method}: a subscription's id is no string")
        subscription = Subscription()
        self._subscriptions[identity] = subscription
        for early, result in list(self._early):
            if early == identity:
                subscription.put(result)
                self._early.remove((early, result))
        connection = self.connections
        try:
            yield subscription
        finally:
            known = self._subscriptions.pop(identity, None)
            if known is subscription and connection == self.connections and self._is_ready.is_set():
                with suppress(SdkError):
                    await self._request(unsubscribe, [identity])

    async def _wait_until_ready(self) -> None:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                await self._is_ready.wait()
        except TimeoutError:
            raise Disconnected(f"{self.url} cannot be reached") from None
        if self._fatal is not None:
            raise self._fatal

    async def _request(self, method: str, params: Sequence[object]) -> Any:
        socket = self._socket
        if socket is None or socket.closed:
            raise Disconnected(f"{self.url}: the connection is down")
        identity = next(self._ids)
        answer = asyncio.get_running_loop().create_future()
        self._pending[identity] = answer
        body = {"jsonrpc": "2.0", "id": identity, "method": method, "params": list(params)}
        try:
            await socket.send_str(orjson.dumps(body).decode())
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                message = await answer
        except TimeoutError:
            raise Disconnected(f"{method}: no answer in {REQUEST_TIMEOUT_S:g} s") from None
        except (ConnectionError, aiohttp.ClientError) as error:
            raise Disconnected(f"{self.url}: {error}") from error
        finally:
            self._pending.pop(identity, None)
        return _result_of(method, message)

    # -- the connection

    async def _connect(self) -> None:
        assert self._session is not None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._socket = await self._session.ws_connect(
                    self.url, max_msg_size=MESSAGE_BYTES_MAX, heartbeat=_HEARTBEAT_S
                )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise Disconnected(f"{self.url} cannot be reached: {_reason(error)}") from error
        self.connections += 1
        self._early.clear()
        self._reading = asyncio.create_task(self._read(self._socket))
        try:
            if self._check is not None:
                await self._check(self)
        except BaseException:
            await self._socket.close()
            raise
        self._is_ready.set()

    async def check_call(self, method: str, params: Sequence[object] = ()) -> Any:
        """As `call`, for the check: before the connection counts as up."""
        return await self._request(method, params)

    async def _run(self) -> None:
        pause_s = _PAUSE_FIRST_S
        while True:
            assert self._reading is not None
            await self._reading
            self._is_ready.clear()
            self._drop(Disconnected(f"{self.url}: the connection ended"))
            log.info("connection to %s ended; connecting again", self.url)
            while not self._is_ready.is_set():
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # not all at once
                try:
                    await self._connect()
                    pause_s = _PAUSE_FIRST_S
                except WrongChain as error:
                    self._fatal = error
                    self._is_ready.set()
                    return
                except SdkError as error:
                    log.debug("%s", error)
                    pause_s = min(pause_s * 2, _PAUSE_MAX_S)
            log.info("connected to %s again", self.url)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Take what comes until the connection ends."""
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                document = orjson.loads(message.data)
            except orjson.JSONDecodeError:
                log.warning("%s sent something that is no JSON; disconnecting", self.url)
                break
            for item in document if isinstance(document, list) else (document,):
                if isinstance(item, dict):
                    self._take(item)
        self._is_ready.clear()
        await socket.close()

    def _take(self, message: dict[str, Any]) -> None:
        identity = message.get("id")
        if isinstance(identity, int):
            waiting = self._pending.get(identity)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
            return
        params = message.get("params")
        if not isinstance(params, dict) or not isinstance(params.get("subscription"), str):
            return
        subscription = self._subscriptions.get(params["subscription"])
        if subscription is not None:
            subscription.put(params.get("result"))
        else:  # it may come before the caller has seen the id
            self._early.append((params["subscription"], params.get("result")))

    def _drop(self, reason: Disconnected) -> None:
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(reason)
        for subscription in self._subscriptions.values():
            subscription.end(reason)
        self._subscriptions.clear()


def _result_of(method: str, message: dict[str, Any]) -> Any:
    error = message.get("error")
    if error is None:
        return message.get("result")
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        raise BadAnswer(f"{method}: an error without a code")
    data = error.get("data")
    raise RpcFailed(
        method, error["code"], str(error.get("message")), None if data is None else str(data)
    )


def _reason(error: Exception) -> str:
    """Why there is no connection, without what the library adds for its own developers."""
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return "it is no address as ws://host:port"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "nobody knows that host"
    if isinstance(error, aiohttp.ClientConnectorError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
