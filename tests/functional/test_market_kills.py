"""A model host and a caller's gateway are killed in the middle of calls: what is owed stays right.

The serving process is paused while a call is on its way, so that the kill comes before an answer.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from aiohttp import ClientError, ClientSession

from flockchain.devnet.checks import check_conservation
from flockchain.devnet.processes import free_port
from flockchain.keys import key_pair_from_uri
from flockchain.sdk import Client, Wait
from genesis.raw import RawGenesis
from genesis.spec import load_chain_spec
from ml.language.bundle import pack_directory
from ml.language.tiny_llama import TinyOptions, train_tiny_llama
from runtime.api import preset_of
from runtime.frame.externalities import DictState, Externalities
from runtime.frame.pallet import encode_call
from runtime.pallets.marketplace import Marketplace
from runtime.pallets.marketplace.events import InferenceAnswered, RequestExpired, Settled
from runtime.pallets.marketplace.records import Line
from runtime.primitives.content_id import content_id
from runtime.primitives.types import FML
from runtime.runtime import Runtime
from tests.functional.conftest import StartCommand, StartNode
from tests.functional.node_process import CommandProcess, NodeProcess

pytestmark = pytest.mark.long

HOST: Final = key_pair_from_uri("//Bob", "ed25519")
CALLER: Final = key_pair_from_uri("//Charlie", "ed25519")
PRICE: Final = FML // 4
CALLS: Final = 4  # two of them without an answer
WAIT_S: Final = 90.0
LOOK_S: Final = 0.2


def tiny_model(directory: Path) -> bytes:
    """A language model that has learned next to nothing; its content id."""
    said = [[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]]
    train_tiny_llama(said, directory, TinyOptions(width=16, layers=1, heads=2, steps=1))
    return content_id(pack_directory(directory)[0])


def write_spec(path: Path, model: bytes) -> None:
    """The development chain, on which task 0 left the model to the caller."""
    spec = load_chain_spec("dev")
    top = dict(spec.genesis_top())
    ext = Externalities(DictState(top))
    runtime = Runtime(ext, preset_of(DictState(top)))
    runtime.models.record_model(0, model, 0, CALLER.account, (9, 10), [])
    changed = {**top, **ext.changes()}
    whole = {key: value for key, value in changed.items() if value is not None}
    path.write_text(replace(spec, genesis=RawGenesis(whole)).to_json(is_raw=True))


async def until(node: NodeProcess, is_so: Callable[[], bool]) -> None:
    """Look again whenever the node's log goes on: a line with each block at least."""
    async with asyncio.timeout(WAIT_S):
        while not is_so():
            await asyncio.to_thread(node.wait_for_more, LOOK_S)


@dataclass
class Market:
    """The chain, and how the two processes are started again over what they left."""

    node: NodeProcess
    start: StartCommand
    directory: Path
    model: bytes
    host_port: int
    gateway_port: int

    def start_host(self) -> CommandProcess:
        """A host that serves its model."""
        host = self.start(
            *("worker", "host", "--task", "0", "--price", "0.25", "--key", "//Bob"),
            *("--scheme", "ed25519", "--rpc", self.node.url, "--port", str(self.host_port)),
            *("--files", str(self.directory / "model"), "--device", "cpu"),
            *("--settle-at", "1 FML", "--state-dir", str(self.directory / "host")),
        )
        host.wait_for("serves task-0", WAIT_S)
        return host

    async def served(self) -> None:
        """Return when the host lists its model."""
        url = f"http://127.0.0.1:{self.host_port}/v1/models"
        async with ClientSession() as session, asyncio.timeout(WAIT_S):
            while True:
                async with session.get(url) as response:
                    if (await response.json())["data"]:
                        return
                await asyncio.to_thread(self.node.wait_for_more, LOOK_S)

    def start_gateway(self) -> CommandProcess:
        """The caller's gateway, open for calls."""
        gateway = self.start(
            *("market", "gateway", "--key", "//Charlie", "--scheme", "ed25519", "--allow-private"),
            *("--rpc", self.node.url, "--port", str(self.gateway_port)),
            *("--state-dir", str(self.directory / "gateway")),
        )
        gateway.wait_for("point OpenAI clients to", WAIT_S)
        return gateway

    async def ask(self) -> tuple[int, int]:
        """The status of one call, and the total that the host has charged by then."""
        url = f"http://127.0.0.1:{self.gateway_port}/v1/completions"
        asked = {"model": "task-0", "prompt": "a", "max_tokens": 4, "temperature": 0}
        async with ClientSession() as session, session.post(url, json=asked) as response:
            await response.read()
            return response.status, int(response.headers.get("X-Flock-Spent", 0))

    def charged(self) -> int:
        """How many paid calls the host's journal has."""
        (journal,) = (self.directory / "host").glob("*.journal")
        return journal.read_bytes().count(b'"kind":"spent"')

    async def offered(self, client: Client) -> None:
        async with asyncio.timeout(WAIT_S):
            async for head in client.finalized_heads(latest_only=True):
                if await client.find(Marketplace.offers, (HOST.account, self.model), at=head.hash):
                    return

    async def settled(self, client: Client) -> int:
        """What the chain has paid out for the caller's calls, once it has for all of them."""
        key = (CALLER.account, Line(HOST.account, self.model))
        async with asyncio.timeout(WAIT_S):
            async for head in client.finalized_heads(latest_only=True):
                channel = await client.find(Marketplace.channels, key, at=head.hash)
                if channel is not None and channel.settled >= CALLS * PRICE:
                    return channel.settled
        raise AssertionError("the node sends no more blocks")


async def events_since_genesis(client: Client, kind: type[Any]) -> list[Any]:
    found = []
    for number in range(1, (await client.chain.finalized()).number + 1):
        block = await client.chain.block_hash(number)
        assert block is not None
        found += [each.event for each in await client.events_at(block)]
    return [event for event in found if isinstance(event, kind)]


async def kill_host_in_a_call(market: Market, client: Client, host: CommandProcess) -> None:
    """A caller's call and a request by the chain are on their way; none is answered."""
    (serving,) = host.children
    end = os.pidfd_open(serving)
    os.kill(serving, signal.SIGSTOP)
    question = orjson.dumps({"model": "any", "prompt": "a", "max_tokens": 4, "temperature": 0})
    await client.put_blob(question, CALLER)
    call = encode_call(
        Marketplace.request_inference, market.model, content_id(question), FML, HOST.account
    )
    await client.submit(call, CALLER, wait=Wait.FINALIZED)
    asking = asyncio.create_task(market.ask())
    await until(market.node, lambda: market.charged() == 1)
    host.kill()
    os.kill(serving, signal.SIGCONT)
    assert select.select([end], [], [], 20)[0], "the serving process lives on"
    os.close(end)
    assert (await asking)[0] == 502


async def kill_gateway_in_a_call(
    market: Market, host: CommandProcess, gateway: CommandProcess
) -> None:
    (serving,) = host.children
    os.kill(serving, signal.SIGSTOP)
    asking = asyncio.create_task(market.ask())
    await until(market.node, lambda: market.charged() == CALLS - 1)
    gateway.kill()
    os.kill(serving, signal.SIGCONT)
    with pytest.raises(ClientError):
        await asking


def test_killed_in_calls_host_and_gateway_go_on_and_no_token_is_lost(
    start_node: StartNode, start_command: StartCommand, tmp_path: Path
) -> None:
    """A host keeps what it charged, so a caller loses one call to its death and no more."""
    model = tiny_model(tmp_path / "model")
    write_spec(tmp_path / "spec.json", model)
    local = ("--alice", "--base-path", str(tmp_path / "node"), "--listen-address", "127.0.0.1")
    node = start_node("--chain", str(tmp_path / "spec.json"), *local).wait_until_ready()
    market = Market(node, start_command, tmp_path, model, free_port(), free_port())

    async def play() -> None:
        host, gateway = market.start_host(), market.start_gateway()
        async with await Client.connect(node.url) as client:
            await market.offered(client)
            call = encode_call(Marketplace.open_channel, HOST.account, model, 10 * FML)
            await client.submit(call, CALLER, wait=Wait.FINALIZED)
            await until(node, lambda: host.find("offers task-0") is not None)
            await kill_host_in_a_call(market, client, host)

            host = market.start_host()
            await market.served()
            assert await market.ask() == (200, 2 * PRICE), "the call that died is charged"
            await kill_gateway_in_a_call(market, host, gateway)
            gateway = market.start_gateway()
            assert await market.ask() == (200, CALLS * PRICE)

            assert await market.settled(client) == CALLS * PRICE
            # A machine that is too slow to answer before its deadline gives the whole fee back.
            answered = await events_since_genesis(client, InferenceAnswered)
            returned = await events_since_genesis(client, RequestExpired)
            assert [each.paid for each in answered] + [each.returned for each in returned] in (
                [PRICE],
                [FML],
            )
            paid = await events_since_genesis(client, Settled)
            assert sum(each.paid for each in paid) == CALLS * PRICE
            await check_conservation(client, (await client.chain.finalized()).hash)
        for process in (host, gateway, node):
            assert process.stop(timeout_s=20) == 0, process.log
            assert "Traceback" not in process.log

    asyncio.run(play())
