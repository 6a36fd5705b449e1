"""The RPC port: HTTP and WebSocket JSON-RPC, `/health` and blobs, on one port.

Limits stand before work: connections, hosts and origins, message sizes, idle times. Invariant: at
most `connections_max` sockets are served; one more is answered 503 and closed.

Source: JSON-RPC 2.0; Substrate `sc_rpc_server`; RFC 6455 (WebSocket); RFC 9110 (HTTP).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import orjson
from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError

from flockchain.rpc.access import Access
from flockchain.rpc.blobs import BlobRoutes
from flockchain.rpc.connection import Connection, SendBudget
from flockchain.rpc.context import RpcContext
from flockchain.rpc.dispatch import Caller, Dispatcher, Observer
from flockchain.rpc.jsonrpc import MESSAGE_BYTES_MAX, error_message, oversized_request
from flockchain.rpc.system import health_json

log = logging.getLogger(__name__)

CONNECTIONS_MAX: Final = 100
IDLE_S: Final = 30.0  # without a request, or for the whole body of one
PING_S: Final = 60.0  # a WebSocket that leaves a ping unanswered for half as long is closed
STOP_S: Final = 2.0
_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
_REFUSAL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 21\r\n"
    b"Content-Type: text/plain\r\n\r\ntoo many connections\n"
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _OurFaults(logging.Filter):
    """Drops what the HTTP parser says of garbage: its sender was told, the operator need not be."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is about the server and not about what it was sent."""
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or not issubclass(kind, HttpProcessingError)


_HTTP_LOG: Final = logging.getLogger(f"{__name__}.http")
_HTTP_LOG.addFilter(_OurFaults())


@dataclass(frozen=True, slots=True)
class RpcConfig:
    """Where to listen and whom to let in. Port 0 lets the system choose."""

    host: str = "127.0.0.1"
    port: int = 9944
    access: Access = field(default_factory=Access)
    connections_max: int = CONNECTIONS_MAX
    idle_s: float = IDLE_S


class RpcServer:
    """The server. `start` before use, `stop` in the end, both once."""

    def __init__(
        self,
        context: RpcContext,
        config: RpcConfig,
        *,
        blobs: BlobRoutes | None = None,
        observe: Observer | None = None,
    ) -> None:
        self.config = config
        self.context = context
        self.port = config.port
        self._dispatcher = Dispatcher(context, observe)
        self._budget = SendBudget()
        self._sockets: dict[int, web.WebSocketResponse] = {}
        self._blobs = blobs
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.AbstractServer | None = None
        self._arriving = 0

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        app = web.Application(client_max_size=MESSAGE_BYTES_MAX, middlewares=[self._admit])
        app.router.add_post("/", self._post)
        app.router.add_get("/", self._websocket)
        app.router.add_get("/health", self._health)
        app.router.add_get("/health/readiness", self._readiness)
        if self._blobs is not None:
            self._blobs.add_to(app.router)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=self.config.idle_s,
            auto_decompress=False,
            handle_signals=False,
            shutdown_timeout=STOP_S,
            logger=_HTTP_LOG,
        )
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            self._new_protocol, self.config.host, self.config.port
        )
        self.port = self._listener.sockets[0].getsockname()[1]
        log.info("JSON-RPC server on %s:%d", self.config.host, self.port)

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        if self._listener is not None:
            self._listener.close()
        for socket in list(self._sockets.values()):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the node stops")
        if self._runner is not None:
            await self._runner.cleanup()
        self.context.watch.close()

    @property
    def connection_count(self) -> int:
        """Open sockets, WebSocket and HTTP."""
        server = self._runner.server if self._runner is not None else None
        return 0 if server is None else len(server.connections)

    # -- admission

    def _new_protocol(self) -> asyncio.Protocol:
        """A protocol for an accepted socket: one that serves, or one that says 503."""
        assert self._runner is not None, "called by the listener that start made"
        server = self._runner.server
        assert server is not None, "the runner was set up"
        if self.connection_count + self._arriving >= self.config.connections_max:
            return _Refusal()
        # Until connection_made runs, in this turn's order, the socket is in nobody's list.
        self._arriving += 1
        asyncio.get_running_loop().call_soon(self._arrived)
        return server()

    def _arrived(self) -> None:
        self._arriving -= 1

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        access, origin = self.config.access, request.headers.get("Origin")
        if not access.is_host_allowed(request.headers.get("Host")):
            return web.Response(status=403, text="Provided Host header is not whitelisted.\n")
        if not access.is_origin_allowed(origin):
            return web.Response(status=403, text="Origin is not allowed by --rpc-cors.\n")
        if request.headers.get("Content-Encoding", "identity") != "identity":
            return web.Response(status=415, text="Compressed requests are not accepted.\n")
        if request.method == "OPTIONS":
            response: web.StreamResponse = web.Response(status=204)
        else:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                response = web.Response(status=error.status, text=f"{error.reason}\n")
        if not response.prepared:
            response.headers.update(cors_headers(origin))
        return response

    def _caller(self, request: web.Request, connection: Connection | None = None) -> Caller:
        is_forwarded = any(name in request.headers for name in _FORWARDED)
        is_trusted = self.config.access.is_trusted(
            request.remote, request.headers.get("Origin"), is_forwarded=is_forwarded
        )
        return Caller(is_trusted, connection)

    # -- HTTP

    async def _post(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            return web.Response(status=415, text="Content-Type must be application/json.\n")
        try:
            async with asyncio.timeout(self.config.idle_s):
                raw = await request.read()
        except TimeoutError:
            return web.Response(status=408, text="The request took too long to arrive.\n")
        except web.HTTPRequestEntityTooLarge:
            body = error_message(None, oversized_request())
            return web.Response(status=413, body=body, content_type="application/json")
        answer = await self._dispatcher.answer(raw, self._caller(request))
        return web.Response(body=answer or b"", content_type="application/json")

    async def _health(self, request: web.Request) -> web.StreamResponse:
        body = orjson.dumps(health_json(self.context))
        return web.Response(body=body, content_type="application/json")

    async def _readiness(self, request: web.Request) -> web.StreamResponse:
        """200 when the node can be used, 500 while it catches up or has nobody to ask."""
        health = health_json(self.context)
        is_lonely = health["shouldHavePeers"] and not health["peers"]
        status = 500 if health["isSyncing"] or is_lonely else 200
        return web.Response(
            status=status, body=orjson.dumps(health), content_type="application/json"
        )

    # -- WebSocket

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            max_msg_size=MESSAGE_BYTES_MAX, heartbeat=PING_S, compress=False, timeout=STOP_S
        )
        if not socket.can_prepare(request).ok:
            return web.Response(
                status=405, text="JSON-RPC takes POST or a WebSocket.\n", headers={"Allow": "POST"}
            )
        await socket.prepare(request)
        connection = Connection(self._budget)
        self._sockets[id(socket)] = socket
        writer = asyncio.create_task(self._write(socket, connection))
        guard = asyncio.create_task(self._disconnect_slow(request, connection))
        try:
            await self._read(socket, connection, self._caller(request, connection))
        finally:
            del self._sockets[id(socket)]
            connection.close()
            writer.cancel()
            guard.cancel()
            await asyncio.gather(writer, guard, return_exceptions=True)
        return socket

    async def _read(
        self, socket: web.WebSocketResponse, connection: Connection, caller: Caller
    ) -> None:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                raw = message.data.encode()
            elif message.type is WSMsgType.BINARY:
                raw = message.data
            else:
                return
            connection.respond(await self._dispatcher.answer(raw, caller))
            await connection.wait_for_room()

    @staticmethod
    async def _write(socket: web.WebSocketResponse, connection: Connection) -> None:
        try:
            while True:
                message = await connection.next_message()
                await socket.send_frame(message, WSMsgType.TEXT)
                connection.sent()
        except ConnectionError:
            return  # the peer is gone; the reader ends and cleans up

    @staticmethod
    async def _disconnect_slow(request: web.Request, connection: Connection) -> None:
        await connection.is_overrun.wait()
        log.info("disconnected %s: it does not read what it subscribed to", request.remote)
        if request.transport is not None:
            request.transport.abort()


def cors_headers(origin: str | None) -> dict[str, str]:
    """What a browser needs to hand the answer to a page that was let in."""
    if origin is None:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT",
        "Access-Control-Allow-Headers": (
            "content-type, range, x-flock-account, x-flock-scheme, x-flock-signature"
        ),
        "Access-Control-Expose-Headers": "content-range, etag",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


class _Refusal(asyncio.Protocol):
    """Answers 503 and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport), "TCP transports can be written to"
        transport.write(_REFUSAL)
        transport.close()
