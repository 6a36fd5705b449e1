"""What the extrinsics that a node refuses cost it, peer by peer: beyond that it stops looking.

Owns the price of a refusal in signature checks. An account's signature is one; that of a ring, on
an extrinsic without an account, is a hundred. Refusals before a signature was looked at cost one.
Invariant: a peer makes a node spend a tenth of a core on what it refuses, after a burst.
Source: Substrate `sc_network_transactions` (a bad extrinsic costs reputation); this project's rate.
"""

from __future__ import annotations

from typing import Final

from flockchain.keyed_rate import KeyedRate
from flockchain.pool.errors import PoolError, Refused, TooLowPriority
from p2p.interface import PeerId
from runtime.frame.errors import InvalidKind
from runtime.frame.extrinsic import decode_extrinsic

CHECK_INTERVAL_MS: Final = 2  # for a check of 0.2 ms
CHECKS_BURST: Final = 1_024
RING_CHECKS: Final = 100  # a ring of 32 takes 20 ms
_PEERS_MAX: Final = 1_024


class Refusals:
    """Counts what was spent on each peer's refused extrinsics."""

    def __init__(self) -> None:
        self._rate = KeyedRate[PeerId](CHECK_INTERVAL_MS, CHECKS_BURST, _PEERS_MAX)

    def is_spent(self, peer: PeerId, now_ms: int) -> bool:
        """Whether nothing more of the peer is looked at for now."""
        return not self._rate.may_act(peer, now_ms)

    def charge(self, peer: PeerId, now_ms: int, error: PoolError, data: bytes) -> None:
        """Count an extrinsic that the pool did not take."""
        if isinstance(error, Refused):
            was_checked = error.error.kind is InvalidKind.BAD_PROOF
        elif isinstance(error, TooLowPriority):
            was_checked = True
        else:
            return  # not looked at, or good and no room for it
        is_bare = was_checked and decode_extrinsic(data).preamble is None
        self._rate.charge(peer, now_ms, RING_CHECKS if is_bare else 1)
