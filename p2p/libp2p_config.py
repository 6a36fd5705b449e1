"""What the production network needs to know of its node.

It owns one frozen record. Invariant: nothing here is read from the environment or changes later.
Source: WP II.A (peer-to-peer layer)
"""

from dataclasses import dataclass, field
from random import Random, SystemRandom


@dataclass(frozen=True, slots=True)
class Libp2pConfig:
    """What a node's network needs to know."""

    genesis_hash: bytes
    """32 bytes; its first four are part of every name on the wire."""
    node_key: bytes
    """The ed25519 seed, 32 bytes."""
    listen: tuple[str, ...] = ("/ip4/0.0.0.0/tcp/30333",)
    bootnodes: tuple[str, ...] = ()
    """Addresses that end in `/p2p/<peer id>`; ours among them is skipped."""
    peers_max: int = 64
    outbound_wanted: int = 8
    """Dial while fewer connections than this are ours; at least 3."""
    use_mdns: bool = False
    prng: Random = field(default_factory=SystemRandom)
    """For the jitter of dials."""
