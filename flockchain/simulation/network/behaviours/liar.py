"""A byzantine node's tools: blocks and votes with its own key, sent to whom it likes.

Source: WP II.A.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from flockchain.chain.backend import Head
from flockchain.chain.builder import build_block
from flockchain.consensus.babe.lottery import VrfKey, claim_slot
from flockchain.consensus.babe.seal import seal_header
from flockchain.consensus.babe.verifier import epoch_after
from flockchain.consensus.grandpa.messages import (
    ENVELOPE,
    Envelope,
    GossipVote,
    Message,
    SignedMessage,
    VoteMessage,
    signing_payload,
)
from flockchain.consensus.grandpa.voter import Voter
from flockchain.keys import KeyPair
from flockchain.node import Node
from flockchain.simulation.network.behaviours.behaviour import Behaviour
from flockchain.simulation.network.plan import SLOT_MS
from flockchain.simulation.network.seat import Seat
from flockchain.storage.errors import StorageError
from flockchain.sync.messages import BlockData, encode_announcement
from runtime.api import disabled_authors
from runtime.primitives.babe_digest import claim_log, find_claim
from runtime.primitives.header import Header
from runtime.primitives.types import Hash

FORGETS: Final = "forgets what it voted"


class Liar:
    """What a behaviour may use."""

    def __init__(self, seat: Seat, behaviour: Behaviour, seats: list[Seat]) -> None:
        assert seat.key is not None, "a liar is an authority"
        self.seat = seat
        self.key: KeyPair = seat.key
        self.behaviour = behaviour
        self.prng = Random(f"liar {behaviour.name} {seat.prng.random()}")
        self.is_provable = False
        """Set by behaviours once honest nodes were sent what proves two signatures."""
        self._seats = seats
        seat.is_liar = True
        places = {other.peer: other.place for other in seats}
        seat.rewrite_answer = lambda protocol, request, answer: behaviour.on_answer(
            self, protocol, request, answer
        )
        seat.overhear = lambda peer, topic, data: behaviour.on_hear(self, places[peer], topic, data)
        seat.wires.outboxes[seat.peer] = lambda receiver, topic, data: behaviour.on_send(
            self, places[receiver], topic, data
        )

    @property
    def node(self) -> Node:
        """Our node, which runs."""
        assert self.seat.node is not None, "the node runs"
        return self.seat.node

    @property
    def voter(self) -> Voter:
        """Our node's voter."""
        assert self.node.finality is not None
        return self.node.finality.voter

    @property
    def slot(self) -> int:
        """The slot by our clock."""
        return self.seat.clock.now_ms() // SLOT_MS

    def is_liar(self, place: int) -> bool:
        """Whether another one is of our kind: liars know each other."""
        return self._seats[place].is_liar

    def restart(self) -> None:
        """End our process; it is started again at once."""
        self.seat.end(FORGETS)

    def peers(self) -> list[int]:
        """The places that we have a link to."""
        here = self.node.network.peers()
        return [seat.place for seat in self._seats if seat.peer in here]

    def is_judge(self, place: int, forged: Forged) -> bool:
        """Whether a node can prove what we forged: honest, and it has the block beneath."""
        seat = self._seats[place]
        beneath = forged.header.parent_hash
        return not seat.is_liar and seat.node is not None and beneath in seat.node.backend.tree

    def send(self, receiver: int, topic: str, data: bytes) -> None:
        """Send one node a gossip message."""
        peer = self._seats[receiver].peer
        if peer in self.node.network.peers():
            self.seat.wires.send_plain(self.seat.peer, peer, topic, data)

    def send_all(self, topic: str, data: bytes) -> None:
        """Send all neighbours a gossip message."""
        for receiver in self.peers():
            self.send(receiver, topic, data)

    def parent_for(self, slot: int) -> Head:
        """The best block below a slot."""
        backend = self.node.backend
        parent = backend.best
        while parent.hash != backend.finalized.hash and self.slot_of(parent.hash) >= slot:
            header = backend.header(parent.hash)
            assert header is not None, "a block of the tree is stored"
            parent = Head(header.parent_hash, parent.number - 1)
        return parent

    def slot_of(self, block: Hash) -> int:
        """The slot that a known block claims; 0 for genesis."""
        header = self.node.backend.header(block)
        claim = None if header is None else find_claim(header)
        return 0 if claim is None else claim.slot

    def forge(self, slot: int, parent: Head | None = None, *, younger_ms: int = 0) -> Forged | None:
        """A block of ours that breaks no rule but what was asked for; None if the slot is not ours.

        `younger_ms` makes it another block than the honest one.
        """
        node = self.node
        parent = parent or self.parent_for(slot)
        vrf = VrfKey(self.key.public, self.key.vrf_prove, self.key.vrf_evaluate)
        try:
            state = node.backend.state_at(parent.hash)
        except StorageError:
            return None  # pruned
        if self.key.public in disabled_authors(state, parent.number, slot):
            return None  # nobody would take it
        claimed = claim_slot(slot, epoch_after(node.backend, parent.hash, slot), [vrf])
        if claimed is None or self.slot_of(parent.hash) >= slot:
            return None
        built = build_block(
            state,
            parent.hash,
            parent.number + 1,
            [claim_log(claimed[0])],
            slot * SLOT_MS + younger_ms,
            (),
            node.importer.verify,
            lambda: False,
            lambda _: None,
        )
        return Forged(self, node.importer.prepare(built)[0], built.body)

    def vote(self, message: Message, round_number: int | None = None) -> bytes:
        """A vote of ours, as it travels."""
        number = self.voter.round_number if round_number is None else round_number
        set_id = self.voter.authorities.set_id
        signature = self.key.sign(signing_payload(message, number, set_id))
        signed = SignedMessage(message, signature, self.key.public)
        vote = VoteMessage(number, set_id, signed)
        return ENVELOPE.encode(Envelope(self.prng.randrange(2**32), GossipVote(vote)))


class Forged:
    """An unsealed block, to be bent and sealed."""

    def __init__(self, liar: Liar, header: Header, body: list[bytes]) -> None:
        self._liar = liar
        self.header = header
        self.body = body

    def bend(self, **changes: object) -> Forged:
        """The same block with other fields in its header."""
        return Forged(self._liar, replace(self.header, **changes), self.body)  # type: ignore[arg-type]

    def seal(self) -> BlockData:
        """Sealed with the liar's key."""
        return BlockData(seal_header(self.header, self._liar.key.sign), self.body, None)

    def announcement(self) -> bytes:
        """Sealed, as it travels."""
        block = self.seal()
        return encode_announcement(block.header, self.body)
