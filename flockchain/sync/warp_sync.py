"""Warp sync: a fresh node goes to a final block by proofs and a state, without executing the past.

First the changes of voters, each with its votes, from genesis to the last final block; then that
block's state, node by node against its root; then the chain goes on from there. One question at a
time, progress on disk with each answer. Peers that send what is false lose reputation, those that
do not answer are passed over; whoever claims a final block that it does not prove is false too.
Voters that were replaced by force are nobody's to prove: if all peers say so, the operator is told,
who alone may choose to execute the past. However many peers say it, one person may be all of them.
Invariant: nothing is adopted that the genesis voters and their successors did not make final.
Source: Substrate `sc_network_sync::strategy::{warp, state}`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.chain.release_watch import ends_release
from flockchain.clock import Clock
from flockchain.consensus.grandpa.proof_import import authorities_at
from flockchain.consensus.grandpa.warp_proof import (
    Fragment,
    Proven,
    WarpProofError,
    is_change,
    verify_fragments,
)
from flockchain.storage.errors import ProofError
from flockchain.storage.kv import WriteBatch
from flockchain.storage.trie_download import TrieDownload
from flockchain.storage.trie_update import TrieRoot
from flockchain.sync.warp_messages import (
    StateRequest,
    decode_state_answer,
    decode_warp_answer,
    warp_request,
)
from flockchain.sync.warp_store import DownloadRecord, WarpStore
from p2p.interface import MALFORMED_CHANGE, Network, PeerError, PeerId

log = logging.getLogger(__name__)

PEERS_WANTED: Final = 3
"""So many peers are waited for, so that the first one alone does not choose where we go."""
WAIT_MS: Final = 5_000
"""But no longer than this after the first one came."""
GAIN_MIN: Final = 16
"""Blocks; with less to gain the past is executed, by a release that can."""
_TIMEOUT_MS: Final = 10_000
_PASSED_OVER_MS: Final = 3_000
_LOST_AFTER: Final = 3  # refusals by each peer in a row until another state is aimed at


@dataclass(slots=True)
class _Peer:
    """What a peer said it has final, and how it behaved since it was last of use."""

    claimed: int
    failures: int = 0
    not_before_ms: int = 0


class WarpSync:
    """One node's way from genesis to its first state; used once."""

    def __init__(
        self,
        backend: Backend,
        network: Network,
        clock: Clock,
        on_done: Callable[[], None],
    ) -> None:
        """`on_done` is called when the chain may go on, adopted or not. Raises StoreCorrupted."""
        self._backend = backend
        self._network = network
        self._clock = clock
        self._on_done = on_done
        self._store = WarpStore(backend.store)
        self._peers: dict[PeerId, _Peer] = {}
        self._forced_by: set[PeerId] = set()
        self._forced_after: int | None = None  # as the operator was told
        self._is_asking = False
        self._begin_at_ms: int | None = None
        self._refusals = 0
        self.is_active = True
        self._proven = Proven(authorities_at(backend, backend.genesis), 0)
        self._last: Fragment | None = None
        self._change_count = 0
        for fragment in self._store.fragments():
            self._proven = self._proven.trusting(fragment)
            self._last = fragment
            self._change_count += 1
        self._target = self._store.target()
        if self._target is None:
            _drop_rest(backend, self._store)
        self._walk: TrieDownload | None = None
        self._first_stem: bytes | None = None
        if self._target is not None:
            self._read_walk(self._target)

    # -- what is known of peers

    def on_peer(self, peer: PeerId, finalized: int) -> None:
        """A peer is here and says what it has final."""
        self._peers[peer] = _Peer(finalized)
        if self._begin_at_ms is None:
            self._begin_at_ms = self._clock.now_ms() + WAIT_MS
        self.poke()

    def on_peer_disconnected(self, peer: PeerId) -> None:
        """A peer is gone."""
        self._peers.pop(peer, None)
        self._forced_by.discard(peer)

    @property
    def stage(self) -> str:
        """What is done now, in words."""
        if not self.is_active:
            return "done"
        return "proofs" if self._target is None else "state"

    def next_wake_ms(self) -> int | None:
        """When `poke` is due."""
        if not self.is_active or self._is_asking or self._begin_at_ms is None or not self._peers:
            return None
        due_ms = min(peer.not_before_ms for peer in self._peers.values())
        return max(due_ms, self._begin_at_ms) if not self._may_begin() else due_ms

    # -- asking

    def poke(self) -> None:
        """Ask, if nobody is being asked and somebody may be."""
        now_ms = self._clock.now_ms()
        if not self.is_active or self._is_asking or not self._may_begin():
            return
        if self._target is None and self._last is None and not self._is_worth_it():
            log.info("no peer has more than %d blocks final: they are executed", GAIN_MIN)
            self._finish()
            return
        ready = [
            (-state.failures, state.claimed, name)
            for name, state in self._peers.items()
            if state.not_before_ms <= now_ms
        ]
        if not ready:
            return
        peer = max(ready)[2]
        if self._target is None:
            begin = self._backend.genesis if self._last is None else self._last.block.hash
            self._ask(peer, "warp", warp_request(begin), self._take_proofs)
        else:
            self._ask_state(peer, self._target)

    def _may_begin(self) -> bool:
        """Whether enough peers are here to choose among, or were waited for."""
        if self._begin_at_ms is None or not self._peers:
            return False
        return len(self._peers) >= PEERS_WANTED or self._clock.now_ms() >= self._begin_at_ms

    def _is_worth_it(self) -> bool:
        gain = max((peer.claimed for peer in self._peers.values()), default=0)
        return gain >= GAIN_MIN or ends_release(self._backend, self._backend.genesis)

    def _ask(
        self, peer: PeerId, protocol: str, request: bytes, take: Callable[[PeerId, bytes], None]
    ) -> None:
        self._is_asking = True

        def on_response(answer: bytes | PeerError) -> None:
            self._is_asking = False
            state = self._peers.get(peer)
            try:
                if isinstance(answer, PeerError):
                    log.debug("no %s from %s: %s", protocol, peer, answer)
                    self._pass_over(state)
                    self._on_refusal()
                else:
                    take(peer, answer)
                    self._refusals = 0
            except (PeerError, WarpProofError, ProofError) as error:
                log.warning("false %s from %s: %s", protocol, peer, error)
                self._pass_over(state)
                self._network.report(peer, MALFORMED_CHANGE, f"false {protocol}: {error}")
                if self._target is not None:
                    self._read_walk(self._target)
            self.poke()

        self._network.request(peer, protocol, request, on_response, _TIMEOUT_MS)

    def _pass_over(self, state: _Peer | None) -> None:
        if state is not None:
            state.failures += 1
            state.not_before_ms = self._clock.now_ms() + _PASSED_OVER_MS

    # -- proofs

    def _take_proofs(self, peer: PeerId, answer: bytes) -> None:
        """Raises PeerError, WarpProofError."""
        found = decode_warp_answer(answer)
        if not found.fragments and not found.is_last and not found.is_forced:
            raise PeerError("no fragment, and more to come")
        proven = verify_fragments(self._proven, found.fragments, is_last=found.is_last)
        changes = [fragment for fragment in found.fragments if is_change(fragment)]
        batch = WriteBatch()
        for fragment in changes:
            self._store.put_fragment(batch, fragment)
        self._backend.store.write(batch)
        self._change_count += len(changes)
        if changes:
            self._last = changes[-1]
        self._proven = Proven(
            proven.authorities, changes[-1].header.number if changes else self._proven.number
        )
        log.info("%d changes of voters proven up to block %d", self._change_count, proven.number)
        if found.is_forced:
            self._on_forced(peer)
        elif found.is_last:
            self._aim(peer, found.fragments[-1] if found.fragments else self._last)

    def _on_forced(self, peer: PeerId) -> None:
        """A peer has no proofs beyond a forced change: if all say so, the operator may choose."""
        state = self._peers.get(peer)
        if state is None:
            return  # who is gone says nothing
        self._pass_over(state)
        self._forced_by.add(peer)
        number = self._proven.number
        if number == self._forced_after or not self._forced_by.issuperset(self._peers):
            return
        self._forced_after = number
        log.warning(
            "all peers say that voters were replaced by force after block %d, and no proof leads "
            "beyond them: --sync full executes all blocks, else a peer with proofs is waited for",
            number,
        )

    def _aim(self, peer: PeerId, last: Fragment | None) -> None:
        """The proofs end here: aim at the last block's state. Raises PeerError."""
        number = 0 if last is None else last.header.number
        state = self._peers.get(peer)
        if state is not None and number < state.claimed:
            raise PeerError(f"proofs up to block {number}, {state.claimed} was said to be final")
        if last is None:
            self._pass_over(state)
            return
        self._target = last
        batch = WriteBatch()
        self._store.put_target(batch, last)
        self._backend.store.write(batch)
        self._read_walk(last)

    # -- the state

    def _ask_state(self, peer: PeerId, target: Fragment) -> None:
        assert self._walk is not None, "who has a target walks its state"
        request = StateRequest(target.block.hash, self._walk.cursor)
        self._ask(peer, "state", request.encode(), self._take_state)

    def _take_state(self, peer: PeerId, answer: bytes) -> None:
        """Raises PeerError, ProofError."""
        assert self._walk is not None, "only asked for on the way"
        batch = WriteBatch()
        stem = self._backend.state.take_stem(batch)
        self._walk.take(decode_state_answer(answer), stem, batch)
        if self._first_stem is None:
            self._first_stem = stem
        if self._walk.root is not None:
            self._adopt(self._walk.root, batch)
        else:
            record = DownloadRecord(self._first_stem, self._walk.encode())
            self._store.put_download(batch, record)
            self._backend.store.write(batch, sync=False)
        state = self._peers.get(peer)
        if state is not None:
            state.failures = 0

    def _adopt(self, root: TrieRoot, batch: WriteBatch) -> None:
        """All is here, the last of it in `batch`: the chain begins at the target."""
        target = self._target
        assert target is not None, "a state is fetched for a target"
        self._store.clear(batch)
        number = target.header.number
        below = (one for one in self._store.fragments() if one.header.number < number)
        self._backend.adopt(target, root, below, batch)
        log.info("the chain goes on from block %d, by proofs", number)
        self._finish()

    def _read_walk(self, target: Fragment) -> None:
        """The walk as it was last written."""
        root, record = target.header.state_root, self._store.download()
        self._first_stem = None if record is None else record.first_stem
        self._walk = (
            TrieDownload(root) if record is None else TrieDownload.resume(root, record.walk)
        )

    def _on_refusal(self) -> None:
        """If nobody has the state any more, the proofs are taken up again for a newer one."""
        self._refusals += 1
        if self._refusals <= _LOST_AFTER * max(len(self._peers), 1):
            return
        if self._target is None:
            self._refusals = 0
            log.warning("no peer gives proofs from genesis on: --sync full executes all blocks")
            return
        log.info("no peer has the state of block %d any more", self._target.header.number)
        end_stem = self._backend.state.take_stem(WriteBatch())
        self._store.drop_target(end_stem)
        self._target, self._walk, self._refusals = None, None, 0

    def _finish(self) -> None:
        self.is_active = False
        self._on_done()


def clear_progress(backend: Backend) -> None:
    """Forget an earlier warp sync that did not come to its end."""
    store = WarpStore(backend.store)
    if store.target() is not None:
        store.drop_target(backend.state.take_stem(WriteBatch()))
    _drop_rest(backend, store)
    batch = WriteBatch()
    store.clear(batch)
    if len(batch):
        backend.store.write(batch)


def _drop_rest(backend: Backend, store: WarpStore) -> None:
    """Bring to its end what a crash left of a target that was given up."""
    if store.download() is not None:
        store.drop_target(backend.state.take_stem(WriteBatch()))
