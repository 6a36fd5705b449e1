"""A node that writes down what the network tells it, for tests of both networks."""

from collections.abc import Callable
from dataclasses import dataclass, field

from p2p.interface import PeerError, PeerId, Verdict


def _accept(_peer: PeerId, _topic: str, _data: bytes) -> Verdict:
    return Verdict.ACCEPT


def _echo(_peer: PeerId, _protocol: str, data: bytes) -> bytes:
    return data[::-1]


@dataclass
class Recorder:
    """A `NetworkHandler` with switchable answers."""

    genesis: bytes = b"genesis"
    judge: Callable[[PeerId, str, bytes], Verdict] = _accept
    serve: Callable[[PeerId, str, bytes], bytes] = _echo
    on_change: Callable[[], None] = lambda: None
    """Called after every event, so that tests can wait."""
    events: list[tuple[str, PeerId]] = field(default_factory=list)
    gossip: list[tuple[PeerId, str, bytes]] = field(default_factory=list)
    refused: list[PeerId] = field(default_factory=list)

    def on_gossip(self, peer: PeerId, topic: str, data: bytes) -> Verdict:
        self.gossip.append((peer, topic, data))
        self.on_change()
        return self.judge(peer, topic, data)

    def on_request(self, peer: PeerId, protocol: str, data: bytes) -> bytes:
        return self.serve(peer, protocol, data)

    def on_peer_connected(self, peer: PeerId, status: bytes) -> None:
        assert status == self.genesis
        self.events.append(("connected", peer))
        self.on_change()

    def on_peer_disconnected(self, peer: PeerId) -> None:
        self.events.append(("disconnected", peer))
        self.on_change()

    def status(self) -> bytes:
        return self.genesis

    def check_status(self, peer: PeerId, data: bytes) -> None:
        if data != self.genesis:
            self.refused.append(peer)
            self.on_change()
            raise PeerError(f"genesis {data!r} != {self.genesis!r}")
