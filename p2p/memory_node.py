"""One node's side of the network in memory.

It owns the node's seen messages, reputations and open requests; the hub carries what it sends.
Invariant: a request is answered exactly once, and never from within the call that made it.
Source: WP II.A (peer-to-peer layer)
"""

import logging
from collections.abc import Callable
from typing import Protocol

from p2p.interface import (
    REJECTED_GOSSIP_CHANGE,
    RESPONSE_SIZE_MAX,
    NetworkHandler,
    OnResponse,
    PeerError,
    PeerId,
    Refused,
    Verdict,
    check_message,
    check_request,
)
from p2p.reputation import Reputations
from p2p.seen import SeenMessages, message_id

logger = logging.getLogger(__name__)


class Hub(Protocol):
    """What carries messages between nodes; see `MemoryHub`."""

    now_ms: int

    def schedule(self, delay_ms: int, deliver: Callable[[], None]) -> None:
        """Queue `deliver` for `delay_ms` from now."""

    def peers_of(self, peer: PeerId) -> list[PeerId]:
        """Connected peers in ascending order."""

    def send_gossip(self, sender: PeerId, receiver: PeerId, topic: str, data: bytes) -> None:
        """Carry one gossip message."""

    def send_request(
        self, sender: PeerId, receiver: PeerId, protocol: str, data: bytes, answer: OnResponse
    ) -> None:
        """Carry a request there and its answer back."""

    def close(self, left: PeerId, right: PeerId) -> None:
        """Close the link between two nodes."""


class MemoryNetwork:
    """One node's `Network` on a hub."""

    def __init__(self, hub: Hub, peer: PeerId, handler: NetworkHandler) -> None:
        self.handler = handler
        self.running = True
        self._hub = hub
        self._peer = peer
        self._seen = SeenMessages()
        self._reputations = Reputations()
        self._refused: dict[PeerId, None] = {}
        self._asked: dict[int, tuple[PeerId, OnResponse]] = {}
        self._next_request = 0

    @property
    def local_peer_id(self) -> PeerId:
        """Our own id."""
        return self._peer

    def listen_addresses(self) -> list[str]:
        """A memory address, so that logs read alike."""
        return [f"/memory/{self._peer}/p2p/{self._peer}"]

    def peers(self) -> list[PeerId]:
        """Connected peers in ascending order."""
        return self._hub.peers_of(self._peer)

    def publish(self, topic: str, data: bytes) -> None:
        """Gossip to every peer. Raises: ValueError."""
        check_message(topic, data)
        if self._seen.add(message_id(topic, data), self._hub.now_ms):
            self._forward(topic, data, None)

    def request(
        self, peer: PeerId, protocol: str, data: bytes, on_response: OnResponse, timeout_ms: int
    ) -> None:
        """Ask `peer`; answered once, later. Raises: ValueError."""
        check_request(protocol, data)
        number = self._next_request
        self._next_request += 1
        self._asked[number] = (peer, on_response)
        if peer not in self.peers():
            self._fail_later(number, 0, f"peer {peer} is not connected")
            return
        self._fail_later(number, timeout_ms, f"no answer from {peer} within {timeout_ms} ms")
        self._hub.send_request(
            self._peer, peer, protocol, data, lambda answer: self._finish(number, answer)
        )

    def disconnect(self, peer: PeerId, reason: str) -> None:
        """Close the link after the present delivery; the hub dials it again later."""
        logger.debug("%s disconnects %s: %s", self._peer, peer, reason)
        self._hub.schedule(0, lambda: self._hub.close(self._peer, peer))

    def report(self, peer: PeerId, change: int, reason: str) -> None:
        """Change a reputation; at the threshold the peer is banned."""
        if self._reputations.change(peer, change, self._hub.now_ms):
            self.disconnect(peer, f"banned: {reason}")

    def reputation(self, peer: PeerId) -> int:
        """The reputation of `peer` now."""
        return self._reputations.score(peer, self._hub.now_ms)

    def banned_until_ms(self, peer: PeerId) -> int | None:
        """When our ban of `peer` ends."""
        return self._reputations.banned_until_ms(peer, self._hub.now_ms)

    def is_refused(self, peer: PeerId, status: bytes) -> bool:
        """Whether the node refuses the handshake of `peer`, which is then banned."""
        try:
            self.handler.check_status(peer, status)
        except PeerError as error:
            if peer not in self._refused:
                self._refused[peer] = None
                logger.info("%s refused %s: %s", self._peer, peer, error)
            self._reputations.ban(peer, self._hub.now_ms)
            return True
        return False

    def receive_gossip(self, peer: PeerId, topic: str, data: bytes) -> None:
        """Judge a message from `peer` and forward what is accepted."""
        identity, now_ms = message_id(topic, data), self._hub.now_ms
        if self._seen.is_bad(identity):
            return self.report(peer, REJECTED_GOSSIP_CHANGE, f"known bad message on {topic}")
        if self._seen.is_seen(identity, now_ms):
            return None
        verdict = self.handler.on_gossip(peer, topic, data)
        if verdict is Verdict.ACCEPT:
            self._seen.add(identity, now_ms)
            self._forward(topic, data, peer)
        elif verdict is Verdict.REJECT:
            self._seen.add_bad(identity)
            self.report(peer, REJECTED_GOSSIP_CHANGE, f"invalid message on {topic}")
        return None

    def answer(self, peer: PeerId, protocol: str, data: bytes) -> bytes | PeerError:
        """The node's answer to a request of `peer`."""
        try:
            response = self.handler.on_request(peer, protocol, data)
        except PeerError as error:
            return Refused(str(error))
        assert len(response) <= RESPONSE_SIZE_MAX, f"{protocol} response of {len(response)} bytes"
        return response

    def lose(self, peer: PeerId) -> None:
        """Hear that the link to `peer` is gone."""
        for number, (asked, _) in list(self._asked.items()):
            if asked == peer:
                self._fail_later(number, 0, f"peer {peer} disconnected")
        self.handler.on_peer_disconnected(peer)

    def _forward(self, topic: str, data: bytes, origin: PeerId | None) -> None:
        for peer in self.peers():
            if peer != origin:
                self._hub.send_gossip(self._peer, peer, topic, data)

    def _fail_later(self, number: int, delay_ms: int, message: str) -> None:
        self._hub.schedule(delay_ms, lambda: self._finish(number, PeerError(message)))

    def _finish(self, number: int, answer: bytes | PeerError) -> None:
        asked = self._asked.pop(number, None)
        if asked is not None and self.running:
            asked[1](answer)
