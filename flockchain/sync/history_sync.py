"""History sync: after a warp, the blocks of the past, from where the chain began down to genesis.

Nothing waits for them: they are what others ask for, and what explorers read. One question at a
time, only while the node is not behind its peers; peers that send other blocks lose reputation.
Source: Substrate `sc_network_sync::strategy::chain_sync` (gap sync).
"""

from __future__ import annotations

import logging
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.chain.errors import InvalidBlock
from flockchain.chain.past_blocks import PastBlocks
from flockchain.clock import Clock
from flockchain.sync.messages import BLOCKS_PER_REQUEST_MAX, decode_blocks, history_request
from p2p.interface import MALFORMED_CHANGE, Network, PeerError, PeerId
from runtime.primitives.header import Header

log = logging.getLogger(__name__)

_TIMEOUT_MS: Final = 10_000
_RETRY_MS: Final = 3_000


class HistorySync:
    """Asks one peer after the other for the next missing blocks."""

    def __init__(self, backend: Backend, network: Network, clock: Clock) -> None:
        self._past = PastBlocks(backend)
        self._network = network
        self._clock = clock
        self._is_asking = False
        self._turn = 0
        self._fruitless = 0  # answers in a row that brought nothing
        self._not_before_ms = 0

    @property
    def is_whole(self) -> bool:
        """Whether no block is missing."""
        return self._past.next_wanted is None

    def poke(self) -> None:
        """Ask, if something is missing and nobody is being asked."""
        if self._is_asking:
            return  # an answer that is on its way must find what it was asked for still wanted
        self._past.settle()
        wanted, peers = self._past.next_wanted, self._network.peers()
        if wanted is None or not peers:
            return
        if self._clock.now_ms() < self._not_before_ms:
            return
        peer = peers[self._turn % len(peers)]
        self._turn += 1
        self._is_asking = True

        def on_response(answer: bytes | PeerError) -> None:
            self._is_asking = False
            self._take(peer, answer)

        request = history_request(wanted, BLOCKS_PER_REQUEST_MAX)
        self._network.request(peer, "sync", request, on_response, _TIMEOUT_MS)

    def next_wake_ms(self) -> int | None:
        """When `poke` is due."""
        return None if self.is_whole or self._is_asking else self._not_before_ms

    def _take(self, peer: PeerId, answer: bytes | PeerError) -> None:
        try:
            if isinstance(answer, PeerError):
                log.debug("no history from %s: %s", peer, answer)
                count = 0
            else:
                count = self._past.put(_whole_blocks(answer))
        except (PeerError, InvalidBlock) as error:
            log.warning("false history from %s: %s", peer, error)
            self._network.report(peer, MALFORMED_CHANGE, f"false history: {error}")
            count = 0
        self._fruitless = 0 if count else self._fruitless + 1
        if self._fruitless >= max(len(self._network.peers()), 1):  # they lack them too, perhaps
            self._not_before_ms = self._clock.now_ms() + _RETRY_MS
        if count and self.is_whole:
            log.info("all blocks down to genesis are here")


def _whole_blocks(answer: bytes) -> list[tuple[Header, list[bytes]]]:
    """Raises PeerError."""
    blocks = []
    for block in decode_blocks(answer):
        if block.body is None:
            raise PeerError(f"block {block.header.number} came without its body")
        blocks.append((block.header, block.body))
    return blocks
