"""Finality at work: the voter between network, chain and disk.

Carries out the voter's effects in order: gossip, catch-up questions, finalized blocks. Owns no
timer; whoever owns the node calls `on_time`.

Source: Substrate `sc_consensus_grandpa::{environment, communication}`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.chain.tree import TreeBlock
from flockchain.clock import Clock
from flockchain.consensus.grandpa.authorities import AuthoritySet
from flockchain.consensus.grandpa.ballot import Signer
from flockchain.consensus.grandpa.chain_view import BackendChain
from flockchain.consensus.grandpa.effects import (
    AskCatchUp,
    Effect,
    Finalize,
    Gossip,
    Handled,
    ReportConflict,
    ReportEquivocation,
    StopVoting,
    TellNeighbours,
)
from flockchain.consensus.grandpa.journal import Journal
from flockchain.consensus.grandpa.justification import JustificationError, verify_for
from flockchain.consensus.grandpa.messages import (
    CATCH_UP_REQUEST,
    CATCH_UP_RESPONSE,
    ENVELOPE,
    JUSTIFICATION,
    BlockRef,
    CatchUpRequest,
    Envelope,
    GossipCommit,
    GossipNeighbour,
    GossipVote,
)
from flockchain.consensus.grandpa.proof_import import finalize_proven, voters_of
from flockchain.consensus.grandpa.voter import Voter, VoterConfig
from flockchain.sync.messages import (
    blocks_request,
    catch_up_request,
    catch_up_response,
    decode_blocks,
)
from p2p.interface import MALFORMED_CHANGE, Network, PeerError, PeerId, Verdict
from runtime.primitives.evidence import VoteEquivocation
from runtime.primitives.scale import DecodeError

log = logging.getLogger(__name__)

TOPIC: Final = "grandpa"
_CATCH_UP_TIMEOUT_MS: Final = 5_000
_PROOF_EVERY_MS: Final = 1_000  # between two questions for the proof of a change


class FinalityWorker:
    """Runs the voter of one node."""

    def __init__(
        self,
        backend: Backend,
        network: Network,
        journal: Journal,
        signers: Iterable[Signer],
        clock: Clock,
        config: VoterConfig,
    ) -> None:
        self._backend = backend
        self._network = network
        self._clock = clock
        self._journal = journal
        self._signers = [*signers]
        self._config = config
        self._forced: TreeBlock | None
        self.authorities: AuthoritySet
        self.voter: Voter
        self._begin()
        self.stopped_because: str | None = None
        self._ask_proof_at_ms = 0

    def _begin(self) -> None:
        self._forced = self._backend.forced_change()
        self.authorities, base = voters_of(self._backend)
        self.voter = Voter(
            self.authorities,
            base,
            BackendChain(self._backend),
            self._journal,
            self._signers,
            self._config,
            self._clock.now_ms(),
        )

    def restart(self) -> None:
        """Begin anew at the finalized block, as a node that starts: a chain was adopted."""
        self._begin()
        for peer in self._network.peers():
            self.on_peer_connected(peer)

    def add_signer(self, signer: Signer) -> None:
        """Vote with one more key, from the next authority set on that has it."""
        self._signers.append(signer)

    def may_author(self, now_ms: int) -> bool:
        """Whether our keys may act: nobody else has been seen with them, and peers were asked."""
        voter = self.voter
        if self.stopped_because is not None or now_ms < voter.author_from_ms:
            return False
        return voter.has_heard or not voter.is_observing or not self._network.peers()

    # -- what happens

    def on_time(self, now_ms: int) -> None:
        """Time has passed."""
        if now_ms >= self.voter.next_wake_ms:
            self._do(self.voter.on_tick(now_ms))

    def next_wake_ms(self) -> int:
        """When `on_time` is due."""
        return self.voter.next_wake_ms

    def on_block_imported(self, block: BlockRef) -> None:
        """The chain grew."""
        forced = self._backend.forced_change()
        if forced != self._forced:
            self._forced = forced
            log.warning("the voters are replaced by force")
            self._enact()
        self._do(self.voter.on_block_imported(self._clock.now_ms(), block.hash))

    def on_gossip(self, peer: PeerId, data: bytes) -> Verdict:
        """A message on the `grandpa` topic."""
        try:
            envelope = ENVELOPE.decode_all(data)
        except DecodeError:
            return Verdict.REJECT
        if _set_of(envelope) > self.authorities.set_id:
            self._ask_proof(peer)
        return self._handled(self.voter.on_message(self._clock.now_ms(), peer, envelope))

    def on_peer_connected(self, peer: PeerId) -> None:
        """A peer to ask."""
        self._do(self.voter.on_peer_connected(self._clock.now_ms(), peer))

    def on_peer_disconnected(self, peer: PeerId) -> None:
        """A peer less to ask."""
        self.voter.on_peer_disconnected(peer)

    def answer_catch_up(self, data: bytes) -> bytes:
        """Answer a peer's question. Raises DecodeError."""
        request = CATCH_UP_REQUEST.decode_all(data)
        return CATCH_UP_RESPONSE.encode(self.voter.answer_catch_up(request))

    def on_justification(self, block: BlockRef, data: bytes) -> None:
        """A proof that came with a synced block. Raises JustificationError, DecodeError."""
        if block.number <= self._backend.finalized.number:
            return
        change = self._backend.first_change(block.hash)
        if change is not None and change.hash != block.hash:
            return  # a later set's, not known before the change is final: nobody is to blame
        proof = JUSTIFICATION.decode_all(data)
        verify_for(proof, self.authorities, block)
        self._finalize(block, data)
        self._do(self.voter.on_finalized(self._clock.now_ms(), block))

    # -- what to do

    def _handled(self, handled: Handled) -> Verdict:
        self._do(handled.effects)
        return handled.verdict

    def _do(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Gossip(envelope):
                    self._network.publish(TOPIC, ENVELOPE.encode(envelope))
                case TellNeighbours(beat, view):
                    told = GossipNeighbour(self._network.local_peer_id, view)
                    self._network.publish(TOPIC, ENVELOPE.encode(Envelope(beat, told)))
                case AskCatchUp(peer, request):
                    self._ask(peer, request)
                case Finalize(block, justification):
                    self._finalize(block, JUSTIFICATION.encode(justification))
                case ReportEquivocation(evidence):
                    log.warning("a voter equivocated: %r", evidence)
                    self._backend.notifications.evidence(
                        VoteEquivocation(
                            evidence.set_id, evidence.round_number, evidence.first, evidence.second
                        )
                    )
                case ReportConflict(finalized, _):
                    log.critical(
                        "a valid proof contradicts the finalized block %s: "
                        "over a third of the weight is guilty, nothing is reverted",
                        finalized,
                    )
                case StopVoting(reason):
                    self.stopped_because = reason
                    log.critical("this node votes no more: %s", reason)

    def _ask(self, peer: PeerId, request: CatchUpRequest) -> None:
        def on_response(answer: bytes | PeerError) -> None:
            if isinstance(answer, PeerError):
                return  # asked again of another peer when the round does not move
            try:
                response = CATCH_UP_RESPONSE.decode_all(catch_up_response(answer))
            except (DecodeError, PeerError) as error:
                self._network.report(peer, MALFORMED_CHANGE, f"catch-up: {error}")
                return
            handled = self.voter.on_catch_up(self._clock.now_ms(), peer, request, response)
            if self._handled(handled) is Verdict.REJECT:
                self._network.report(peer, MALFORMED_CHANGE, "a false catch-up")

        message = catch_up_request(CATCH_UP_REQUEST.encode(request))
        self._network.request(peer, "sync", message, on_response, _CATCH_UP_TIMEOUT_MS)

    def _finalize(self, block: BlockRef, justification: bytes) -> None:
        if block.number <= self._backend.finalized.number:
            return
        is_change = self._backend.first_change(block.hash) is not None
        event = finalize_proven(self._backend, block, justification)
        if event is not None:
            log.info("finalized #%d (0x%s..)", block.number, block.hash[:4].hex())
        self._forced = self._backend.forced_change()
        if is_change:
            self._enact()

    def _enact(self) -> None:
        """A final block, or a forced change, named new authorities: they vote from there on."""
        self.authorities, block = voters_of(self._backend)
        log.info(
            "authority set %d of %d votes from #%d on",
            self.authorities.set_id,
            len(self.authorities),
            block.number,
        )
        self._do(self.voter.enact(self._clock.now_ms(), self.authorities, block))

    def _ask_proof(self, peer: PeerId) -> None:
        """Others vote in a later set: they have a proof for the block that began it."""
        change = self._backend.first_change(self._backend.best.hash)
        now_ms = self._clock.now_ms()
        if change is None or now_ms < self._ask_proof_at_ms:
            return  # without the block sync brings it, with its proof
        self._ask_proof_at_ms = now_ms + _PROOF_EVERY_MS
        target = BlockRef(change.hash, change.number)

        def on_response(answer: bytes | PeerError) -> None:
            if isinstance(answer, PeerError):
                return  # asked again with the next vote of the later set
            try:
                for block in decode_blocks(answer):
                    if block.header.hash() == target.hash and block.justification is not None:
                        self.on_justification(target, block.justification)
            except (PeerError, JustificationError, DecodeError) as error:
                self._network.report(peer, MALFORMED_CHANGE, f"proof of a change: {error}")

        request = blocks_request(change.number, 1)
        self._network.request(peer, "sync", request, on_response, _CATCH_UP_TIMEOUT_MS)


def _set_of(envelope: Envelope) -> int:
    match envelope.message:
        case GossipVote(vote=vote):
            return vote.set_id
        case GossipCommit(commit=commit):
            return commit.set_id
        case GossipNeighbour(view=view):
            return view.set_id
    return 0


__all__ = ["FinalityWorker", "JustificationError"]
