"""A JSON-RPC client for tests: one HTTP call, or a WebSocket whose messages come in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import ClientSession, ClientWebSocketResponse

WAIT_S = 5.0


async def post(url: str, body: object, **headers: str) -> tuple[int, Any]:
    """Status and document of a POST; `body` is sent as it is if it is bytes."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    sent = {"Content-Type": "application/json"}
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    async with ClientSession() as session, session.post(url, data=data, headers=sent) as response:
        raw = await response.read()
        is_json = response.content_type == "application/json"
        return response.status, orjson.loads(raw) if is_json and raw else raw


async def call(url: str, method: str, *params: object) -> Any:
    """The result of one method over HTTP; the error object if it failed."""
    _, document = await post(url, request(method, *params))
    return document["result"] if "result" in document else document["error"]


def request(method: str, *params: object, identity: object = 1) -> dict[str, object]:
    """A request object."""
    return {"jsonrpc": "2.0", "id": identity, "method": method, "params": list(params)}


async def settle(condition: Callable[[], bool]) -> None:
    """Let the event loop turn until something has happened. Raises TimeoutError."""
    async with asyncio.timeout(WAIT_S):
        for _ in range(1_000_000):
            if condition():
                return
            await asyncio.sleep(0)


class Socket:
    """A WebSocket connection."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, method: str, *params: object, identity: object = 1) -> None:
        """Send a request and do not wait."""
        await self.socket.send_bytes(orjson.dumps(request(method, *params, identity=identity)))

    async def receive(self) -> Any:
        """The next message."""
        message = await self.socket.receive(timeout=WAIT_S)
        assert isinstance(message.data, str), f"the server closed: {message!r}"
        return orjson.loads(message.data)

    async def call(self, method: str, *params: object) -> Any:
        """The result of one method; the next message must be its response."""
        await self.send(method, *params)
        document = await self.receive()
        return document["result"] if "result" in document else document["error"]

    async def notification(self, method: str, subscription: str) -> Any:
        """The result of the next message, which must be a notification of that subscription."""
        document = await self.receive()
        assert document["method"] == method
        assert document["params"]["subscription"] == subscription
        return document["params"]["result"]


@asynccontextmanager
async def connected(url: str, **headers: str) -> AsyncIterator[Socket]:
    """A WebSocket to the server."""
    async with ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
        yield Socket(socket)
