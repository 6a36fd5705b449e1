"""A host's HTTP port: OpenAI's API, `/v1/predict`, and `/health`.

Owns routes, limits on bodies, and the door through which refusals leave as JSON. Invariant: nothing
here computes for long: models run in `inference`'s process, the book's syncs in a thread.
Source: OpenAI's API reference; RFC 9110; the HTML standard (server-sent events); WP II.C.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Final

import orjson
from aiohttp import web

from flockchain.marketplace.accounts import Caller
from flockchain.marketplace.answered import (
    DONE,
    Json,
    Shape,
    embeddings,
    predictions,
    server_sent,
    usage_of,
)
from flockchain.marketplace.asked import Generate, read_embed, read_generate, read_predict
from flockchain.marketplace.calls import Calls, Generated, Paid
from flockchain.marketplace.catalogue import ServedModel
from flockchain.marketplace.credentials import VOUCHER_HEADER
from flockchain.marketplace.errors import ApiError, bad_request, failed
from flockchain.marketplace.market_metrics import MarketMetrics
from runtime.primitives.content_id import cid_text

log = logging.getLogger(__name__)

IDLE_S: Final = 75.0
BODY_S: Final = 60.0  # for the whole body of a request
STOP_S: Final = 5.0
_MODEL: Final[web.RequestKey[str]] = web.RequestKey("model", str)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MarketServer:
    """The server. `start` before use, `stop` in the end, both once; port 0 is any."""

    def __init__(self, calls: Calls, host: str = "127.0.0.1", port: int = 0) -> None:
        self.port = port
        self.metrics = MarketMetrics(lambda: calls.running.total)
        self._calls = calls
        self._host = host
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        app = web.Application(
            client_max_size=self._calls.limits.body_bytes_max, middlewares=[self._admit]
        )
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/models/{name}", self._model)
        app.router.add_post("/v1/chat/completions", self._generate)
        app.router.add_post("/v1/completions", self._generate)
        app.router.add_post("/v1/embeddings", self._embeddings)
        app.router.add_post("/v1/predict", self._predict)
        app.router.add_get("/health", self._health)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=IDLE_S,
            handle_signals=False,
            shutdown_timeout=STOP_S,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        log.info("models are served on http://%s:%d/v1", self._host, self.port)

    async def stop(self) -> None:
        """Stop listening; running answers have a moment to end."""
        if self._runner is not None:
            await self._runner.cleanup()

    # -- the door

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        try:
            response = await handler(request)
        except ApiError as error:
            response = _json(error.body(), error.status, dict(error.headers))
        except web.HTTPException as error:
            refusal = ApiError(error.status, error.reason, "invalid_request_error")
            response = _json(refusal.body(), error.status)
        except Exception:
            log.exception("%s failed", request.path)
            response = _json(failed("the host has a fault; it was written down").body(), 500)
        response.headers.setdefault("X-Request-Id", secrets.token_hex(8))
        path = request.match_info.route.resource
        shown = "unknown" if path is None else path.canonical
        seconds = time.perf_counter() - began
        self.metrics.on_call(shown, request.get(_MODEL, ""), response.status, seconds)
        return response

    def _caller(self, request: web.Request) -> Caller:
        return self._calls.accounts.authenticate(
            request.headers.get("Authorization"), request.headers.get(VOUCHER_HEADER)
        )

    async def _body(self, request: web.Request) -> bytes:
        try:
            async with asyncio.timeout(BODY_S):
                return await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            most = self._calls.limits.body_bytes_max
            raise ApiError(
                413, f"the body is longer than {most} bytes", "invalid_request_error"
            ) from error
        except TimeoutError as error:
            raise bad_request("the body took too long to arrive") from error

    def _find(self, request: web.Request, name: str) -> str:
        """The model's name, noted for the metrics once it is known. Raises ApiError."""
        request[_MODEL] = self._calls.catalogue.find(name).name
        return name

    # -- models

    async def _models(self, request: web.Request) -> web.StreamResponse:
        listed = [_listed(model) for model in self._calls.catalogue.all()]
        return _json({"object": "list", "data": listed})

    async def _model(self, request: web.Request) -> web.StreamResponse:
        return _json(_listed(self._calls.catalogue.find(request.match_info["name"])))

    async def _health(self, request: web.Request) -> web.StreamResponse:
        return _json({"status": "ok", "running": self._calls.running.total})

    # -- answers

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        body, caller = await self._body(request), self._caller(request)
        asked = read_generate(body, self._calls.limits)
        is_chat = request.path.endswith("/chat/completions")
        if is_chat != (asked.messages is not None):
            field = "messages" if is_chat else "prompt"
            raise bad_request(f"{field} is missing", field)
        response = web.StreamResponse(headers={"Cache-Control": "no-cache"})
        response.content_type = "text/event-stream"
        try:
            async with self._calls.enter(caller, self._find(request, asked.model)) as paid:
                shape = self._shape(paid.model, is_chat=is_chat)
                if not asked.is_stream:
                    return await self._whole(paid, asked, body, shape)
                response.headers.update(paid.headers)
                await self._stream(request, response, (paid, asked, body, shape))
        except ApiError as error:
            if not response.prepared:
                raise
            await response.write(server_sent(error.body()))
            await response.write_eof()
        except ConnectionError:
            log.info("a caller went away before its answer was whole")
        return response

    def _shape(self, model: ServedModel, *, is_chat: bool) -> Shape:
        return Shape(
            identity=("chatcmpl-" if is_chat else "cmpl-") + secrets.token_hex(12),
            created=self._calls.clock.now_ms() // 1000,
            model=model.name,
            version=model.text,
            is_chat=is_chat,
        )

    async def _whole(
        self, paid: Paid, asked: Generate, body: bytes, shape: Shape
    ) -> web.StreamResponse:
        found = Generated()
        async with aclosing(self._calls.generate(paid, asked, body)) as pieces:
            async for _, so_far in pieces:
                found = so_far
        self._count(paid, found.usage)
        whole = shape.whole("".join(found.text), found.finish, found.usage)
        return _json({**whole, **_extras(found)}, headers=paid.headers)

    async def _stream(
        self,
        request: web.Request,
        response: web.StreamResponse,
        call: tuple[Paid, Generate, bytes, Shape],
    ) -> None:
        """Chunks as they come. Nothing is sent before the first one is there, so that a refusal
        still has its status."""
        paid, asked, body, shape = call
        began = time.perf_counter()
        async with aclosing(self._calls.generate(paid, asked, body)) as pieces:
            async for text, found in pieces:
                if not response.prepared:
                    self.metrics.on_first_token(paid.model.name, time.perf_counter() - began)
                    await response.prepare(request)
                    await response.write(server_sent(shape.chunk("", is_first=True)))
                if text:
                    await response.write(server_sent(shape.chunk(text)))
                if found.finish:
                    last = {**shape.chunk("", finish=found.finish), **_extras(found)}
                    await response.write(server_sent(last))
                    if asked.has_usage_chunk:
                        await response.write(server_sent(shape.usage_chunk(found.usage)))
                    self._count(paid, found.usage)
        await response.write(DONE)
        await response.write_eof()

    async def _embeddings(self, request: web.Request) -> web.StreamResponse:
        body, caller = await self._body(request), self._caller(request)
        asked = read_embed(body)
        async with self._calls.enter(caller, self._find(request, asked.model)) as paid:
            found = await self._calls.embed(paid, asked)
            used = found["prompt_tokens"]
            self._count(paid, usage_of(used, 0))
            answer = embeddings(found["vectors"], paid.model.name, used, is_base64=asked.is_base64)
            return _json(answer, headers=paid.headers)

    async def _predict(self, request: web.Request) -> web.StreamResponse:
        body, caller = await self._body(request), self._caller(request)
        asked = read_predict(body)
        async with self._calls.enter(caller, self._find(request, asked.model)) as paid:
            found, signed = await self._calls.predict(paid, asked, body)
            answer = predictions(found, paid.model.name)
            self._count(paid, answer["usage"])
            return _json({**answer, "flock": signed}, headers=paid.headers)

    def _count(self, paid: Paid, usage: Json) -> None:
        self.metrics.on_served(
            paid.model.name,
            usage["prompt_tokens"],
            usage["completion_tokens"],
            paid.charge.amount,
        )


def _listed(model: ServedModel) -> Json:
    return {
        "id": model.name,
        "object": "model",
        "created": model.created,
        "owned_by": "flock",
        "flock": {
            "model": cid_text(model.offer),
            "version": model.text,
            "kind": model.kind,
            "price_planck": str(model.price),
        },
    }


def _extras(found: Generated) -> Json:
    extras: Json = {"flock": found.tail}
    return {**extras, "citations": found.citations} if found.citations else extras


def _json(
    value: Json, status: int = 200, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    return web.Response(
        body=orjson.dumps(value), status=status, content_type="application/json", headers=headers
    )
