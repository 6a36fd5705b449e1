"""Attacks on a real node: each must cost the attacker, never the node."""

import asyncio
import os
import struct
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trio
from libp2p.custom_types import TProtocol
from libp2p.network.stream.exceptions import StreamError
from libp2p.peer.id import ID
from libp2p.pubsub.pb import rpc_pb2
from libp2p.stream_muxer.yamux.yamux import YAMUX_HEADER_FORMAT
from libp2p.tools.anyio_service import background_trio_service
from libp2p.utils import encode_varint_prefixed

from p2p.interface import PeerError, PeerId, Verdict
from p2p.libp2p_dialer import parse_address
from p2p.libp2p_gossip import MESHSUB
from p2p.libp2p_host import WireNames, build_host
from tests.p2p.live import GENESIS, LiveNode, running

Attack = Callable[[Any, ID], Awaitable[None]]
TOPIC = WireNames(GENESIS).topic("transactions")
SYNC = TProtocol(WireNames(GENESIS).protocol("sync"))


@asynccontextmanager
async def hostile_host() -> Any:
    """A bare libp2p host with a key of its own, which speaks no protocol of ours."""
    host = build_host(os.urandom(32), 64)
    async with background_trio_service(host.get_network()):
        yield host


async def attack_from_outside(address: str, attack: Attack) -> None:
    """Run `attack(host, victim)` on a fresh connection, in a thread of its own."""

    async def main() -> None:
        peer, target = parse_address(address)
        async with hostile_host() as host:
            with trio.fail_after(10):
                await host.get_network().dial_addr(target, peer)
                await attack(host, peer)

    await asyncio.to_thread(trio.run, main)


async def write_gossip(host: Any, victim: ID, frame: bytes) -> None:
    """Write one gossip frame and one that cannot be parsed; wait until the node has read both."""
    stream = await host.new_stream(victim, [MESHSUB])
    await stream.write(frame + encode_varint_prefixed(b"\xff" * 9))
    with suppress(Exception):
        while await stream.read(4096):
            pass


async def is_alive(node: LiveNode) -> None:
    """The node still takes a new peer, answers it and gossips with it."""
    late = LiveNode(77, node.address)
    async with running(late):
        await late.until(lambda: node.peer in late.network.peers())
        assert await late.ask(node.peer, b"ab") == b"ba"
        await late.until_meshed(node)
        late.network.publish("transactions", b"alive")
        await node.until(lambda: any(data == b"alive" for *_, data in node.recorder.gossip))


def survive(*attacks: Attack) -> None:
    async def main() -> None:
        node = LiveNode(1)
        async with running(node):
            for attack in attacks:
                await attack_from_outside(node.address, attack)
            await is_alive(node)

    asyncio.run(main())


def test_garbage_on_a_gossip_stream() -> None:
    async def no_protobuf(host: Any, victim: ID) -> None:
        await write_gossip(host, victim, encode_varint_prefixed(b"\xff" * 50))

    async def no_text(host: Any, victim: ID) -> None:
        await write_gossip(host, victim, b"\x06\x12\x04\x22\x02\xff\xfe")

    async def too_long(host: Any, victim: ID) -> None:
        await write_gossip(host, victim, b"\xff\xff\xff\xff\x0f")

    survive(no_protobuf, no_text, too_long)


def test_messages_with_forged_keys() -> None:
    async def bad_key(host: Any, victim: ID) -> None:
        message = rpc_pb2.Message(
            data=b"forged",
            topicIDs=[TOPIC],
            from_id=b"\x12\x20" + bytes(32),
            seqno=bytes(8),
            signature=b"sig",
            key=b"garbage-key",
        )
        frame = encode_varint_prefixed(rpc_pb2.RPC(publish=[message]).SerializeToString())
        await write_gossip(host, victim, frame * 3)

    async def main() -> None:
        node = LiveNode(1)
        async with running(node):
            await attack_from_outside(node.address, bad_key)
            await is_alive(node)
            assert all(data != b"forged" for *_, data in node.recorder.gossip)

    asyncio.run(main())


def test_handlers_that_raise() -> None:
    def fail(*_: object) -> Any:
        raise RuntimeError("a bug in the node")

    async def main() -> None:
        node = LiveNode(1)
        async with running(node):
            peer = LiveNode(2, node.address)
            async with running(peer):
                await peer.until(lambda: node.peer in peer.network.peers())
                await peer.until_meshed(node)
                node.recorder.serve = fail
                node.recorder.judge = fail
                assert str(await peer.ask(node.peer, b"")) == "the handler failed"
                peer.network.publish("transactions", b"boom")
                await node.until(lambda: node.recorder.gossip)
                node.recorder.serve = lambda _p, _n, data: data
                node.recorder.judge = lambda *_: Verdict.ACCEPT
                assert await peer.ask(node.peer, b"fine") == b"fine"
                peer.network.publish("transactions", b"fine")
                await node.until(lambda: len(node.recorder.gossip) == 2)

    asyncio.run(main())


def test_260_connections_come_and_go() -> None:
    async def main() -> None:
        node = LiveNode(1)
        async with running(node):
            peer, target = parse_address(node.address)
            refused = 0

            async def visit(slots: trio.Semaphore) -> None:
                nonlocal refused
                async with slots, hostile_host() as host:
                    try:
                        connection = await host.get_network().dial_addr(target, peer)
                        await connection.muxed_conn.secured_conn.close()
                    except Exception:  # noqa: BLE001  whatever a refusal looks like
                        refused += 1

            async def churn() -> None:
                slots = trio.Semaphore(8)
                with trio.fail_after(60):
                    async with trio.open_nursery() as nursery:
                        for _ in range(260):
                            nursery.start_soon(visit, slots)

            await asyncio.to_thread(trio.run, churn)
            assert refused == 0
            await is_alive(node)

    asyncio.run(main())


def test_yamux_window_and_streams_are_bounded() -> None:
    async def past_the_window(host: Any, victim: ID) -> None:
        stream = await host.new_stream(victim, [SYNC])
        stream.muxed_stream.send_window = 1 << 30
        with pytest.raises(StreamError):
            await stream.write(bytes(64 << 20))

    async def too_many_streams(host: Any, victim: ID) -> None:
        (connection,) = host.get_network().get_connections(victim)
        with suppress(Exception):
            for number in range(2_000):
                header = struct.pack(YAMUX_HEADER_FORMAT, 0, 1, 1, 10_001 + 2 * number, 0)
                await connection.muxed_conn._write_frame(header)
        await connection.muxed_conn.event_closed.wait()

    survive(past_the_window, too_many_streams)


def test_plaintext_is_not_spoken() -> None:
    async def main() -> None:
        node = LiveNode(1)
        async with running(node):
            reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
            for name in (b"/multistream/1.0.0\n", b"/plaintext/2.0.0\n"):
                writer.write(bytes([len(name)]) + name)
            await writer.drain()
            async with asyncio.timeout(5):
                answer = await reader.readuntil(b"na\n")
            assert answer.endswith(b"\x03na\n")
            writer.close()
            await is_alive(node)

    asyncio.run(main())


def test_idle_connections_of_one_address_do_not_block_another() -> None:
    async def main() -> None:
        node = LiveNode(1)
        async with running(node):
            idle = [
                await asyncio.open_connection("127.0.0.1", node.port, local_addr=("127.0.0.2", 0))
                for _ in range(100)
            ]
            await is_alive(node)
            for _, writer in idle:
                writer.close()

    asyncio.run(main())


def test_a_request_above_the_limit_costs_reputation() -> None:
    async def main() -> None:
        node = LiveNode(1)
        async with running(node):
            peer = LiveNode(2, node.address)
            async with running(peer):
                await peer.until(lambda: node.peer in peer.network.peers())

                async def flood() -> None:
                    victim = ID.from_string(node.peer)
                    for _ in range(2):
                        stream = await peer.network._host.new_stream(victim, [SYNC])
                        with suppress(Exception):
                            await stream.write(b"\xff\xff\xff\xff")
                            await stream.read(1)

                await peer.on_trio(flood)
                await node.until(lambda: ("disconnected", peer.peer) in node.recorder.events)
            await is_alive(node)

    asyncio.run(main())


def test_requests_before_the_handshake_are_refused() -> None:
    asked: list[PeerId] = []

    async def ask(host: Any, victim: ID) -> None:
        stream = await host.new_stream(victim, [SYNC])
        await stream.write(b"\0\0\0\x01x")
        answer = await stream.read(4096)
        assert b"the status handshake comes first" in answer

    async def main() -> None:
        node = LiveNode(1)

        def serve(peer: PeerId, _protocol: str, _data: bytes) -> bytes:
            asked.append(peer)
            raise PeerError("never reached")

        node.recorder.serve = serve
        async with running(node):
            await attack_from_outside(node.address, ask)
        assert not asked

    asyncio.run(main())
