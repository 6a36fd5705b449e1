"""Which addresses a gateway connects to, by name, by number and after a redirect."""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientResponse, ClientSession, web

from flockchain.keys import key_pair_from_uri
from flockchain.marketplace.evidence import EvidenceFolder
from flockchain.marketplace.gateway import Gateway, Route
from flockchain.marketplace.ledger import Channel
from flockchain.marketplace.promises import Line, Promises
from flockchain.marketplace.public_addresses import PrivateAddress, is_public, public_socket
from runtime.primitives.types import FML, Hash

HOST = key_pair_from_uri("//LuringHost")


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.216.34",
        "2606:4700:4700::1111",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
    ],
)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "2002:7f00:1::"),
        *("64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2001:0:1:2:3:4:80ff:fffe"),
        *("fec0::1", "feff::1", "64:ff9b:1::808:808", "64:ff9b:1:a00:0:100:808:808"),
        *("localhost", "127.1", ""),
    ],
)
def test_not_public(address: str) -> None:
    assert not is_public(address)


def test_a_socket_is_made_for_a_public_address_only() -> None:
    public = public_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 443)))
    assert public.family is socket.AF_INET
    public.close()
    with pytest.raises(PrivateAddress, match=r"10\.0\.0\.1 is no public address; --allow-private"):
        public_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443)))


@dataclass
class OneHost:
    """A chain with one host, to which nobody has a channel."""

    endpoint: str

    async def routes(self) -> list[Route]:
        return [Route(Line(HOST.account, bytes(32)), "tiny", self.endpoint, FML)]

    async def channel(self, line: Line) -> Channel | None:
        return None

    async def day(self) -> int:
        return 0


async def ask(directory: Path, endpoint: str, *, is_private_allowed: bool) -> ClientResponse:
    """What a caller's gateway says to a question for the host."""
    pair, genesis = key_pair_from_uri("//LuredCaller"), Hash(bytes(32))
    promises = Promises(directory, genesis, pair)
    served = Gateway(
        *(pair, genesis, OneHost(endpoint), promises, EvidenceFolder(directory)),
        is_private_allowed=is_private_allowed,
    )
    await served.start()
    try:
        async with (
            ClientSession() as session,
            session.post(
                f"http://127.0.0.1:{served.port}/v1/completions",
                json={"model": "tiny", "prompt": "?"},
                allow_redirects=False,
            ) as response,
        ):
            await response.read()
            return response
    finally:
        await served.stop()
        promises.close()


@pytest.mark.parametrize("place", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_a_gateway_connects_to_no_machine_of_its_own_network(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    visits: list[object] = []

    async def run() -> ClientResponse:
        listener = await asyncio.start_server(lambda *ends: visits.append(ends), "127.0.0.1", 0)
        async with listener:
            port = listener.sockets[0].getsockname()[1]
            endpoint = f"http://{place}:{port}/v1"
            return await ask(tmp_path, endpoint, is_private_allowed=False)

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(run()).status == 502
    assert visits == []
    assert "is no public address; --allow-private lets it pass" in caplog.text


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    visits: list[str] = []

    async def lure(request: web.Request) -> web.Response:
        visits.append(request.path)
        return web.Response(status=307, headers={"Location": "/secret"})

    async def run() -> ClientResponse:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", lure)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            return await ask(tmp_path, endpoint, is_private_allowed=True)
        finally:
            await runner.cleanup()

    answer = asyncio.run(run())
    assert (answer.status, answer.headers.get("Location")) == (307, None)
    assert visits == ["/v1/completions"]
