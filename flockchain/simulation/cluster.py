"""Whole nodes in one process on a virtual clock: the code that ships, with memory for a network.

Each node has its own store, which survives a kill; a restarted node is built anew over it. Nothing
here reads the machine's clock or randomness: the same seed gives the same run.

Source: WP II.A.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.chain.block_pruning import BlockPruner
from flockchain.chain.importer import Importer
from flockchain.chain.signatures import SignatureCache
from flockchain.chain.validation import BestBlockValidator
from flockchain.consensus.babe.author import AuthorKey, SlotAuthor
from flockchain.consensus.babe.lottery import VrfKey
from flockchain.consensus.babe.verifier import BabeConsensus
from flockchain.consensus.grandpa.ballot import Signer
from flockchain.consensus.grandpa.stored_journal import StoredJournal
from flockchain.consensus.grandpa.voter import VoterConfig
from flockchain.consensus.grandpa.worker import FinalityWorker
from flockchain.keys import KeyPair
from flockchain.node import Node
from flockchain.pool.pool import Pool, PoolConfig
from flockchain.storage.kv import MemoryStore
from flockchain.storage.state import StateStore
from p2p.interface import PeerId
from p2p.memory import MemoryHub
from runtime.api import preset_of
from runtime.frame.externalities import DictState

START_MS: Final = 1_700_000_000_000  # what the virtual clock says first


class VirtualClock:
    """The hub's time, from a fixed date on."""

    def __init__(self, hub: MemoryHub) -> None:
        self._hub = hub

    def now_ms(self) -> int:
        return START_MS + self._hub.now_ms


@dataclass
class Member:
    """One node's place: its key and its disk stay, the node comes and goes."""

    peer: PeerId
    key: KeyPair | None
    store: MemoryStore = field(default_factory=MemoryStore)
    wants_warp: bool = False
    node: Node | None = None
    is_recovery: bool = False
    states_max: int | None = None
    """Final states that it keeps; None: all."""
    bodies_kept: int | None = None
    """Final blocks whose extrinsics it keeps; None: all."""
    spare_keys: list[KeyPair] = field(default_factory=list)
    """Session keys beside `key`, as a keystore holds them after a rotation."""

    def session_keys(self) -> list[KeyPair]:
        """All its keys; none if it is no authority."""
        return [] if self.key is None else [self.key, *self.spare_keys]


class Cluster:
    """Nodes, links and the clock."""

    def __init__(
        self,
        genesis: Mapping[bytes, bytes],
        keys: list[KeyPair | None],
        seed: int,
        latency_ms: Callable[[Random], int] = lambda prng: prng.randint(10, 60),
    ) -> None:
        self.genesis = dict(genesis)
        self.hub = MemoryHub(Random(seed), lambda prng, *_: latency_ms(prng))
        self.clock = VirtualClock(self.hub)
        self.members = [Member(PeerId(f"peer{i}"), key) for i, key in enumerate(keys)]
        self.slot_ms = preset_of(DictState(self.genesis)).slot_ms
        for index, left in enumerate(self.members):
            for right in self.members[index + 1 :]:
                self.hub.connect(left.peer, right.peer)
        for member in self.members:
            self.start(member)

    def start(self, member: Member) -> Node:
        """Build the member's node over its store and let it join."""
        assert member.node is None, "the node is running"
        backend = Backend(member.store, StateStore(member.store, states_max=member.states_max))
        backend.open(self.genesis)
        verify = SignatureCache()
        consensus = BabeConsensus(backend, self.clock, self.slot_ms)
        importer = Importer(backend, consensus, verify)
        pool = Pool(PoolConfig(), BestBlockValidator(backend, verify))
        author = None
        if member.key is not None:
            pairs = member.session_keys()
            keys = [
                AuthorKey(VrfKey(pair.public, pair.vrf_prove, pair.vrf_evaluate), pair.sign)
                for pair in pairs
            ]
            author = SlotAuthor(backend, importer, pool, keys, self.clock, self.slot_ms)
            consensus.on_sealed.append(author.note_sealed)
        node = Node(backend, importer, pool, self.clock, author, wants_warp=member.wants_warp)
        network = self.hub.join(member.peer, node)
        signers = [Signer(pair.public, pair.sign) for pair in member.session_keys()]
        finality = FinalityWorker(
            backend,
            network,
            StoredJournal(member.store),
            signers,
            self.clock,
            VoterConfig.for_slots(self.slot_ms, is_recovery=member.is_recovery),
        )
        node.connect(network, finality)
        if member.bodies_kept is not None:
            BlockPruner(backend, member.bodies_kept)
        member.node = node
        return node

    def kill(self, member: Member) -> None:
        """Stop a node at once; its store stays."""
        self.hub.leave(member.peer)
        member.node = None

    def nodes(self) -> list[Node]:
        """The running nodes."""
        return [member.node for member in self.members if member.node is not None]

    def run(self, duration_ms: int) -> None:
        """Let virtual time pass."""
        end_ms = self.hub.now_ms + duration_ms
        while True:
            times = [self._wake(node) - START_MS for node in self.nodes()]
            event_ms = self.hub.next_event_ms()
            if event_ms is not None:
                times.append(event_ms)
            step_ms = max(min(times, default=end_ms), self.hub.now_ms + 1)
            if step_ms > end_ms:
                self.hub.deliver_until(end_ms)
                return
            self.hub.deliver_until(step_ms)

    def _wake(self, node: Node) -> int:
        """Have the node do what is due; when it wants to be called next."""
        wake_ms = node.next_wake_ms()
        if wake_ms <= self.clock.now_ms():
            node.on_time()
            wake_ms = node.next_wake_ms()
        return wake_ms
