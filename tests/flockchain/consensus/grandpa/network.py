"""Voters on a virtual network: seeded loss and delay, partitions, crashes, and a block maker.

Envelopes with identical bytes reach a node once, as gossip would have it. Every finalized block is
checked against all others at once, so a run that returns was safe.
"""

import heapq
import random
from collections.abc import Callable
from itertools import count

from flockchain.consensus.grandpa.effects import (
    AskCatchUp,
    Effect,
    Finalize,
    Gossip,
    ReportConflict,
    ReportEquivocation,
    StopVoting,
    TellNeighbours,
)
from flockchain.consensus.grandpa.journal import Journal, MemoryJournal
from flockchain.consensus.grandpa.justification import verify_for
from flockchain.consensus.grandpa.messages import (
    ENVELOPE,
    BlockRef,
    CatchUpRequest,
    CatchUpResponse,
    Envelope,
    GossipNeighbour,
    GossipVote,
    GrandpaJustification,
    VoteMessage,
)
from flockchain.consensus.grandpa.voter import Voter, VoterConfig
from flockchain.consensus.grandpa.votes import Equivocation
from p2p.interface import PeerId
from runtime.primitives.header import Header
from tests.flockchain.consensus.grandpa.keys import authority_set, signer
from tests.flockchain.consensus.grandpa.tree import Tree, make_header

CONFIG = VoterConfig()


class Node:
    """One voter with its own view of the tree."""

    def __init__(self, network: "Network", name: str, journal: Journal) -> None:
        self.network = network
        self.name = name
        self.journal = journal
        self.tree = Tree()
        self.finalized = self.tree.genesis
        self.is_up = False
        self.seen: set[bytes] = set()
        self.sent_votes: list[VoteMessage] = []
        self.proofs: list[GrandpaJustification] = []
        self.stops: list[StopVoting] = []
        self.key = name.split("'")[0]  # alice' is a second node with alice's key

    def start(self, config: VoterConfig = CONFIG) -> None:
        network = self.network
        own = [] if self.key.startswith("observer") else [signer(self.key)]
        self.voter = Voter(
            network.authorities, self.finalized, self.tree, self.journal, own, config, network.now
        )
        self.is_up = True
        self.seen = set()
        self.wake()
        for other in network.nodes.values():
            if other.is_up and other is not self:
                self._meet(other)
                other._meet(self)

    def _meet(self, other: "Node") -> None:
        met = self.voter.on_peer_connected(self.network.now, PeerId(other.name))
        self.network.carry_out(self, met)

    def stop(self) -> None:
        self.is_up = False
        for other in self.network.nodes.values():
            if other.is_up:
                other.voter.on_peer_disconnected(PeerId(self.name))

    def wake(self) -> None:
        network, voter = self.network, self.voter
        if self.is_up:
            network.carry_out(self, voter.on_tick(network.now))
            network.at(
                max(voter.next_wake_ms, network.now + 1),
                lambda: self.wake() if self.voter is voter else None,
            )


class Network:
    """All nodes and the queue of what happens next."""

    def __init__(self, weights: dict[str, int], seed: int, *, loss: float = 0.0) -> None:
        self.authorities = authority_set(weights)
        self.random = random.Random(seed)
        self.loss = loss
        self.now = 0
        self.nodes: dict[str, Node] = {}
        self.evidence: list[Equivocation] = []
        self.conflicts: list[ReportConflict] = []
        self.must_be_safe = True
        self.breaks = 0
        self.can_reach: Callable[[str, str], bool] = lambda sender, receiver: True
        self.delay_ms = (5, 120)
        self.all_blocks = Tree()
        self.highest = self.all_blocks.genesis
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()

    def add(self, name: str, journal: Journal | None = None) -> Node:
        node = self.nodes[name] = Node(self, name, journal or MemoryJournal())
        return node

    def start_all(self) -> None:
        for node in self.nodes.values():
            node.start()

    def at(self, when: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (when, next(self._order), action))

    def run(self, until_ms: int) -> None:
        while self._queue and self._queue[0][0] <= until_ms:
            when, _, action = heapq.heappop(self._queue)
            self.now = max(self.now, when)
            action()
        self.now = until_ms

    def make_blocks(self, *, every_ms: int = 1000, fork_chance: float = 0.0) -> None:
        """A random live node extends its best chain, or sometimes the parent of its head."""

        def make() -> None:
            self.at(self.now + every_ms, make)
            live = [node for node in self.nodes.values() if node.is_up]
            if not live:
                return
            author = self.random.choice(live)
            parent = author.tree.best_containing(author.finalized.hash)
            assert parent is not None
            if self.random.random() < fork_chance and parent.number > author.finalized.number:
                above = author.tree.header(parent.hash)
                parent = BlockRef(above.parent_hash, above.number - 1)
            self.publish_block(author, parent)

        self.at(self.now + every_ms, make)

    def publish_block(self, author: Node, parent: BlockRef) -> None:
        header = make_header(parent.hash, parent.number + 1, f"{author.name} {self.now}")
        self.all_blocks.add(header)
        self.import_headers(author, [header])
        for node in self.nodes.values():
            if node is not author and self.can_reach(author.name, node.name):
                self.later(lambda node=node: self.sync(node, author))

    def sync(self, node: Node, source: Node) -> None:
        """Blocks are not lost: a node fetches all that its source has."""
        self.import_headers(node, source.tree.headers())

    def import_headers(self, node: Node, headers: list[Header]) -> None:
        if node.is_up:
            for header in headers:
                if node.tree.number(header.hash()) is None:
                    block = node.tree.add(header)
                    self.carry_out(node, node.voter.on_block_imported(self.now, block.hash))

    def later(self, action: Callable[[], None]) -> None:
        self.at(self.now + self.random.randint(*self.delay_ms), action)

    def is_lost(self, sender: str, receiver: str) -> bool:
        return not self.can_reach(sender, receiver) or self.random.random() < self.loss

    def carry_out(self, node: Node, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Gossip(envelope):
                    if isinstance(envelope.message, GossipVote):
                        node.sent_votes.append(envelope.message.vote)
                    self.gossip(node.name, envelope)
                case TellNeighbours(beat, view):
                    self.gossip(node.name, Envelope(beat, GossipNeighbour(node.name, view)))
                case AskCatchUp(peer, request):
                    self._ask(node, self.nodes[peer], request)
                case Finalize(block, justification):
                    verify_for(justification, self.authorities, block)
                    node.proofs.append(justification)
                    self._check_final(node, block)
                case ReportEquivocation(evidence):
                    self.evidence.append(evidence)
                case ReportConflict():
                    self.conflicts.append(effect)
                case StopVoting():
                    node.stops.append(effect)

    def gossip(self, sender: str, envelope: Envelope, to: list[str] | None = None) -> None:
        data = ENVELOPE.encode(envelope)
        for name in to if to is not None else list(self.nodes):
            if name != sender and not self.is_lost(sender, name):
                self.later(lambda name=name: self._deliver(sender, self.nodes[name], data))

    def _deliver(self, sender: str, node: Node, data: bytes) -> None:
        if node.is_up and data not in node.seen:
            node.seen.add(data)
            envelope = ENVELOPE.decode_all(data)
            handled = node.voter.on_message(self.now, PeerId(sender), envelope)
            self.carry_out(node, handled.effects)

    def _ask(self, node: Node, peer: Node, request: CatchUpRequest) -> None:
        if self.is_lost(node.name, peer.name):
            return

        def answer() -> None:
            if peer.is_up and not self.is_lost(peer.name, node.name):
                response = peer.voter.answer_catch_up(request)
                self.sync(node, peer)
                self.later(lambda: take(response))

        def take(response: CatchUpResponse) -> None:
            if node.is_up:
                handled = node.voter.on_catch_up(self.now, PeerId(peer.name), request, response)
                self.carry_out(node, handled.effects)

        self.later(answer)

    def _check_final(self, node: Node, block: BlockRef) -> None:
        """Safety: finalized blocks of all nodes lie on one chain, and no node goes back."""
        assert block.number > node.finalized.number
        low, high = sorted((block, self.highest), key=lambda one: one.number)
        if not self.all_blocks.is_equal_or_descendant(low.hash, high.hash):
            assert not self.must_be_safe, f"{low} and {high} are both final"
            self.breaks += 1
        self.highest = high
        node.finalized = block

    def check_votes(self) -> None:
        """No node ever sent two different votes of a kind in a round."""
        said: dict[tuple[str, int, type], VoteMessage] = {}
        for node in self.nodes.values():
            for vote in node.sent_votes:
                key = (node.key, vote.round, type(vote.message.message))
                assert said.setdefault(key, vote) == vote, f"{node.name} contradicts itself"
