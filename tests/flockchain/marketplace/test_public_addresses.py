"""Which addresses a gateway connects to, by name, by number and after a redirect."""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path

import openai
import pytest
from aiohttp import web

from flockchain.keys import key_pair_from_uri
from flockchain.marketplace.gateway import Route
from flockchain.marketplace.promises import Line
from flockchain.marketplace.public_addresses import PrivateAddress, is_public, public_socket
from tests.flockchain.marketplace.market_world import HOST, MODEL, PRICE, World
from tests.flockchain.marketplace.test_gateway import gateway


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1"],
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
        *("localhost", "127.1", ""),
    ],
)
def test_not_public(address: str) -> None:
    assert not is_public(address)


def test_a_socket_is_made_for_a_public_address_only() -> None:
    public = public_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 443)))
    assert public.family is socket.AF_INET
    public.close()
    with pytest.raises(PrivateAddress, match=r"^10\.0\.0\.1 is no public address; --allow-private"):
        public_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443)))


@pytest.mark.parametrize("place", ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]"])
def test_a_gateway_connects_to_no_machine_of_its_own_network(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    visits: list[object] = []

    async def run() -> None:
        listener = await asyncio.start_server(lambda *ends: visits.append(ends), "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        pair = key_pair_from_uri("//LuredCaller")
        async with listener, gateway(world, tmp_path, pair, is_private_allowed=False) as door:
            door.market.routes_now = [
                Route(Line(HOST.account, MODEL), "tiny", f"http://{place}:{port}/v1", PRICE)
            ]
            with pytest.raises(openai.InternalServerError, match="no host of tiny can be reached"):
                await door.ask()

    with caplog.at_level(logging.WARNING):
        world.run(run())
    assert visits == []
    assert "is no public address" in caplog.text


def test_a_redirect_is_not_followed(world: World, tmp_path: Path) -> None:
    visits: list[str] = []

    async def lure(request: web.Request) -> web.Response:
        visits.append(request.path)
        return web.Response(status=307, headers={"Location": "/secret"})

    async def run() -> None:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", lure)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        pair = key_pair_from_uri("//SentOnCaller")
        async with gateway(world, tmp_path, pair) as door:
            door.market.routes_now = [Route(Line(HOST.account, MODEL), "tiny", url, PRICE)]
            with pytest.raises(openai.APIStatusError) as caught:
                await door.ask()
            assert caught.value.status_code == 307
            assert "Location" not in caught.value.response.headers
        await runner.cleanup()

    world.run(run())
    assert visits == ["/v1/chat/completions"]
