"""Fork sync: fetch blocks that are no part of any peer's best chain, but that somebody voted for.

After a partition the halves hold votes for blocks of branches that lost; until those blocks are
here the votes do not count and finality stands still. Owns how far each branch is here and whose
turn it is. Invariant: one question at a time, about each missing block in turn, so that votes for
blocks that nobody has keep nothing from coming.
Source: Substrate `sc_network_sync` (`set_sync_fork_request`); GRANDPA paper 2.3.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.chain.errors import (
    AlreadyKnown,
    BelowFinality,
    FutureBlock,
    InvalidBlock,
    UnknownParent,
)
from flockchain.clock import Clock
from flockchain.sync.messages import BlockData, ancestry_request, decode_blocks
from p2p.interface import MALFORMED_CHANGE, Network, PeerError, PeerId
from runtime.primitives.types import Hash

_RETRY_MS: Final = 500
_TIMEOUT_MS: Final = 10_000

log = logging.getLogger(__name__)


class ForkSync:
    """Asks one peer after the other for the branch that ends in a missing block."""

    def __init__(
        self,
        backend: Backend,
        network: Network,
        clock: Clock,
        import_block: Callable[[BlockData], None],
    ) -> None:
        self._backend = backend
        self._network = network
        self._clock = clock
        self._import_block = import_block
        self._above: dict[Hash, int] = {}  # the height up to which we have each branch
        self._is_asking = False
        self._not_before_ms = 0
        self._turn = 0

    def want(self, blocks: Iterable[Hash]) -> None:
        """These blocks are missing, and no others any more; asks if it is time to."""
        wanted = [*blocks]
        if not wanted:  # as mostly: a node asks whenever it does anything
            self._above = {}
            return
        self._above = {block: self._above.get(block, 0) for block in wanted}
        peers = self._network.peers()
        if not peers or self._is_asking or self._clock.now_ms() < self._not_before_ms:
            return
        missing = [block for block in wanted if not self._backend.blocks.has(block)]
        if missing:
            self._turn += 1
            around, place = divmod(self._turn, len(missing))
            self._ask(peers[(around + place) % len(peers)], missing[place])

    def _ask(self, peer: PeerId, block: Hash) -> None:
        self._is_asking = True
        self._not_before_ms = self._clock.now_ms() + _RETRY_MS

        def on_response(answer: bytes | PeerError) -> None:
            self._is_asking = False
            if isinstance(answer, PeerError):
                log.debug("no branch from %s: %s", peer, answer)
                return
            try:
                self._import_all(block, decode_blocks(answer))
            except (PeerError, InvalidBlock) as error:
                log.warning("false branch from %s: %s", peer, error)
                self._network.report(peer, MALFORMED_CHANGE, f"false branch: {error}")

        above = max(self._backend.finalized.number, self._above[block])
        request = ancestry_request(block, above)
        self._network.request(peer, "sync", request, on_response, _TIMEOUT_MS)

    def _import_all(self, target: Hash, blocks: list[BlockData]) -> None:
        for block in blocks:
            if block.body is None:
                raise PeerError(f"block {block.header.number} came without its body")
            try:
                self._import_block(block)
            except AlreadyKnown:
                pass
            except (UnknownParent, BelowFinality, FutureBlock) as error:
                log.debug("branch of 0x%s: %s", target.hex(), error)
                return
            if target in self._above:
                self._above[target] = max(self._above[target], block.header.number)
