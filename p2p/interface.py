"""The seam between the node and the peer-to-peer network, in memory or over libp2p.

It owns the words both sides share: peer ids, verdicts, names of topics and protocols with
their size limits, reputation changes and the two interfaces. Invariant: every handler runs on
the thread of the node's asyncio loop, is synchronous and never blocks.
Source: WP II.A (peer-to-peer layer); libp2p gossipsub 1.1
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, NewType, Protocol

PeerId = NewType("PeerId", str)
"""A libp2p peer id as base58 text, for instance `12D3KooW...`."""

TOPIC_SIZES_MAX: Final[dict[str, int]] = {
    "transactions": 128 * 1024,
    "block-announces": 512 * 1024,
    # A commit of 100 authorities holds 67 votes of 136 bytes (target hash and number, signature
    # and authority), 9 KiB together; 4 KiB would hold 29 votes, too few above 43 authorities.
    "grandpa": 16 * 1024,
    "model-hashes": 4 * 1024,
}
"""Topic name to the largest message in bytes; larger things travel by request."""

PROTOCOLS: Final = ("status", "sync", "state", "warp", "light", "blob")
REQUEST_SIZE_MAX: Final = 64 * 1024
"""Largest request body in bytes, for every protocol."""
RESPONSE_SIZE_MAX: Final = 1024 * 1024
"""Largest response body in bytes: the yamux writer gives up on a reader that stalls for 5 s."""

BAN_MS: Final = 10 * 60 * 1000
"""How long a banned peer is refused, in milliseconds."""
REPUTATION_BANNED: Final = -100
"""At or below this reputation a peer is disconnected and banned; a new peer starts at 0."""
REPUTATION_MAX: Final = 100
REJECTED_GOSSIP_CHANGE: Final = -20
"""What one message with the verdict REJECT costs the peer that forwarded it."""
MALFORMED_CHANGE: Final = -50
"""What a frame that breaks the wire format costs."""


class PeerError(Exception):
    """What a peer sent, asked or failed to answer is refused; the message says what and why."""


class Refused(PeerError):
    """The peer answered that it will not; the message is its reason."""


class Verdict(Enum):
    """What the node thinks of a gossiped message."""

    ACCEPT = "accept"
    """Valid: forwarded to other peers."""
    REJECT = "reject"
    """Invalid for everyone: remembered as bad, the forwarder loses reputation."""
    IGNORE = "ignore"
    """Not now, for instance a future block: not forwarded, not held against anyone, may return."""


OnResponse = Callable[[bytes | PeerError], None]


class NetworkHandler(Protocol):
    """What the network asks of the node; synchronous, on the node's thread."""

    def on_gossip(self, peer: PeerId, topic: str, data: bytes) -> Verdict:
        """Judge a message of topic name `topic` that `peer` forwarded; never called for own."""

    def on_request(self, peer: PeerId, protocol: str, data: bytes) -> bytes:
        """Answer a request in at most `RESPONSE_SIZE_MAX` bytes.

        Raises: PeerError: refused; the asking side gets the message.
        """

    def on_peer_connected(self, peer: PeerId, status: bytes) -> None:
        """`peer` passed the status handshake with payload `status`; balanced by a disconnect."""

    def on_peer_disconnected(self, peer: PeerId) -> None:
        """The last connection to a peer that was reported as connected is gone."""

    def status(self) -> bytes:
        """Our status handshake payload, as of now."""

    def check_status(self, peer: PeerId, data: bytes) -> None:
        """Check a peer's handshake before the peer is let in.

        Raises: PeerError: the peer is disconnected, the reason logged once.
        """


@dataclass(frozen=True, slots=True)
class Handlers:
    """A `NetworkHandler` made of plain functions, for nodes and tests that compose one."""

    on_gossip: Callable[[PeerId, str, bytes], Verdict]
    on_request: Callable[[PeerId, str, bytes], bytes]
    on_peer_connected: Callable[[PeerId, bytes], None]
    on_peer_disconnected: Callable[[PeerId], None]
    status: Callable[[], bytes]
    check_status: Callable[[PeerId, bytes], None]


class Network(Protocol):
    """What the node asks of the network; no call blocks, every callback comes later."""

    @property
    def local_peer_id(self) -> PeerId:
        """Our own id."""

    def listen_addresses(self) -> list[str]:
        """Multiaddresses we listen on, each ending in `/p2p/<our id>`."""

    def peers(self) -> list[PeerId]:
        """Peers that passed the handshake and are connected, in ascending order."""

    def publish(self, topic: str, data: bytes) -> None:
        """Gossip `data` on topic name `topic`; our own handler is not called.

        Raises: ValueError: unknown topic or a message above its limit.
        """

    def request(
        self, peer: PeerId, protocol: str, data: bytes, on_response: OnResponse, timeout_ms: int
    ) -> None:
        """Ask `peer`; `on_response` is called exactly once, never from within this call.

        It gets the answer, or a `PeerError` for a refusal, a lost peer or no answer within
        `timeout_ms`. Raises: ValueError: unknown protocol or a request above its limit.
        """

    def disconnect(self, peer: PeerId, reason: str) -> None:
        """Close every connection to `peer`; no ban."""

    def report(self, peer: PeerId, change: int, reason: str) -> None:
        """Change the reputation of `peer`; at `REPUTATION_BANNED` it is cut off and banned."""


def check_message(topic: str, data: bytes) -> None:
    """Check a gossip message against the topics. Raises: ValueError."""
    limit = TOPIC_SIZES_MAX.get(topic)
    if limit is None:
        raise ValueError(f"unknown topic {topic!r}")
    if len(data) > limit:
        raise ValueError(f"message of {len(data)} bytes on {topic}, at most {limit} are allowed")


def check_request(protocol: str, data: bytes) -> None:
    """Check a request against the protocols. Raises: ValueError."""
    if protocol not in PROTOCOLS or protocol == "status":
        raise ValueError(f"unknown request protocol {protocol!r}")
    if len(data) > REQUEST_SIZE_MAX:
        raise ValueError(f"request of {len(data)} bytes, at most {REQUEST_SIZE_MAX} are allowed")
