"""One machine of a simulated network: clock, disk and key stay, the node on it comes and goes.

Owns the door between node and network: every call into the node goes through `enter`, where a power
cut or a failing disk ends it as it ends a process. Invariant: a node that has ended hears and sends
nothing more.
Source: WP II.A; reliability 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from flockchain.chain.backend import Backend
from flockchain.chain.importer import Importer
from flockchain.chain.signatures import SIGNATURES_MAX, SignatureCache
from flockchain.chain.validation import BestBlockValidator
from flockchain.consensus.babe.author import AuthorKey, SlotAuthor
from flockchain.consensus.babe.lottery import VrfKey
from flockchain.consensus.babe.verifier import BabeConsensus
from flockchain.consensus.grandpa.ballot import Signer
from flockchain.consensus.grandpa.journal import Journal
from flockchain.consensus.grandpa.messages import ENVELOPE, GossipVote
from flockchain.consensus.grandpa.stored_journal import StoredJournal
from flockchain.consensus.grandpa.voter import VoterConfig
from flockchain.consensus.grandpa.worker import FinalityWorker
from flockchain.keys import KeyPair
from flockchain.node import Node
from flockchain.pool.pool import Pool, PoolConfig
from flockchain.simulation.network.clocks import SkewedClock
from flockchain.simulation.network.disk import PowerCut, SimulatedDisk
from flockchain.simulation.network.releases import OLD, playing, release_of
from flockchain.simulation.network.trace import Trace
from flockchain.simulation.network.wires import Wires
from flockchain.storage.errors import StorageError
from flockchain.storage.gathered import GatheredStore
from flockchain.storage.node_cache import NODES_MAX, NodeCache
from flockchain.storage.state import StateStore
from p2p.interface import Network, OnResponse, PeerError, PeerId, Verdict
from runtime.primitives.scale import DecodeError

T = TypeVar("T")
NEVER_MS: Final = 2**62
POWER_CUT: Final = "power cut"
"""Why a node has ended whose machine lost power."""
RELEASE_OVER: Final = "its release is over"
"""Why a node has ended that is to be updated."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What every seat of a world has for itself."""

    open_disk: Callable[[Random], SimulatedDisk] = SimulatedDisk
    cached_nodes: int = NODES_MAX
    """Trie nodes that a node keeps at hand at most."""
    cached_signatures: int = SIGNATURES_MAX


PLAIN_MACHINE: Final = Machine()


class Seat:
    """A place in the network."""

    def __init__(
        self,
        place: int,
        key: KeyPair | None,
        wires: Wires,
        trace: Trace,
        seed: int,
        machine: Machine = PLAIN_MACHINE,
    ) -> None:
        self.place = place
        self.peer = PeerId(f"node{place}")
        self.key = key
        self.wires = wires
        self.trace = trace
        self.prng = Random(f"seat {place} {seed}")
        self.clock = SkewedClock(wires)
        self.machine = machine
        self.disk = machine.open_disk(Random(f"disk {place} {seed}"))
        self.release = OLD
        """The spec version of the release that is installed."""
        self.wanted_release = OLD
        """The one that a node asked for when it ended: an earlier one, if its disk is new."""
        self.wants_warp = False
        """Whether an empty disk gets a state with proofs of it, not all blocks."""
        self.node: Node | None = None
        self.is_liar = False
        self.has_ended = False
        """The node failed within a call; whoever runs the world takes it away."""
        self.ended_because = ""
        self.starts = 0
        self.wake_ms = 0
        """Virtual time at which the node wants to be called."""
        self.journal: Journal | None = None
        """Instead of the one on disk, for liars."""
        self.overhear: Callable[[PeerId, str, bytes], None] | None = None
        """What a liar does at once with a gossip message that comes in."""
        self.rewrite_answer: Callable[[str, bytes, bytes], bytes] | None = None
        """(protocol, request, answer) to what a liar answers."""

    def start(self, genesis: Mapping[bytes, bytes], slot_ms: int) -> Node | None:
        """Build the node over its disk and join; None if it ended while it opened."""
        assert self.node is None, "the node is running"
        self.has_ended = False
        self.starts += 1
        self._guard(self._build, genesis, slot_ms)
        self.poke()
        return None if self.has_ended else self.node

    def leave(self) -> None:
        """Take the node away at once; its disk stays."""
        if self.wires.is_here(self.peer):
            self.wires.leave(self.peer)
        self.node = None

    def enter(self, act: Callable[..., T], *arguments: object) -> T | None:
        """Call into the node; None if it had ended, or ends before it answers."""
        if self.has_ended or self.node is None:
            return None
        answer = self._guard(act, *arguments)
        self.wake_ms = 0
        return answer

    def poke(self) -> None:
        """Something happened: when the node wants to be called has to be asked anew."""
        self.wake_ms = 0

    def next_wake_ms(self) -> int:
        """When the node is to be called, in virtual time."""
        if self.node is None or self.has_ended:
            return NEVER_MS
        if self.wake_ms == 0:
            self.wake_ms = max(1, self.clock.hub_ms(self.node.next_wake_ms()))
        return max(self.wake_ms, self.wires.asleep_until.get(self.peer, 0))

    def _build(self, genesis: Mapping[bytes, bytes], slot_ms: int) -> None:
        store = GatheredStore(self.disk)
        states = StateStore(store, cache=NodeCache(self.machine.cached_nodes))
        backend = Backend(store, states)
        backend.open(genesis)
        verify = SignatureCache(count_max=self.machine.cached_signatures)
        consensus = BabeConsensus(backend, self.clock, slot_ms)
        importer = Importer(backend, consensus, verify)
        pool = Pool(PoolConfig(), BestBlockValidator(backend, verify))
        author, signers = None, []
        if self.key is not None:
            keys = [
                AuthorKey(
                    VrfKey(self.key.public, self.key.vrf_prove, self.key.vrf_evaluate),
                    self.key.sign,
                )
            ]
            author = SlotAuthor(backend, importer, pool, keys, self.clock, slot_ms)
            if not self.is_liar:  # a liar forges with its own key beside its author
                consensus.on_sealed.append(author.note_sealed)
            signers.append(Signer(self.key.public, self.key.sign))
        node = Node(backend, importer, pool, self.clock, author, wants_warp=self.wants_warp)
        network = Outlet(self, self.wires.join(self.peer, Door(self, node)))
        journal = self.journal or StoredJournal(store)
        config = VoterConfig.for_slots(slot_ms)
        worker = FinalityWorker(backend, network, journal, signers, self.clock, config)
        node.connect(network, worker)
        self.node = node

    def _guard(self, act: Callable[..., T], *arguments: object) -> T | None:
        try:
            with playing(self.release):
                answer = act(*arguments)
        except PowerCut:
            self.end(POWER_CUT)
            return None
        except StorageError as error:
            self.end(str(error))
            return None
        if self.node is not None and self.node.is_release_over:
            backend = self.node.backend
            self.wanted_release = release_of(backend.state_at(backend.finalized.hash))
            self.end(RELEASE_OVER)
        return answer

    def end(self, reason: str) -> None:
        """The node's process is over."""
        self.has_ended = True
        self.ended_because = reason
        self.trace.note(self.wires.now_ms, self.peer, f"ends: {reason}")


class Door:
    """What the network calls: the node behind it, as long as it lives."""

    def __init__(self, seat: Seat, node: Node) -> None:
        self._seat = seat
        self._node = node

    def on_gossip(self, peer: PeerId, topic: str, data: bytes) -> Verdict:
        seat = self._seat
        seat.trace.note(seat.wires.now_ms, seat.peer, f"hears {peer} {topic}", data)
        overhear = seat.overhear
        if overhear is not None and seat.node is not None:
            seat.enter(overhear, peer, topic, data)
        if seat.is_liar and topic == "grandpa" and _is_vote_of(seat, data):
            return Verdict.ACCEPT  # its node would stop at the sight of a double
        verdict = seat.enter(self._node.on_gossip, peer, topic, data)
        return Verdict.IGNORE if verdict is None else verdict

    def on_request(self, peer: PeerId, protocol: str, data: bytes) -> bytes:
        answer = self._seat.enter(self._node.on_request, peer, protocol, data)
        if answer is None:
            raise PeerError("the connection broke")
        rewrite = self._seat.rewrite_answer
        return answer if rewrite is None else rewrite(protocol, data, answer)

    def on_peer_connected(self, peer: PeerId, status: bytes) -> None:
        self._seat.enter(self._node.on_peer_connected, peer, status)

    def on_peer_disconnected(self, peer: PeerId) -> None:
        self._seat.enter(self._node.on_peer_disconnected, peer)

    def status(self) -> bytes:
        return self._node.status()

    def check_status(self, peer: PeerId, data: bytes) -> None:
        self._node.check_status(peer, data)


def _is_vote_of(seat: Seat, data: bytes) -> bool:
    """Whether a message is a vote with the seat's own key."""
    try:
        message = ENVELOPE.decode_all(data).message
    except DecodeError:
        return False
    key = seat.key
    return (
        isinstance(message, GossipVote)
        and key is not None
        and (message.vote.message.id == key.public)
    )


class Outlet:
    """What the node calls: its network, as long as it lives; answers come in by the door."""

    def __init__(self, seat: Seat, network: Network) -> None:
        self._seat = seat
        self._network = network
        self.watchers: list[Callable[[str, bytes], None]] = []

    @property
    def local_peer_id(self) -> PeerId:
        return self._network.local_peer_id

    def listen_addresses(self) -> list[str]:
        return self._network.listen_addresses()

    def peers(self) -> list[PeerId]:
        return self._network.peers()

    def publish(self, topic: str, data: bytes) -> None:
        if self._seat.has_ended:
            return
        for watch in self.watchers:
            watch(topic, data)
        self._network.publish(topic, data)

    def request(
        self, peer: PeerId, protocol: str, data: bytes, on_response: OnResponse, timeout_ms: int
    ) -> None:
        seat, node = self._seat, self._seat.node

        def respond(answer: bytes | PeerError) -> None:
            def act() -> None:
                if seat.node is node:
                    seat.enter(on_response, answer)

            seat.wires.when_awake(seat.peer, act)

        self._network.request(peer, protocol, data, respond, timeout_ms)

    def disconnect(self, peer: PeerId, reason: str) -> None:
        self._network.disconnect(peer, reason)

    def report(self, peer: PeerId, change: int, reason: str) -> None:
        self._seat.trace.note(self._seat.wires.now_ms, self._seat.peer, f"blames {peer}: {reason}")
        self._network.report(peer, change, reason)
