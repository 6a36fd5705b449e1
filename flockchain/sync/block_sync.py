"""Block sync: follow whichever peer has a longer chain, range by range, one question at a time.

Ranges go upwards from our best block; where the peer's chain does not fit onto ours, the start
moves back in growing steps, down to the finalized block, below which no chain can differ, and from
there the branch is followed up to its end. Peers that send what does not import lose reputation,
peers that do not answer are passed over for a while.

Source: Substrate `sc_network_sync::strategy::chain_sync`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.chain.errors import (
    AlreadyKnown,
    BelowFinality,
    FutureBlock,
    InvalidBlock,
    OtherRelease,
    UnknownParent,
)
from flockchain.clock import Clock
from flockchain.sync.messages import (
    BLOCKS_PER_REQUEST_MAX,
    BlockData,
    blocks_request,
    decode_blocks,
)
from p2p.interface import MALFORMED_CHANGE, Network, PeerError, PeerId, Refused
from runtime.primitives.types import Hash

log = logging.getLogger(__name__)

_TIMEOUT_MS: Final = 10_000
_PASSED_OVER_MS: Final = 3_000  # how long a peer that failed is not asked
_FIRST_STEP: Final = 8  # blocks by which the search for a fork first goes back

ImportBlock = Callable[[BlockData], None]


@dataclass
class _Peer:
    """What a peer says it has."""

    best_number: int
    best_hash: Hash
    start: int | None = None  # where the next question begins; above our best block if unknown
    step: int = _FIRST_STEP  # how far the start moves back if the chain does not fit there
    not_before_ms: int = 0
    failures: int = 0  # since it last gave us something new
    has_refused: bool = False  # the last question, in words: it did not just keep silent


class BlockSync:
    """Brings the chain up to that of the peers."""

    def __init__(
        self, backend: Backend, network: Network, clock: Clock, import_block: ImportBlock
    ) -> None:
        self._backend = backend
        self._network = network
        self._clock = clock
        self._import_block = import_block
        self._peers: dict[PeerId, _Peer] = {}
        self._asked: PeerId | None = None
        self._told = 0
        """The block of which the operator knows that nobody has it."""
        self.is_resting = False
        """While the chain begins elsewhere: peers are remembered, none is asked."""

    # -- what is known of peers

    def on_peer(self, peer: PeerId, best_number: int, best_hash: Hash) -> None:
        """A peer told its best block."""
        known = self._peers.get(peer)
        if known is None:
            self._peers[peer] = _Peer(best_number, best_hash)
        else:
            is_here = self._backend.blocks.has(known.best_hash)
            if is_here:
                known.start = None  # came by other ways: no need to follow that branch
            if is_here or best_number >= known.best_number:  # a better chain may be shorter
                known.best_number, known.best_hash = best_number, best_hash
        self.poke()

    def on_peer_disconnected(self, peer: PeerId) -> None:
        """A peer is gone."""
        self._peers.pop(peer, None)

    def target(self) -> int:
        """The highest block of a peer's claim that it has not failed to make good since."""
        highest = 0
        for peer in self._peers.values():
            if peer.best_number > highest and not peer.failures:
                highest = peer.best_number
        return highest

    def is_syncing(self) -> bool:
        """Whether peers are well ahead of us."""
        return self.target() > self._backend.best.number + 5

    # -- asking

    def poke(self) -> None:
        """Ask, if there is something to ask for and nobody is being asked."""
        if self._asked is not None or self.is_resting:
            return
        now_ms = self._clock.now_ms()
        # Whoever failed less often comes first, whatever the others say they have: peers that
        # promise long chains and never answer must not keep us from honest ones.
        useful = [
            (-state.failures, state.best_number, name)
            for name, state in self._peers.items()
            if state.not_before_ms <= now_ms and self._has_more(state)
        ]
        if useful:
            self._ask(max(useful)[2])

    def next_wake_ms(self) -> int | None:
        """When a peer that was passed over may be asked again."""
        if self._asked is not None or self.is_resting:
            return None
        due_ms = None  # a loop: asked after every message
        for state in self._peers.values():
            if (due_ms is None or state.not_before_ms < due_ms) and self._has_more(state):
                due_ms = state.not_before_ms
        return due_ms

    def _has_more(self, state: _Peer) -> bool:
        """Whether a peer's chain may win: a shorter one too, if it has more primary slots."""
        is_above = state.best_number > self._backend.tree.root.number
        return is_above and not self._backend.blocks.has(state.best_hash)

    def _next_start(self, state: _Peer) -> int:
        """Where to begin: where both may have a block, or within a branch that is followed."""
        top = min(self._backend.best.number + 1, state.best_number)
        start = top if state.start is None else min(state.start, state.best_number)
        return max(start, self._backend.finalized.number + 1)

    def _ask(self, peer: PeerId) -> None:
        state = self._peers[peer]
        start = self._next_start(state)
        self._asked = peer

        def on_response(answer: bytes | PeerError) -> None:
            self._asked = None
            self._take(peer, start, answer)
            self.poke()

        request = blocks_request(start, BLOCKS_PER_REQUEST_MAX)
        self._network.request(peer, "sync", request, on_response, _TIMEOUT_MS)

    def _take(self, peer: PeerId, start: int, answer: bytes | PeerError) -> None:
        state = self._peers.get(peer)
        if state is None:
            return
        if isinstance(answer, PeerError):
            log.debug("no blocks from %s: %s", peer, answer)
            self._pass_over(state)
            state.has_refused = isinstance(answer, Refused)
            if state.has_refused:
                self._tell_if_all_refuse(start, answer)
            return
        state.has_refused = False
        try:
            blocks = decode_blocks(answer)
            grew = self._import_all(state, start, blocks)
        except (PeerError, InvalidBlock) as error:
            log.warning("false blocks from %s: %s", peer, error)
            self._pass_over(state)
            self._network.report(peer, MALFORMED_CHANGE, f"false blocks: {error}")
            return
        if grew:
            state.failures = 0
        else:
            self._pass_over(state)

    def _import_all(self, state: _Peer, start: int, blocks: list[BlockData]) -> bool:
        """Import in order; whether anything is new, or the next question will differ."""
        grew = False
        for offset, block in enumerate(blocks):
            if block.header.number != start + offset or block.body is None:
                raise PeerError(f"block {block.header.number} where {start + offset} was asked for")
            try:
                self._import_block(block)
                grew = True
            except AlreadyKnown:
                continue
            except OtherRelease:
                # Where our release ends: somewhere below lies the proof that this is final.
                state.start = self._backend.finalized.number + 1
                return False
            except FutureBlock:
                return grew
            except BelowFinality as error:
                log.debug("not taken any more: %s", error)  # finality rose since we asked
                state.start, state.step = None, _FIRST_STEP
                return False
            except UnknownParent as error:
                if start <= self._backend.finalized.number + 1:
                    log.debug("its chain leaves ours below the finalized block: %s", error)
                    state.start, state.step = None, _FIRST_STEP
                    return False  # it may have been cut off: nobody is to blame
                state.start, state.step = start - state.step, 2 * state.step
                return True
        return self._go_on(state, start, len(blocks)) or grew

    def _go_on(self, state: _Peer, start: int, count: int) -> bool:
        """After a range that is all ours now: follow the branch, if its end is not here yet."""
        end = start + count
        is_inside = count > 0 and end <= state.best_number
        state.start, state.step = end if is_inside else None, _FIRST_STEP
        return is_inside

    def _tell_if_all_refuse(self, start: int, last: PeerError) -> None:
        """Once for each block: peers that prune let nobody begin at genesis."""
        useful = [state for state in self._peers.values() if self._has_more(state)]
        if start == self._told or not useful or not all(state.has_refused for state in useful):
            return
        self._told = start
        log.warning(
            "no peer gives block %d (%s): a fresh node begins with --sync warp, others need a peer "
            "that keeps all blocks",
            start,
            last,
        )

    def _pass_over(self, state: _Peer) -> None:
        state.failures += 1
        state.not_before_ms = self._clock.now_ms() + _PASSED_OVER_MS
