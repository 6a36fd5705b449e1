"""The production `Network`: py-libp2p in a trio thread, seen from the node's asyncio loop.

It owns the life of the host and the two directions across the threads. Invariant: the node's
handlers run only on its loop, in the order of events; the trio side never waits for them without
a deadline, and a request is answered exactly once, also when the network stops.
Source: WP II.A (peer-to-peer layer); libp2p specifications
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

import trio
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.tools.anyio_service import background_trio_service

from p2p.hardening import contain_tasks, fix_inbound
from p2p.interface import (
    MALFORMED_CHANGE,
    PROTOCOLS,
    REJECTED_GOSSIP_CHANGE,
    NetworkHandler,
    OnResponse,
    PeerError,
    PeerId,
    Verdict,
    check_message,
    check_request,
)
from p2p.libp2p_admission import Admission
from p2p.libp2p_config import Libp2pConfig
from p2p.libp2p_dialer import Dialer, parse_address
from p2p.libp2p_gossip import GRAYLIST_SCORE, NodePubsub, build_router
from p2p.libp2p_host import (
    NetworkStartError,
    WireNames,
    build_host,
    check_ports_are_free,
    parse_listen_addresses,
    peer_id_of,
)
from p2p.libp2p_mdns import LocalDiscovery
from p2p.libp2p_requests import RequestClient, RequestServer
from p2p.trio_thread import TrioThread

ASKED_MAX: Final = 1_024
"""Requests under way at once."""
OUTBOX_MAX: Final = 1_024
"""Own messages that wait to be published."""
SCORE_INTERVAL_S: Final = 5.0
CLOSE_S: Final = 5.0

logger = logging.getLogger(__name__)


class Libp2pNetwork:
    """`Network` over libp2p; `failed` ends when the network died and the node should end too."""

    def __init__(self, config: Libp2pConfig, handler: NetworkHandler) -> None:
        """Raises: NetworkStartError: an address is malformed."""
        self._config = config
        self._handler = handler
        self._names = WireNames(config.genesis_hash)
        self._local = peer_id_of(config.node_key)
        self._listen = parse_listen_addresses(config.listen)
        for address in config.bootnodes:
            try:
                parse_address(address)
            except ValueError as error:
                raise NetworkStartError(f"bootnode: {error}") from error
        self._thread = TrioThread(self._main)
        self._addresses: list[str] = []
        self._peers: dict[PeerId, None] = {}
        self._asked = 0
        # The trio side.
        self._host: Any = None
        self._pubsub: NodePubsub
        self._client: RequestClient
        self._server: RequestServer
        self._admission: Admission
        self._dialer: Dialer
        self._outbox: trio.MemorySendChannel[tuple[str, bytes]]

    @property
    def local_peer_id(self) -> PeerId:
        """Our own id."""
        return self._local

    @property
    def failed(self) -> "asyncio.Future[None]":
        """Gets an exception when the network dies; only after `start`."""
        assert self._thread.failed is not None, "the network was not started"
        return self._thread.failed

    async def start(self) -> None:
        """Listen and begin to dial. Raises: NetworkStartError."""
        check_ports_are_free(self._config.listen)
        await self._thread.start()
        logger.info("peer %s listens on %s", self._local, ", ".join(self._addresses))

    async def stop(self) -> None:
        """Close every connection and end the thread."""
        await self._thread.stop()

    def listen_addresses(self) -> list[str]:
        """Addresses we listen on, each with our id."""
        return list(self._addresses)

    def peers(self) -> list[PeerId]:
        """Connected peers in ascending order."""
        return sorted(self._peers)

    def publish(self, topic: str, data: bytes) -> None:
        """Gossip a message; lost while the network is down. Raises: ValueError."""
        check_message(topic, data)
        wire_topic = self._names.topic(topic)
        self._thread.post(lambda: self._put_out(wire_topic, data))

    def request(
        self, peer: PeerId, protocol: str, data: bytes, on_response: OnResponse, timeout_ms: int
    ) -> None:
        """Ask `peer`; answered exactly once, later. Raises: ValueError."""
        check_request(protocol, data)
        loop = asyncio.get_running_loop()
        if self._asked >= ASKED_MAX:
            error = PeerError(f"more than {ASKED_MAX} requests are under way")
            loop.call_soon(on_response, error)
            return
        self._asked += 1

        def finish(answer: bytes | PeerError) -> None:
            self._asked -= 1
            on_response(answer)

        async def ask() -> None:
            answer: bytes | PeerError = PeerError("the network stopped")
            try:
                answer = await self._ask(peer, protocol, data, timeout_ms)
            finally:
                self._thread.tell(lambda: finish(answer))

        def begin() -> None:
            if not self._thread.start_task(ask, "request"):
                self._thread.tell(lambda: finish(PeerError("the network stopped")))

        if not self._thread.post(begin):
            loop.call_soon(finish, PeerError("the network is not running"))

    def disconnect(self, peer: PeerId, reason: str) -> None:
        """Close every connection to `peer`."""
        logger.debug("disconnecting %s: %s", peer, reason)
        self._thread.post(lambda: self._admission.cut(ID.from_string(peer)))

    def report(self, peer: PeerId, change: int, reason: str) -> None:
        """Change the reputation of `peer`; at the threshold it is banned."""
        self._thread.post(lambda: self._admission.report(ID.from_string(peer), change, reason))

    async def _main(self, thread: TrioThread) -> None:
        host = self._build()
        router = build_router()
        self._pubsub = NodePubsub(host, router, self._judge, self._names.topics())
        network = host.get_network()
        async with background_trio_service(network):
            try:
                async with background_trio_service(self._pubsub), background_trio_service(router):
                    for service in (network, self._pubsub, router):
                        contain_tasks(service)
                    await self._pubsub.wait_until_ready()
                    for topic in self._names.topics():
                        await self._pubsub.subscribe(topic)
                    if not await network.listen(*self._listen):
                        raise NetworkStartError(
                            f"cannot listen on {', '.join(self._config.listen)}"
                        )
                    self._addresses = [str(address) for address in host.get_addrs()]
                    self._outbox, outbox = trio.open_memory_channel[tuple[str, bytes]](OUTBOX_MAX)
                    thread.set_ready()
                    await self._watch(host, outbox)
            finally:
                self._admission.close()
                with trio.CancelScope(shield=True), trio.move_on_after(CLOSE_S):
                    await _close_connections(host)
                    await host.close()

    def _build(self) -> Any:
        host = self._host = build_host(self._config.node_key, self._config.peers_max)
        self._client = RequestClient(host)
        self._server = RequestServer(self._answer, self._on_misbehaved)
        self._admission = Admission(
            host, self._names.protocol("status"), _Events(self), self._start_task
        )
        self._dialer = Dialer(
            host,
            self._admission.is_banned,
            self._start_task,
            max(3, self._config.outbound_wanted),
            self._config.prng,
        )
        for address in self._config.bootnodes:
            self._dialer.add_bootnode(address)
        fix_inbound(host, self._admission.is_banned)
        for name in PROTOCOLS:
            if name != "status":
                host.set_stream_handler(TProtocol(self._names.protocol(name)), self._serve(name))
        return host

    async def _watch(self, host: Any, outbox: trio.MemoryReceiveChannel[tuple[str, bytes]]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._dialer.run)
            nursery.start_soon(self._publish_outbox, outbox)
            if self._config.use_mdns:
                discovery = LocalDiscovery(self._names.genesis_hash, self._on_discovered)
                nursery.start_soon(discovery.run, [str(a) for a in host.get_addrs()])
            nursery.start_soon(self._watch_scores)
            await self._thread.stop_requested.wait()
            nursery.cancel_scope.cancel()

    async def _watch_scores(self) -> None:
        while True:
            await trio.sleep(SCORE_INTERVAL_S)
            for peer in list(self._pubsub.peers):
                if (score := self._pubsub.score(peer)) < GRAYLIST_SCORE:
                    self._admission.ban(peer, f"gossip score {score:.0f}")

    def _put_out(self, wire_topic: str, data: bytes) -> None:
        try:
            self._outbox.send_nowait((wire_topic, data))
        except (trio.WouldBlock, trio.BrokenResourceError):
            logger.warning("a message on %s was not sent: the outbox is full", wire_topic)

    async def _publish_outbox(self, outbox: trio.MemoryReceiveChannel[tuple[str, bytes]]) -> None:
        """Publish one after another: tasks of their own would run in any order."""
        async for wire_topic, data in outbox:
            await self._pubsub.publish(wire_topic, data)

    def _serve(self, name: str) -> Callable[[Any], Any]:
        async def serve(stream: Any) -> None:
            await self._server.serve(name, stream)

        return serve

    async def _answer(self, peer: ID, name: str, body: bytes) -> bytes:
        identity = PeerId(str(peer))
        if not await self._admission.wait_admitted(peer):
            raise PeerError("the status handshake comes first")
        return await self._thread.ask(lambda: self._handler.on_request(identity, name, body))

    async def _judge(self, peer: ID, topic: str, data: bytes) -> Verdict:
        identity = PeerId(str(peer))
        if not await self._admission.wait_admitted(peer):
            return Verdict.IGNORE
        try:
            verdict = await self._thread.ask(lambda: self._handler.on_gossip(identity, topic, data))
        except Exception:
            logger.exception("the gossip handler failed on %s", topic)
            return Verdict.IGNORE
        if verdict is Verdict.REJECT:
            self._admission.report(peer, REJECTED_GOSSIP_CHANGE, f"invalid message on {topic}")
        return verdict

    async def _ask(
        self, peer: PeerId, protocol: str, data: bytes, timeout_ms: int
    ) -> bytes | PeerError:
        try:
            with trio.fail_after(timeout_ms / 1000):
                if not self._admission.is_admitted(peer):
                    return PeerError(f"peer {peer} is not connected")
                wire_name = self._names.protocol(protocol)
                return await self._client.ask(ID.from_string(peer), wire_name, data)
        except PeerError as error:
            return error
        except trio.TooSlowError:
            return PeerError(f"no answer from {peer} within {timeout_ms} ms")

    def _on_misbehaved(self, peer: ID, reason: str) -> None:
        self._admission.report(peer, MALFORMED_CHANGE, reason)

    def _on_discovered(self, addresses: list[str]) -> None:
        self._thread.post(lambda: self._dialer.learn("", None, addresses))

    def _start_task(self, task: Any, name: str) -> None:
        self._thread.start_task(task, name)


class _Events:
    """What the admission asks of and tells the network and the node."""

    def __init__(self, network: Libp2pNetwork) -> None:
        self._network = network
        self._thread = network._thread
        self._handler = network._handler

    async def status(self) -> bytes:
        return await self._thread.ask(self._handler.status)

    async def check_status(self, peer: PeerId, status: bytes) -> None:
        await self._thread.ask(lambda: self._handler.check_status(peer, status))

    def on_admitted(self, peer: PeerId, status: bytes) -> None:
        def tell() -> None:
            self._network._peers[peer] = None
            self._handler.on_peer_connected(peer, status)

        self._thread.tell(tell)

    def on_lost(self, peer: PeerId, *, was_admitted: bool) -> None:
        identity = ID.from_string(peer)
        self._network._client.forget(identity)
        self._network._pubsub.forget(identity)
        self._network._dialer.on_lost(peer, was_admitted=was_admitted)

        def tell() -> None:
            self._network._peers.pop(peer, None)
            self._handler.on_peer_disconnected(peer)

        if was_admitted:
            self._thread.tell(tell)

    def on_addresses(self, peer: PeerId, ip: str, own: list[str], others: list[str]) -> None:
        self._network._dialer.learn(ip, peer, own)
        self._network._dialer.learn(ip, None, others)

    def known_addresses(self) -> tuple[list[str], list[str]]:
        own = [str(address) for address in self._network._host.get_addrs()]
        return own, self._network._dialer.addresses_of(self._network._admission.admitted())


async def _close_connections(host: Any) -> None:
    """Close all at once: the library closes one after another and rests 0.2 s at each."""
    async with trio.open_nursery() as nursery:
        for connection in host.get_network().get_connections():
            nursery.start_soon(connection.close)
