"""The node's logic in one piece: chain, pool, authoring, finality and sync behind one network.

Sans-I/O: time, network, disk and keys are handed in; whoever drives it calls `on_time` when
`next_wake_ms` has come and hands it the network's events. Production and the simulator drive this
very class.

Source: WP II.A; Substrate's `service` and `sc_network_sync`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from flockchain.chain.backend import Backend
from flockchain.chain.errors import (
    AlreadyKnown,
    BelowFinality,
    EarlyBlock,
    FutureBlock,
    InvalidBlock,
    OtherRelease,
    UnknownParent,
)
from flockchain.chain.importer import Importer
from flockchain.chain.notifications import Finalized, Imported
from flockchain.chain.release_watch import ReleaseWatch
from flockchain.chain.tree import TreeBlock
from flockchain.clock import Clock
from flockchain.consensus.early_blocks import FLOOD_CHANGE, EarlyBlocks
from flockchain.consensus.grandpa.messages import BlockRef
from flockchain.consensus.grandpa.worker import FinalityWorker, JustificationError
from flockchain.consensus.reporting import OffenceReporter
from flockchain.consensus.rival_blocks import RivalBlocks
from flockchain.pool.entry import Entry
from flockchain.pool.errors import AlreadyImported, NoState, PoolError, Refused
from flockchain.pool.outbox import Outbox
from flockchain.pool.pool import Pool
from flockchain.refusals import Refusals
from flockchain.sync.behind_finality import BehindFinality
from flockchain.sync.better_chain import BetterChain
from flockchain.sync.block_sync import BlockSync
from flockchain.sync.fork_sync import ForkSync
from flockchain.sync.history_sync import HistorySync
from flockchain.sync.light import decode_light_request, serve_light
from flockchain.sync.messages import (
    PROTOCOL_VERSION,
    AncestryRequest,
    BlockData,
    BlocksRequest,
    HistoryRequest,
    PeerStatus,
    decode_announcement,
    decode_extrinsics,
    decode_request,
    decode_status,
    encode_announcement,
    encode_catch_up_response,
    encode_extrinsics,
)
from flockchain.sync.serve import serve_ancestry, serve_blocks
from flockchain.sync.warp_messages import decode_state_request, decode_warp_request
from flockchain.sync.warp_serve import StateServer, serve_history, serve_warp
from flockchain.sync.warp_sync import WarpSync, clear_progress
from p2p.interface import Network, PeerError, PeerId, Verdict
from runtime.frame.errors import InvalidKind
from runtime.frame.validity import TransactionSource
from runtime.primitives.header import Header
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import Hash

log = logging.getLogger(__name__)

_HELD_MAX: Final = 64  # blocks of the next slot, until it begins
_HELD_AUTHOR_MS: Final = 100  # until we look again whether our keys may act
_FALSE_CHANGE: Final = -50


class Author(Protocol):
    """Makes this node's blocks."""

    stopped_because: str | None
    """Why it makes none any more: another node was seen with its key."""

    def on_time(self, now_ms: int) -> tuple[Imported, list[bytes]] | None:
        """Author if it is our turn."""

    def next_slot_ms(self) -> int:
        """When it may be our turn."""


class Companion(Protocol):
    """A part of the node with peers and deadlines of its own, such as the blob exchange."""

    def on_time(self) -> None:
        """Do what is due."""

    def next_wake_ms(self) -> int | None:
        """When `on_time` is due; None while nothing is."""

    def on_peer_connected(self, peer: PeerId) -> None:
        """A peer is here."""

    def on_peer_disconnected(self, peer: PeerId) -> None:
        """A peer is gone."""


# (peer, data) → verdict, and (peer, data) → answer: protocols that other parts of the node own
GossipRule = Callable[[PeerId, bytes], Verdict]
RequestRule = Callable[[PeerId, bytes], bytes]


@dataclass
class Node:
    """One node. `connect` gives it its network before anything else happens."""

    backend: Backend
    importer: Importer
    pool: Pool
    clock: Clock
    author: Author | None = None
    roles: str = "full"
    gossip_rules: dict[str, GossipRule] = field(default_factory=dict)
    request_rules: dict[str, RequestRule] = field(default_factory=dict)
    companions: list[Companion] = field(default_factory=list)
    wants_warp: bool = False
    """Whether a chain that has only its genesis begins at a proven block instead."""
    network: Network = field(init=False)
    finality: FinalityWorker | None = field(init=False, default=None)
    sync: BlockSync = field(init=False)
    forks: ForkSync = field(init=False)
    history: HistorySync = field(init=False)
    warp: WarpSync | None = field(init=False, default=None)
    release: ReleaseWatch = field(init=False)
    _behind: BehindFinality = field(init=False)
    _states: StateServer = field(init=False)
    peers: dict[PeerId, PeerStatus] = field(init=False, default_factory=dict)
    _held: list[tuple[int, PeerId, BlockData]] = field(init=False, default_factory=list)
    _outbox: Outbox = field(init=False, default_factory=Outbox)
    _rivals: RivalBlocks = field(init=False, default_factory=RivalBlocks)
    _refusals: Refusals = field(init=False, default_factory=Refusals)
    _early: EarlyBlocks = field(init=False, default_factory=EarlyBlocks)

    def connect(self, network: Network, finality: FinalityWorker | None) -> None:
        """Give the node its network and its part in finality."""
        self.network = network
        self.finality = finality
        self.sync = BlockSync(self.backend, network, self.clock, self._import_synced)
        self._behind = BehindFinality(self.sync)
        self.forks = ForkSync(self.backend, network, self.clock, self._import)
        self.history = HistorySync(self.backend, network, self.clock)
        self._states = StateServer(self.backend, self.clock)
        self.release = ReleaseWatch(self.backend, self.clock)
        self._prepare_warp()
        self.backend.notifications.on_imported.append(self._on_imported)
        self.backend.notifications.on_finalized.append(self._on_finalized)
        BetterChain(self.backend, network)
        self.companions.append(OffenceReporter(self.backend, self.clock, self.submit))

    def _prepare_warp(self) -> None:
        """Begin a warp sync if it is wanted and there is no chain yet; else forget about one."""
        if not self.wants_warp or self.backend.best.number > 0:
            clear_progress(self.backend)
            return
        self.warp = WarpSync(self.backend, self.network, self.clock, self._on_warped)
        self.sync.is_resting = True

    def _on_warped(self) -> None:
        """The chain is where the proofs led: author, vote and sync from there on."""
        self.sync.is_resting = False
        self.release.look_best(self.backend.best.hash)
        self.history = HistorySync(self.backend, self.network, self.clock)
        if self.finality is not None and self.release.outdated is None:
            self.finality.restart()
        self.sync.poke()

    @property
    def is_release_over(self) -> bool:
        """Whether the chain goes on with another release, and this one has nothing more to say."""
        return self.release.is_over and not self.is_warping

    @property
    def is_warping(self) -> bool:
        """Whether the chain is still to begin at a proven block: nothing is made or voted for."""
        return self.warp is not None and self.warp.is_active

    # -- time

    def on_time(self) -> None:
        """Do what is due."""
        now_ms = self.clock.now_ms()
        if self.is_release_over:
            return
        self._states.on_time()
        if self.warp is not None and self.warp.is_active:
            self.warp.poke()
            for companion in self.companions:
                companion.on_time()
            return
        self._release_held(now_ms)
        if self.author is not None and now_ms >= self._author_wake_ms(now_ms):
            made = self.author.on_time(now_ms)
            if made is not None:
                imported, body = made
                self.network.publish("block-announces", encode_announcement(imported.header, body))
        if self.finality is not None:
            self.finality.on_time(now_ms)
            voter = self.finality.voter
            self.forks.want(voter.awaited_blocks)
            self._behind.look(now_ms, self.backend.finalized.number, voter.final_heights)
        batch = self._outbox.take(self.clock.now_ms())
        if batch:
            self.network.publish("transactions", encode_extrinsics(batch))
        for companion in self.companions:
            companion.on_time()
        self.sync.poke()
        if not self.sync.is_syncing():
            self.history.poke()

    @property
    def stopped_because(self) -> str | None:
        """Why our keys must not act any more; None while all is well."""
        if self.finality is not None and self.finality.stopped_because is not None:
            return self.finality.stopped_because
        return None if self.author is None else self.author.stopped_because

    def _author_wake_ms(self, now_ms: int) -> int:
        """When a slot of ours may come; later than now while our keys must not act."""
        assert self.author is not None, "asked by who has looked"
        is_held = self.stopped_because is not None or self.release.resting is not None
        if not is_held and self.finality is not None:
            is_held = not self.finality.may_author(now_ms)
        slot_ms = self.author.next_slot_ms()
        return max(slot_ms, now_ms + _HELD_AUTHOR_MS) if is_held else slot_ms

    def next_wake_ms(self) -> int:
        """When `on_time` is due next, if nothing else happens before."""
        # Asked after every message: what mostly is nothing is looked at first.
        now_ms = self.clock.now_ms()
        if self.is_release_over:
            return now_ms + 1_000
        times = [companion.next_wake_ms() for companion in self.companions]
        times.append(now_ms + 1_000)
        if self.warp is not None and self.warp.is_active:
            times.append(self.warp.next_wake_ms())
        else:
            if self.author is not None:
                times.append(self._author_wake_ms(now_ms))
            if self.finality is not None:
                times.append(self.finality.next_wake_ms())
            times += (self._outbox.due_ms, self.sync.next_wake_ms())
            history_ms = self.history.next_wake_ms()
            if history_ms is not None and not self.sync.is_syncing():
                times.append(history_ms)
            if self._held:
                times.extend([due_ms for due_ms, _, _ in self._held])
        return min([due_ms for due_ms in times if due_ms is not None])

    # -- extrinsics

    def submit(self, data: bytes) -> Entry:
        """Take in an extrinsic from this node's own users, and spread it. Raises PoolError."""
        if self.is_warping:
            raise NoState("the node is fetching a state to judge extrinsics by: send it later")
        if self.release.resting is not None:
            raise NoState(f"an upgrade is under way, send it afterwards: {self.release.resting}")
        now_ms = self.clock.now_ms()
        entry = self.pool.submit(
            data,
            TransactionSource.LOCAL,
            best_number=self.backend.best.number,
            now_ms=now_ms,
        )
        if entry.propagate:
            self._outbox.put(data, now_ms)
        return entry

    # -- NetworkHandler

    def on_gossip(self, peer: PeerId, topic: str, data: bytes) -> Verdict:
        """Judge a gossiped message."""
        if self.is_release_over:
            return Verdict.IGNORE
        try:
            if topic == "block-announces":
                announced = decode_announcement(data)
                if self.is_warping:
                    self._note_best(peer, announced.header)
                    return Verdict.IGNORE
                return self._on_announcement(peer, announced)
            if self.is_warping and topic in ("transactions", "grandpa"):
                return Verdict.IGNORE  # the state to judge them by is not here
            if topic == "transactions" and self.release.resting is not None:
                return Verdict.IGNORE  # the next release judges by other rules
            if topic == "transactions":
                return self._on_extrinsics(peer, decode_extrinsics(data))
            if topic == "grandpa":
                finality = self.finality
                return Verdict.IGNORE if finality is None else finality.on_gossip(peer, data)
            rule = self.gossip_rules.get(topic)
            return Verdict.IGNORE if rule is None else rule(peer, data)
        except PeerError as error:
            log.debug("bad %s from %s: %s", topic, peer, error)
            return Verdict.REJECT

    def on_request(self, peer: PeerId, protocol: str, data: bytes) -> bytes:
        """Answer a request. Raises PeerError."""
        if protocol == "warp":
            return serve_warp(self.backend, decode_warp_request(data))
        if protocol == "light":
            return serve_light(self.backend, decode_light_request(data))
        if protocol == "state":
            return self._states.serve(decode_state_request(data))
        if protocol != "sync":
            rule = self.request_rules.get(protocol)
            if rule is None:
                raise PeerError(f"{protocol} is not served here")
            return rule(peer, data)
        request = decode_request(data)
        if isinstance(request, BlocksRequest):
            return serve_blocks(self.backend, request)
        if isinstance(request, AncestryRequest):
            return serve_ancestry(self.backend, request)
        if isinstance(request, HistoryRequest):
            return serve_history(self.backend, request)
        if self.finality is None:
            raise PeerError("this node takes no part in finality")
        try:
            return encode_catch_up_response(self.finality.answer_catch_up(request.request))
        except DecodeError as error:
            raise PeerError(f"a catch-up request that does not decode: {error}") from error

    def status(self) -> bytes:
        """Our handshake."""
        best = self.backend.best
        return PeerStatus(
            self.backend.genesis,
            PROTOCOL_VERSION,
            self.roles,
            best.number,
            best.hash,
            self.backend.finalized.number,
        ).encode()

    def check_status(self, peer: PeerId, data: bytes) -> None:
        """Refuse peers of other chains. Raises PeerError."""
        status = decode_status(data)
        if status.genesis != self.backend.genesis:
            raise PeerError(
                f"its genesis is 0x{status.genesis.hex()}, ours 0x{self.backend.genesis.hex()}: "
                "another chain"
            )
        if status.version != PROTOCOL_VERSION:
            raise PeerError(f"it speaks protocol {status.version}, we speak {PROTOCOL_VERSION}")

    def on_peer_connected(self, peer: PeerId, status: bytes) -> None:
        """A peer of our chain is here."""
        known = self.peers[peer] = decode_status(status)
        log.info("peer %s is here, its best is #%d", peer, known.best_number)
        self.sync.on_peer(peer, known.best_number, known.best_hash)
        if self.warp is not None and self.warp.is_active:
            self.warp.on_peer(peer, known.finalized_number)
        elif self.finality is not None:
            self.finality.on_peer_connected(peer)
        for companion in self.companions:
            companion.on_peer_connected(peer)

    def on_peer_disconnected(self, peer: PeerId) -> None:
        """A peer is gone."""
        if self.peers.pop(peer, None) is not None:
            log.info("peer %s is gone", peer)
        self.sync.on_peer_disconnected(peer)
        if self.warp is not None:
            self.warp.on_peer_disconnected(peer)
        if self.finality is not None:
            self.finality.on_peer_disconnected(peer)
        for companion in self.companions:
            companion.on_peer_disconnected(peer)

    # -- blocks and extrinsics of others

    def _on_announcement(self, peer: PeerId, block: BlockData) -> Verdict:
        header = block.header
        if block.body is None:
            return self._on_header(peer, header)
        if self._rivals.is_one_too_many(header):
            return Verdict.IGNORE
        try:
            self._import(block)
            self._rivals.note(header)
        except AlreadyKnown:
            return Verdict.IGNORE  # its body was not looked at: nothing to vouch for
        except UnknownParent:
            self._note_best(peer, header)
            return Verdict.IGNORE
        except EarlyBlock as error:
            return self._on_early(peer, error)
        except OtherRelease:
            return Verdict.IGNORE  # unchecked, and never due here: it must not take others' places
        except FutureBlock as error:
            self._hold(error.due_ms, peer, block)
            return Verdict.IGNORE
        except BelowFinality:
            return Verdict.IGNORE
        except InvalidBlock as error:
            log.warning("false block from %s: %s", peer, error)
            return Verdict.REJECT
        return Verdict.ACCEPT

    def _note_best(self, peer: PeerId, header: Header) -> None:
        """Who announced a block has it; one who is gone meanwhile is not remembered."""
        if peer in self.peers:
            self.sync.on_peer(peer, header.number, header.hash())

    def _on_header(self, peer: PeerId, header: Header) -> Verdict:
        """A block too large for gossip: forwarded if its author had the slot, and asked for."""
        block = header.hash()
        if self.backend.blocks.has(block):
            return Verdict.IGNORE
        parent = self.backend.header(header.parent_hash)
        if parent is None or header.parent_hash not in self.backend.tree:
            self._note_best(peer, header)
            return Verdict.IGNORE
        try:
            if header.number != parent.number + 1:
                raise InvalidBlock(f"block {header.number} on block {parent.number}")
            self.importer.consensus.verify(header, parent)
        except EarlyBlock as error:
            return self._on_early(peer, error)
        except FutureBlock:
            return Verdict.IGNORE
        except InvalidBlock as error:
            log.warning("false header from %s: %s", peer, error)
            return Verdict.REJECT
        self._note_best(peer, header)
        return Verdict.ACCEPT

    def _on_early(self, peer: PeerId, error: EarlyBlock) -> Verdict:
        """Not rejected: when clocks are right again, others send the same block in good faith."""
        log.debug("early block from %s: %s", peer, error)
        if self._early.is_flood(peer, self.clock.now_ms()):
            self.network.report(peer, FLOOD_CHANGE, f"a flood of early blocks: {error}")
        return Verdict.IGNORE

    def _import(self, block: BlockData) -> None:
        assert block.body is not None, "only whole blocks are imported"
        imported = self.importer.import_block(block.header, block.body)
        log.info(
            "imported #%d (0x%s..) %d extrinsics",
            block.header.number,
            imported.hash[:4].hex(),
            len(block.body),
        )

    def _import_synced(self, block: BlockData) -> None:
        """Import a block that was asked for, with its proof of finality if it has one."""
        try:
            self._import(block)
        except AlreadyKnown:
            self._take_proof(block)
            raise
        self._take_proof(block)

    def _take_proof(self, block: BlockData) -> None:
        proof, header = block.justification, block.header
        if proof is None or self.finality is None:
            return  # as mostly: most blocks come without
        target = BlockRef(header.hash(), header.number)
        if target.hash not in self.backend.tree:
            return
        try:
            self.finality.on_justification(target, proof)
        except (JustificationError, DecodeError) as error:
            raise InvalidBlock(f"proof of block {header.number}: {error}") from error

    def _hold(self, due_ms: int, peer: PeerId, block: BlockData) -> None:
        if len(self._held) < _HELD_MAX:
            self._held.append((due_ms, peer, block))

    def _release_held(self, now_ms: int) -> None:
        due = [item for item in self._held if item[0] <= now_ms]
        self._held = [item for item in self._held if item[0] > now_ms]
        for _, peer, block in due:
            if self._on_announcement(peer, block) is Verdict.REJECT:
                self.network.report(peer, _FALSE_CHANGE, "a false block")

    def _on_extrinsics(self, peer: PeerId, extrinsics: list[bytes]) -> Verdict:
        """ACCEPT if any is new and good, REJECT if one does not decode; stops at a peer's rate."""
        now_ms, number = self.clock.now_ms(), self.backend.best.number
        verdict = Verdict.IGNORE
        for data in extrinsics:
            if self._refusals.is_spent(peer, now_ms):
                return verdict
            try:
                self.pool.submit(
                    data, TransactionSource.EXTERNAL, best_number=number, now_ms=now_ms
                )
                verdict = Verdict.ACCEPT
            except AlreadyImported:
                continue
            except PoolError as error:
                log.debug("extrinsic of %s not taken: %s", peer, error)
                if isinstance(error, Refused) and error.error.kind is InvalidKind.CALL:
                    return Verdict.REJECT
                self._refusals.charge(peer, now_ms, error, data)
        return verdict

    # -- the chain's own news

    def _on_imported(self, event: Imported) -> None:
        if event.is_new_best:
            self.release.look_best(event.hash)
            blocks = self.backend.blocks
            retracted = [
                (node.hash, data)
                for node in event.route.retracted
                for data in blocks.body(node.hash) or []
            ]
            self._move_pool(event.route.enacted, retracted)
        if self.finality is not None:
            self.finality.on_block_imported(BlockRef(event.hash, event.header.number))

    def _move_pool(self, enacted: Sequence[TreeBlock], retracted: list[tuple[Hash, bytes]]) -> None:
        """Tell the pool of a new head; what is in a new block too was not taken back."""
        now_ms = self.clock.now_ms()
        bodies = [self.backend.blocks.body(node.hash) or [] for node in enacted]
        included = {data for body in bodies for data in body}
        lost = [(block, data) for block, data in retracted if data not in included]
        for place, (node, body) in enumerate(zip(enacted, bodies, strict=True)):
            is_last = place == len(bodies) - 1
            self.pool.on_block(node.hash, node.number, body, lost if is_last else [], now_ms)

    def _on_finalized(self, event: Finalized) -> None:
        if event.route.enacted:
            self.release.look_best(self.backend.best.hash)
        self.release.look_final(event.hash)
        self._move_pool(event.route.enacted, list(event.retracted))
        for block in event.finalized:
            self.pool.on_finalized(block, self.backend.blocks.body(block) or [])
