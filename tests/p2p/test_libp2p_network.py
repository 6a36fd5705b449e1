"""Real libp2p nodes on loopback: gossip, requests, handshake, reconnection, blobs."""

import asyncio
import logging
import socket
from random import Random

import pytest

from p2p.blobs import PROTOCOL, BlobExchange
from p2p.interface import PeerError, PeerId, Verdict
from p2p.libp2p_config import Libp2pConfig
from p2p.libp2p_host import NetworkStartError
from p2p.libp2p_network import Libp2pNetwork
from runtime.primitives.content_id import CHUNK_BYTES, Manifest
from tests.p2p.blob_store import MemoryBlobs
from tests.p2p.live import DEADLINE_S, GENESIS, LiveNode, running, star


def test_three_nodes_gossip_and_answer() -> None:
    async def main() -> None:
        async with star(3) as nodes:
            first, second, third = nodes
            second.network.publish("transactions", b"hello")
            await third.until(lambda: third.recorder.gossip)
            assert [entry[1:] for entry in third.recorder.gossip] == [("transactions", b"hello")]
            assert not second.recorder.gossip
            assert await second.ask(first.peer, b"abc") == b"cba"
            assert await first.ask(third.peer, bytes(60_000) + b"x") == b"x" + bytes(60_000)

            def refuse(_peer: PeerId, _protocol: str, _data: bytes) -> bytes:
                raise PeerError("state was pruned")

            first.recorder.serve = refuse
            assert str(await third.ask(first.peer, b"")) == "state was pruned"

    asyncio.run(main())


def test_more_than_ten_messages_a_second_all_arrive() -> None:
    async def main() -> None:
        async with star(3) as nodes:
            first, second, third = nodes
            for number in range(200):
                topic = ("transactions", "grandpa")[number % 2]
                second.network.publish(topic, number.to_bytes(2, "big"))
            for node in (first, third):
                await node.until(lambda node=node: len(node.recorder.gossip) == 200)  # type: ignore[misc]
                assert len({entry[2] for entry in node.recorder.gossip}) == 200

    asyncio.run(main())


def test_verdicts_over_libp2p() -> None:
    async def main() -> None:
        async with star(3) as nodes:
            first, second, third = nodes
            first.recorder.judge = lambda _p, _t, data: (
                Verdict.IGNORE if data == b"future" else Verdict.REJECT
            )
            second.network.publish("transactions", b"future")
            await first.until(lambda: len(first.recorder.gossip) == 1)
            for number in range(5):
                second.network.publish("transactions", b"bad%d" % number)
            await first.until(lambda: ("disconnected", second.peer) in first.recorder.events)
            heard = [data for peer, _, data in first.recorder.gossip if peer == second.peer]
            assert sorted(heard) == [b"bad0", b"bad1", b"bad2", b"bad3", b"bad4", b"future"]
            assert [entry for entry in third.recorder.gossip if entry[0] == first.peer] == []
            await second.until(lambda: first.peer not in second.network.peers())

    asyncio.run(main())


class LogWatch(logging.Handler):
    """Collects what the package logs and wakes the one who waits for it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.messages: list[str] = []
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
        self._loop.call_soon_threadsafe(self._changed.set)

    async def until(self, *messages: str) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not set(messages) <= set(self.messages):
                self._changed.clear()
                await self._changed.wait()


def test_another_genesis_is_disconnected_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="p2p")

    async def main() -> None:
        log = LogWatch()
        logging.getLogger("p2p").addHandler(log)
        first = LiveNode(1)
        async with running(first):
            second = LiveNode(2, first.address)
            second.recorder.genesis = b"other"
            reason = "genesis b'other' != b'genesis'"
            ours = f"refused peer {second.peer}: {reason}"
            theirs = f"refused peer {first.peer}: it refused us: {reason}"
            async with running(second):
                await log.until(ours, theirs)
                answer = await second.ask(first.peer, b"")
                assert str(answer) == f"peer {first.peer} is not connected"
            assert first.network.peers() == []
            assert first.recorder.events == second.recorder.events == []
        assert [log.messages.count(message) for message in (ours, theirs)] == [1, 1]
        logging.getLogger("p2p").removeHandler(log)

    asyncio.run(main())


def test_a_restarted_peer_is_dialled_again() -> None:
    async def main() -> None:
        first = LiveNode(1)
        async with running(first):
            port = first.port
            second = LiveNode(2, first.address)
            async with running(second):
                await second.until(lambda: second.network.peers() == [first.peer])
                await first.network.stop()
                await second.until(lambda: second.network.peers() == [])
                reborn = LiveNode(1, port=port)
                async with running(reborn):
                    await second.until(lambda: second.network.peers() == [first.peer])
                    await reborn.until(lambda: reborn.network.peers() == [second.peer])
                    assert await second.ask(first.peer, b"ab") == b"ba"

    asyncio.run(main())


def test_two_nodes_that_dial_each_other_at_once() -> None:
    async def main() -> None:
        first, second = LiveNode(1), LiveNode(2)
        async with running(first, second):
            for node, other in ((first, second), (second, first)):
                address = other.address
                dialer = node.network._dialer
                node.network._thread.post(lambda d=dialer, a=address: d.add_bootnode(a))  # type: ignore[misc]
            await first.until(lambda: first.network.peers() == [second.peer])
            await second.until(lambda: second.network.peers() == [first.peer])
            await first.until_meshed(second)
            first.network.publish("transactions", b"x")
            await second.until(lambda: second.recorder.gossip)
            assert first.recorder.events == [("connected", second.peer)]
            assert second.recorder.events == [("connected", first.peer)]

    asyncio.run(main())


def test_peers_are_learned_from_a_bootnode() -> None:
    async def main() -> None:
        async with star(2) as nodes:
            first, second = nodes
            third = LiveNode(3, first.address)
            async with running(third):
                await third.until(lambda: second.peer in third.network.peers())

    asyncio.run(main())


def test_a_blob_of_eight_megabytes() -> None:
    content = Random(5).randbytes(8 * CHUNK_BYTES + 3)

    async def main() -> None:
        async with star(3) as nodes:
            exchanges = []
            for node in nodes:
                store = MemoryBlobs()
                blob = store.add(content)
                if node is nodes[0]:
                    store = MemoryBlobs()
                exchange = BlobExchange(node.network, store)
                node.recorder.serve = lambda _p, name, data, exchange=exchange: (  # type: ignore[misc]
                    exchange.on_request(data) if name == PROTOCOL else b""
                )
                exchanges.append((exchange, store))
            result: asyncio.Future[Manifest | PeerError] = (
                asyncio.get_running_loop().create_future()
            )
            exchange, store = exchanges[0]
            exchange.fetch(blob, [n.peer for n in nodes[1:]], 10**8, result.set_result)
            async with asyncio.timeout(DEADLINE_S):
                assert isinstance(await result, Manifest)
            assert store.content(blob) == content

    asyncio.run(main())


def test_time_outs_strangers_and_a_stopped_network() -> None:
    async def main() -> None:
        async with star(2) as nodes:
            first, second = nodes
            stranger = LiveNode(9)
            assert str(await first.ask(stranger.peer, b"")) == (
                f"peer {stranger.peer} is not connected"
            )
            assert str(await first.ask(second.peer, b"", timeout_ms=0)) == (
                f"no answer from {second.peer} within 0 ms"
            )
            assert await first.ask(second.peer, b"ab") == b"ba"
            first.network.disconnect(second.peer, "test")
            await second.until(lambda: ("disconnected", first.peer) in second.recorder.events)
        assert str(await first.ask(second.peer, b"")) == "the network is not running"

    asyncio.run(main())


def test_a_busy_port_is_a_clear_error() -> None:
    async def main() -> None:
        with socket.socket() as busy:
            busy.bind(("127.0.0.1", 0))
            busy.listen()
            port = busy.getsockname()[1]
            with pytest.raises(NetworkStartError) as caught:
                await LiveNode(1, port=port).network.start()
            assert str(caught.value) == f"port {port} is in use: choose another with --port"
        first = LiveNode(1)
        async with running(first):
            with pytest.raises(NetworkStartError, match="is in use: choose another with --port"):
                await LiveNode(2, port=first.port).network.start()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("listen", "bootnodes", "message"),
    [
        ("/ip4/127.0.0.1/udp/1", (), "is not /ip4/<address>/tcp/<port>"),
        ("/ip4/127.0.0.256/tcp/1", (), "is malformed"),
        ("/ip4/127.0.0.1/tcp/0", ("/ip4/127.0.0.1/tcp/1",), "is no peer address"),
        ("/ip4/127.0.0.1/tcp/0", ("nonsense",), "is no peer address"),
    ],
)
def test_bad_addresses_are_named(listen: str, bootnodes: tuple[str, ...], message: str) -> None:
    config = Libp2pConfig(GENESIS, bytes(32), (listen,), bootnodes)
    with pytest.raises(NetworkStartError, match=message):
        Libp2pNetwork(config, LiveNode.__new__(LiveNode))  # type: ignore[arg-type]


def test_a_dead_thread_completes_failed() -> None:
    async def main() -> None:
        node = LiveNode(1)
        await node.network.start()

        async def die() -> None:
            raise RuntimeError("the score loop broke")

        node.network._thread.post(lambda: node.network._thread._nursery.start_soon(die))  # type: ignore[union-attr]
        async with asyncio.timeout(DEADLINE_S):
            with pytest.raises(RuntimeError, match="the score loop broke"):
                await node.network.failed
        await node.network.stop()

    asyncio.run(main())
