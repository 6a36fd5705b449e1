"""Real libp2p nodes on loopback for tests, and waiting for what they do."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from libp2p.peer.id import ID

from p2p.interface import PeerError, PeerId
from p2p.libp2p_config import Libp2pConfig
from p2p.libp2p_network import Libp2pNetwork
from tests.p2p.recorder import Recorder

GENESIS = b"\x07" * 32
DEADLINE_S = 10.0


class LiveNode:
    """A network with a recorder behind it."""

    def __init__(self, number: int, *bootnodes: str, port: int = 0) -> None:
        self.recorder = Recorder()
        self.changed = asyncio.Event()
        self.recorder.on_change = self.changed.set
        self.network = Libp2pNetwork(
            Libp2pConfig(
                genesis_hash=GENESIS,
                node_key=bytes([number]) * 32,
                listen=(f"/ip4/127.0.0.1/tcp/{port}",),
                bootnodes=bootnodes,
                prng=Random(number),
            ),
            self.recorder,
        )
        self.peer = self.network.local_peer_id

    @property
    def address(self) -> str:
        return self.network.listen_addresses()[0]

    @property
    def port(self) -> int:
        return int(self.address.split("/")[4])

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition that changes with this node's events."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def ask(self, peer: PeerId, data: bytes, timeout_ms: int = 5_000) -> bytes | PeerError:
        answer: asyncio.Future[bytes | PeerError] = asyncio.get_running_loop().create_future()
        self.network.request(peer, "sync", data, answer.set_result, timeout_ms)
        async with asyncio.timeout(DEADLINE_S):
            return await answer

    async def until_meshed(self, *others: "LiveNode", topic: str = "transactions") -> None:
        """Wait until gossip of a topic goes to the others directly."""
        for other in others:
            await self.on_trio(self._wait_for_mesh, other.peer, topic)

    async def on_trio(self, task: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> Any:
        """Run an async function on the network's thread and wait for its result."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()

        async def run() -> None:
            try:
                result = await task(*args)
            except Exception as error:  # noqa: BLE001  carried to the test
                loop.call_soon_threadsafe(done.set_exception, error)
            else:
                loop.call_soon_threadsafe(done.set_result, result)

        assert self.network._thread.spawn(run, "test")
        async with asyncio.timeout(DEADLINE_S):
            return await done

    async def _wait_for_mesh(self, peer: PeerId, topic: str) -> None:
        wire_topic = self.network._names.topic(topic)
        await self.network._pubsub.wait_for_mesh(ID.from_string(peer), wire_topic, DEADLINE_S)


@asynccontextmanager
async def running(*nodes: LiveNode) -> AsyncIterator[None]:
    """Start nodes and stop whatever was started."""
    started: list[LiveNode] = []
    try:
        for node in nodes:
            await node.network.start()
            started.append(node)
        yield
        for node in started:
            assert not node.network.failed.done()
    finally:
        await asyncio.gather(*(node.network.stop() for node in started))


@asynccontextmanager
async def star(count: int) -> AsyncIterator[list[LiveNode]]:
    """Nodes that all know the first one as their bootnode, connected and meshed with it."""
    first = LiveNode(1)
    async with running(first):
        others = [LiveNode(number, first.address) for number in range(2, count + 1)]
        async with running(*others):
            await first.until(lambda: len(first.network.peers()) >= count - 1)
            for other in others:
                await other.until(lambda other=other: first.peer in other.network.peers())  # type: ignore[misc]
            await first.until_meshed(*others)
            yield [first, *others]
