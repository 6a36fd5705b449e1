"""What blocks from far ahead of our clock cost the peers that send them: nothing, at honest rates.

One of the two clocks is wrong, and it may be ours: then every honest peer sends nothing else, and a
node that banned them for it would stay alone long after its clock was set right. Invariant: a peer
that sends a block a slot is never blamed, one that floods is, also when its blocks are many forks.
Source: Substrate `sc_consensus_slots::check_equivocation`; reliability of clocks (C10).
"""

from __future__ import annotations

from typing import Final

from flockchain.keyed_rate import KeyedRate
from p2p.interface import REJECTED_GOSSIP_CHANGE, PeerId

INTERVAL_MS: Final = 500  # half of the shortest slot: forks of two authors pass for ever
BURST: Final = 64  # what comes at once after a partition
FLOOD_CHANGE: Final = REJECTED_GOSSIP_CHANGE
_PEERS_MAX: Final = 1_024


class EarlyBlocks:
    """Counts each peer's blocks of slots that are not near."""

    def __init__(self) -> None:
        self._rate = KeyedRate[PeerId](INTERVAL_MS, BURST, _PEERS_MAX)

    def is_flood(self, peer: PeerId, now_ms: int) -> bool:
        """Count one more; whether it is more than honest peers send."""
        return not self._rate.take(peer, now_ms)
