"""Who may stay connected: the status handshake, bans and the watch over scores.

It owns the set of admitted peers, the handshake protocol and the tables of bans. Invariant: the
node hears of a peer only after the handshake, once, and hears of its end once.
Source: WP II.A (peer-to-peer layer)
"""

import ipaddress
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Protocol

import trio
from libp2p.abc import INotifee
from libp2p.custom_types import TProtocol
from libp2p.rcmgr import Direction

from p2p.envelope import Fields, Limits, Value, decode, encode
from p2p.frames import FrameReader, request_frame, response_frame
from p2p.hardening import remote_ip
from p2p.interface import PeerError, PeerId, Refused
from p2p.reputation import Reputations

HANDSHAKE_S: Final = 10.0
ADMISSION_WAIT_S: Final = 3.0
"""How long a first message of a peer may wait for the end of its handshake."""
STATUS_SIZE_MAX: Final = 16 * 1024
ADDRESSES_MAX: Final = 16
ADDRESS_SIZE_MAX: Final = 256
REFUSED_MAX: Final = 1_024
HELLO_LIMITS: Final = Limits(size_max=32 * 1024, depth_max=2, length_max=ADDRESSES_MAX)

logger = logging.getLogger(__name__)


class Events(Protocol):
    """What the rest of the network does for the admission."""

    async def status(self) -> bytes:
        """Our status payload, from the node."""

    async def check_status(self, peer: PeerId, status: bytes) -> None:
        """The node's check. Raises: PeerError."""

    def on_admitted(self, peer: PeerId, status: bytes) -> None:
        """A peer passed the handshake."""

    def on_lost(self, peer: PeerId, *, was_admitted: bool) -> None:
        """The last connection of a peer is gone."""

    def on_addresses(self, peer: PeerId, ip: str, own: list[str], others: list[str]) -> None:
        """A peer told its addresses and those of peers it knows."""

    def known_addresses(self) -> tuple[list[str], list[str]]:
        """Our own addresses, and some of peers we are connected to."""


class Admission(INotifee):
    """The door: watches connections and runs the handshake on each new one."""

    def __init__(
        self,
        host: Any,
        protocol_id: str,
        events: Events,
        start_task: Callable[[Callable[[], Awaitable[None]], str], None],
    ) -> None:
        self._host = host
        self._protocol_id = TProtocol(protocol_id)
        self._events = events
        self._start_task = start_task
        self._reputations = Reputations()
        self._admitted: dict[str, trio.Event] = {}
        """Connected peers by id, with the event that says the handshake is done."""
        self._refused: OrderedDict[str, None] = OrderedDict()
        self._is_closing = False
        host.set_stream_handler(self._protocol_id, self._serve)
        host.get_network().register_notifee(self)

    def is_banned(self, peer: str) -> bool:
        """Whether a peer id or IP address is refused now."""
        return self._reputations.banned_until_ms(peer, _now_ms()) is not None

    def admitted(self) -> list[str]:
        """Ids of the peers that passed the handshake."""
        return [peer for peer, event in self._admitted.items() if event.is_set()]

    def is_admitted(self, peer: str) -> bool:
        """Whether a peer is connected and passed the handshake."""
        event = self._admitted.get(peer)
        return event is not None and event.is_set()

    async def wait_admitted(self, peer: Any) -> bool:
        """Whether the handshake of a connected peer is done, waiting a little for it."""
        event = self._admitted.get(str(peer))
        if event is None:
            return False
        with trio.move_on_after(ADMISSION_WAIT_S):
            await event.wait()
        return event.is_set()

    def report(self, peer: Any, change: int, reason: str) -> None:
        """Change a reputation; at the threshold the peer is cut off and banned."""
        if self._reputations.change(str(peer), change, _now_ms()):
            self.ban(peer, reason)

    def ban(self, peer: Any, reason: str) -> None:
        """Ban a peer by its id and its addresses, loopback excepted, and cut it off."""
        logger.info("banned peer %s: %s", peer, reason)
        self._reputations.ban(str(peer), _now_ms())
        for connection in self._host.get_network().get_connections(peer):
            ip = remote_ip(connection)
            if ip and not ipaddress.ip_address(ip).is_loopback:
                self._reputations.ban(ip, _now_ms())
        self.cut(peer)

    def cut(self, peer: Any) -> None:
        """Close every connection to a peer, in the background."""
        self._start_task(lambda: self._host.disconnect(peer), "disconnect")

    def close(self) -> None:
        """Report every peer as lost, once: the host is about to stop."""
        self._is_closing = True
        for peer, event in list(self._admitted.items()):
            self._events.on_lost(PeerId(peer), was_admitted=event.is_set())
        self._admitted.clear()

    async def connected(self, network: Any, conn: Any) -> None:
        """A connection is up: refuse it, greet it, or give it time to greet us."""
        peer = conn.muxed_conn.peer_id
        if self._is_closing or self.is_banned(str(peer)) or self.is_banned(remote_ip(conn)):
            self._start_task(conn.close, "close")
            return
        self._admitted.setdefault(str(peer), trio.Event())
        if conn.direction == Direction.OUTBOUND:
            self._start_task(lambda: self._greet(peer, conn), "greet")
        else:
            self._start_task(lambda: self._expect(peer), "expect")

    async def disconnected(self, network: Any, conn: Any) -> None:
        """A connection is down; the peer is lost with its last one."""
        peer = conn.muxed_conn.peer_id
        if any(not other.is_closed for other in network.get_connections(peer)):
            return
        event = self._admitted.pop(str(peer), None)
        if event is not None:
            self._events.on_lost(PeerId(str(peer)), was_admitted=event.is_set())

    async def opened_stream(self, network: Any, stream: Any) -> None:
        """Nothing to do."""

    async def closed_stream(self, network: Any, stream: Any) -> None:
        """Nothing to do."""

    async def listen(self, network: Any, multiaddr: Any) -> None:
        """Nothing to do."""

    async def listen_close(self, network: Any, multiaddr: Any) -> None:
        """Nothing to do."""

    async def _expect(self, peer: Any) -> None:
        event = self._admitted.get(str(peer))
        if event is None:
            return
        with trio.move_on_after(HANDSHAKE_S):
            await event.wait()
        if not event.is_set() and self._admitted.get(str(peer)) is event:
            logger.debug("peer %s did not greet within %s s", peer, HANDSHAKE_S)
            self.cut(peer)

    async def _greet(self, peer: Any, conn: Any) -> None:
        """Dialling side: send our hello, judge the answer."""
        reason: str | None = None
        is_final = False
        try:
            with trio.fail_after(HANDSHAKE_S):
                stream = await self._host.new_stream(peer, [self._protocol_id])
                await stream.write(request_frame(await self._hello()))
                await self._judge(peer, conn, await FrameReader(stream).response())
            with suppress(Exception):
                await stream.close()
        except Refused as error:
            reason, is_final = f"it refused us: {error}", True
        except PeerError as error:
            reason, is_final = str(error), True
        except trio.TooSlowError:
            reason = "the handshake took too long"
        except Exception as error:  # noqa: BLE001  the library raises many kinds
            reason = f"the handshake failed: {error!r}"
        # Of two connections dialled at once one may end while the other was admitted.
        if reason is not None and (is_final or not self.is_admitted(str(peer))):
            self._refuse(peer, reason, is_final=is_final)

    async def _serve(self, stream: Any) -> None:
        """Listening side: judge the hello, then answer with ours."""
        peer = stream.muxed_conn.peer_id
        reader = FrameReader(stream)
        with trio.move_on_after(HANDSHAKE_S):
            try:
                hello = await reader.exact(await reader.request_length())
                answer = await self._hello()
                await self._judge(peer, stream.swarm_conn, hello)
            except PeerError as error:
                await stream.write(response_frame(error))
                self._refuse(peer, str(error), is_final=True)
                return
            await stream.write(response_frame(answer))
            await stream.close()

    async def _hello(self) -> bytes:
        own, others = self._events.known_addresses()
        status: Value = await self._events.status()
        listen: list[Value] = [*own[:ADDRESSES_MAX]]
        peers: list[Value] = [*others[:ADDRESSES_MAX]]
        return encode({"listen": listen, "peers": peers, "status": status})

    async def _judge(self, peer: Any, conn: Any, hello: bytes) -> None:
        fields = Fields(decode(hello, HELLO_LIMITS))
        status = fields.take_bytes("status", STATUS_SIZE_MAX)
        addresses: list[list[str]] = []
        for name in ("listen", "peers"):
            entries = fields.take_list(name, ADDRESSES_MAX)
            addresses.append([text for text in entries if isinstance(text, str)])
        identity = PeerId(str(peer))
        await self._events.check_status(identity, status)
        event = self._admitted.get(identity)
        if event is None or event.is_set():
            return
        event.set()
        self._events.on_admitted(identity, status)
        self._events.on_addresses(identity, remote_ip(conn), *addresses)

    def _refuse(self, peer: Any, reason: str, *, is_final: bool) -> None:
        if str(peer) not in self._refused:
            self._refused[str(peer)] = None
            while len(self._refused) > REFUSED_MAX:
                self._refused.popitem(last=False)
            logger.info("refused peer %s: %s", peer, reason)
        if is_final:
            self._reputations.ban(str(peer), _now_ms())
        self.cut(peer)


def _now_ms() -> int:
    return int(trio.current_time() * 1000)
