"""A caller's own door to all hosts: OpenAI's API on loopback, a voucher signed for every call.

Any OpenAI client points here and needs no key; the caller's key never leaves this process. Free
calls are asked for first; when a host says 402 and there is a channel, the call goes again with a
voucher. Owns the choice of a host and the passing on of answers as they come. Invariant: a body is
passed on as it is, so that the host's signature is over what the caller sent. Redirects are not
followed, and no connection goes to an address that is not public unless the owner allows it.
Source: WP II.C, III.B.2; OpenAI's API reference.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import aiohttp
from aiohttp import web

from flockchain.keys import KeyPair
from flockchain.marketplace.credentials import VOUCHER_HEADER, make_key, write_voucher
from flockchain.marketplace.errors import ApiError, bad_key, bad_request, failed, no_such_model
from flockchain.marketplace.evidence import (
    RESPONSE_BYTES_MAX,
    EvidenceFolder,
    NotSigned,
    Question,
    check_response,
)
from flockchain.marketplace.ledger import Channel
from flockchain.marketplace.promises import Line, Overcharged, Promises
from flockchain.marketplace.public_addresses import public_socket
from flockchain.marketplace.request_fields import RequestFields
from flockchain.sdk.errors import SdkError
from runtime.primitives.content_id import cid_text
from runtime.primitives.types import Hash
from runtime.primitives.vouchers import Grant

log = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 4 << 20
AMOUNT_DIGITS_MAX: Final = 39  # of 2^128
STALL_S: Final = 300.0  # without a byte of an answer
_PATHS: Final = ("chat/completions", "completions", "embeddings", "predict")
_PASSED_ON: Final = (
    *("Content-Type", "X-Request-Id", "Retry-After"),
    *("X-Flock-Charge", "X-Flock-Spent", "X-Flock-Due"),
)
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=STALL_S)


@dataclass(frozen=True, slots=True)
class Route:
    """A host's offer: `endpoint` ends in /v1, `price` in planck a call."""

    line: Line
    name: str
    endpoint: str
    price: int


class MarketReader(Protocol):
    """What the gateway asks of the chain. All raise SdkError."""

    async def routes(self) -> Sequence[Route]:
        """Every offer that is open now."""

    async def channel(self, line: Line) -> Channel | None:
        """The caller's channel."""

    async def day(self) -> int:
        """The chain's day."""


@dataclass(slots=True)
class _Attempt:
    """A call to one host: with what it is paid, and what the host said of it."""

    route: Route
    body: bytes
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    is_passed_on: bool = False


class Gateway:
    """The gateway. `start` before use, `stop` in the end, both once; port 0 is any."""

    def __init__(
        self,
        pair: KeyPair,
        genesis: Hash,
        market: MarketReader,
        promises: Promises,
        evidence: EvidenceFolder,
        *,
        token: str | None = None,
        port: int = 0,
        is_private_allowed: bool = False,
    ) -> None:
        """`is_private_allowed`: endpoints may be on this machine and in its network."""
        self.port = port
        self._pair = pair
        self._genesis = genesis
        self._market = market
        self._promises = promises
        self._evidence = evidence
        self._token = token
        self._socket_factory = None if is_private_allowed else public_socket
        self._paying: dict[Line, int] = {}  # the day on which free calls were used up
        self._http: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on loopback. Raises OSError if the port is taken."""
        connector = aiohttp.TCPConnector(socket_factory=self._socket_factory)
        self._http = aiohttp.ClientSession(
            connector=connector, timeout=_TIMEOUT, auto_decompress=False
        )
        app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[self._admit])
        app.router.add_get("/v1/models", self._models)
        for path in _PATHS:
            app.router.add_post(f"/v1/{path}", self._call)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        log.info("point OpenAI clients to http://127.0.0.1:%d/v1", self.port)

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._http is not None:
            await self._http.close()

    # -- the door

    @web.middleware
    async def _admit(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        try:
            self._ensure_own(request)
            return await handler(request)
        except SdkError as error:
            refusal = failed(f"the node cannot be asked: {error}", 503)
        except ApiError as error:
            refusal = error
        return web.json_response(refusal.body(), status=refusal.status, headers=refusal.headers)

    def _ensure_own(self, request: web.Request) -> None:
        """Pages in a browser could spend what is signed here, so they are not let in."""
        if "Origin" in request.headers or not (request.host or "").startswith(
            ("127.0.0.1:", "localhost:")
        ):
            raise ApiError(403, "the gateway serves programs on this machine", "permission_error")
        if self._token is not None:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                raise bad_key("the gateway was started with --token: use it as the API key")

    async def _models(self, request: web.Request) -> web.StreamResponse:
        named: dict[str, Route] = {}
        for route in await self._market.routes():
            known = named.get(route.name)
            if known is None or route.price < known.price:
                named[route.name] = route
        listed = [
            {
                "id": name,
                "object": "model",
                "created": 0,
                "owned_by": "flock",
                "flock": {"model": cid_text(route.line.model), "price_planck": str(route.price)},
            }
            for name, route in sorted(named.items())
        ]
        return web.json_response({"object": "list", "data": listed})

    # -- calls

    async def _call(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        name = RequestFields.parse(body).text("model")
        path = request.path.removeprefix("/v1/")
        problem: ApiError = no_such_model(name)
        for route in await self._candidates(name):
            attempt = _Attempt(route, body, path)
            try:
                return await self._try(request, attempt)
            except aiohttp.ClientConnectionError as error:
                if attempt.is_passed_on:
                    raise  # the caller went away, or the host did in the middle: no second answer
                log.warning("host 0x%s: %s", route.line.host.hex()[:8], error)
                problem = failed(f"no host of {name} can be reached", 502)
        raise problem

    async def _candidates(self, name: str) -> list[Route]:
        """Hosts of a model: where there is a channel first, then by price."""
        found = [
            (await self._market.channel(route.line) is None, route.price, route.line, route)
            for route in await self._market.routes()
            if name in (route.name, cid_text(route.line.model))
        ]
        return [each[-1] for each in sorted(found, key=lambda each: each[:3])]

    async def _try(self, request: web.Request, attempt: _Attempt) -> web.StreamResponse:
        """Free first, then for pay; what the host says then is the answer."""
        route, day = attempt.route, await self._market.day()
        key = make_key(self._pair, self._grant(route.line, day))
        attempt.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        if self._paying.get(route.line) != day:
            async with self._post(attempt) as response:
                due = response.headers.get("X-Flock-Due")
                if response.status != 402 or due is None:
                    return await self._pass_on(request, attempt, response)
            self._agree(route, _planck(due))
            self._paying[route.line] = day
        return await self._pay(request, attempt, is_last=False)

    async def _pay(
        self, request: web.Request, attempt: _Attempt, *, is_last: bool
    ) -> web.StreamResponse:
        route = attempt.route
        channel = await self._market.channel(route.line)
        if channel is None:
            raise ApiError(
                402,
                "free calls are used up, and there is no channel to pay from: open one with "
                f"`flockchain market open --host 0x{route.line.host.hex()} --model "
                f"{cid_text(route.line.model)}`",
                "insufficient_quota",
                "payment_required",
            )
        self._promises.note_settled(route.line, channel.settled)
        voucher = await self._promises.pay(route.line, route.price)
        attempt.headers[VOUCHER_HEADER] = write_voucher(voucher)
        charged_to: int | None = None
        try:
            async with self._post(attempt) as response:
                spent, due = (response.headers.get(f"X-Flock-{n}") for n in ("Spent", "Due"))
                if response.status != 402 or due is None or is_last:
                    charged_to = None if spent is None else _planck(spent)
                    return await self._pass_on(request, attempt, response)
        finally:
            self._promises.ended(route.line, route.price, charged_to)
        # The host counts more than this file knows of, as after a crash between the two.
        self._agree(route, _planck(due))
        return await self._pay(request, attempt, is_last=True)

    def _agree(self, route: Route, due: int) -> None:
        try:
            self._promises.agree(route.line, due, route.price)
        except Overcharged as error:
            raise failed(str(error), 502) from error

    def _grant(self, line: Line, day: int) -> Grant:
        return Grant(self._genesis, self._pair.account, line.host, line.model, 0, day + 1, 0)

    @asynccontextmanager
    async def _post(self, attempt: _Attempt) -> AsyncIterator[aiohttp.ClientResponse]:
        assert self._http is not None, "start comes first"
        url = f"{attempt.route.endpoint.rstrip('/')}/{attempt.path}"
        try:
            async with self._http.post(
                url, data=attempt.body, headers=attempt.headers, allow_redirects=False
            ) as response:
                yield response
        except (aiohttp.InvalidURL, ValueError) as error:
            raise bad_request(f"the host's endpoint {url[:200]!r} is no URL") from error

    async def _pass_on(
        self, request: web.Request, attempt: _Attempt, response: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        """The host's answer, as it comes; what it signed is kept."""
        headers = {name: response.headers[name] for name in _PASSED_ON if name in response.headers}
        headers["X-Flock-Host"] = "0x" + attempt.route.line.host.hex()
        passed = web.StreamResponse(status=response.status, headers=headers)
        attempt.is_passed_on = True
        await passed.prepare(request)
        seen = bytearray()
        async for piece in response.content.iter_any():
            await passed.write(piece)
            if len(seen) < RESPONSE_BYTES_MAX:
                seen += piece
        if response.status == 200 and attempt.path != "embeddings":
            await self._keep(attempt, bytes(seen))
        await passed.write_eof()
        return passed

    async def _keep(self, attempt: _Attempt, response: bytes) -> None:
        host, model = attempt.route.line
        question = Question(self._genesis, self._pair.account, host, model, attempt.body)
        try:
            evidence: dict[str, Any] = check_response(question, response)
        except NotSigned as error:
            log.warning("host 0x%s: %s", host.hex()[:8], error)
            return
        try:
            await asyncio.to_thread(self._evidence.keep, evidence)
        except OSError as error:  # the caller has its answer all the same
            log.warning("an answer could not be kept: %s", error)


def _planck(header: str) -> int:
    """An amount that a host names. Raises ApiError: hosts may send anything."""
    if len(header) > AMOUNT_DIGITS_MAX or not (header.isascii() and header.isdigit()):
        raise failed(f"the host names {header[:50]!r} as an amount in planck", 502)
    return int(header)
