"""A relay before a node that writes down all that comes from the worker's side, unmasked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, WSMsgType, web

from flockchain.keys import KeyPair

_HOP = {"Host", "Content-Length", "Transfer-Encoding", "Connection"}


class RecordingRelay:
    """One a URL. `sent` holds each connection's WebSocket messages and HTTP requests."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.sent: list[list[bytes]] = []
        self.url = ""

    @property
    def everything(self) -> bytes:
        """All of it in a row."""
        return b"\n".join(part for connection in self.sent for part in connection)

    def names(self, key: KeyPair) -> bool:
        """Whether an account was named, in any form that a client would write it."""
        text = self.everything.lower()
        return (
            key.account in self.everything
            or key.account.hex().encode() in text
            or key.address().lower().encode() in text
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass on a request of any kind."""
        record = [f"{request.method} {request.path_qs} {dict(request.headers)}".encode()]
        self.sent.append(record)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._relay_socket(request, record)
        body = await request.read()
        record.append(body)
        headers = {name: value for name, value in request.headers.items() if name not in _HOP}
        url = self.upstream.replace("ws://", "http://") + request.path_qs
        async with (
            ClientSession() as session,
            session.request(request.method, url, data=body, headers=headers) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())

    async def _relay_socket(self, request: web.Request, record: list[bytes]) -> web.StreamResponse:
        inner = web.WebSocketResponse(max_msg_size=0)
        await inner.prepare(request)
        async with (
            ClientSession() as session,
            session.ws_connect(self.upstream, max_msg_size=0) as outer,
        ):

            async def answer() -> None:
                async for message in outer:
                    if message.type is WSMsgType.TEXT:
                        await inner.send_str(message.data)
                    else:
                        await inner.send_bytes(message.data)

            answering = asyncio.create_task(answer())
            async for message in inner:
                data = message.data
                record.append(data.encode() if isinstance(data, str) else data)
                if message.type is WSMsgType.TEXT:
                    await outer.send_str(data)
                else:
                    await outer.send_bytes(data)
            answering.cancel()
        return inner


@asynccontextmanager
async def relaying(upstream: str) -> AsyncIterator[RecordingRelay]:
    """A relay that listens until the context ends."""
    relay = RecordingRelay(upstream)
    app = web.Application(client_max_size=1 << 28)
    app.router.add_route("*", "/{path:.*}", relay.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    relay.url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield relay
    finally:
        await runner.cleanup()
