"""Liars who vote: twice, late, for what cannot be, or with proofs that prove nothing.

Source: GRANDPA paper 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flockchain.consensus.grandpa.journal import MemoryJournal
from flockchain.consensus.grandpa.messages import (
    ENVELOPE,
    BlockRef,
    Commit,
    CommitMessage,
    Envelope,
    GossipCommit,
    GossipVote,
    Message,
    Precommit,
    PrecommitTarget,
    Prevote,
    PrimaryPropose,
    SignedPrecommit,
    signing_payload,
)
from flockchain.simulation.network.behaviours.behaviour import Behaviour
from flockchain.simulation.network.behaviours.liar import Liar
from p2p.interface import PeerError
from runtime.primitives.types import Bytes64, Hash

VOTES = "grandpa"


def own_vote(liar: Liar, topic: str, data: bytes) -> GossipVote | None:
    """The liar's own vote in a message that its node sends."""
    if topic != VOTES:
        return None
    message = ENVELOPE.decode_all(data).message
    is_own = isinstance(message, GossipVote) and message.vote.message.id == liar.key.public
    return message if isinstance(message, GossipVote) and is_own else None


class EquivocatingVoter(Behaviour):
    """Votes for one block before half of the network, for another before the rest."""

    name = "equivocating-voter"

    def on_send(self, liar: Liar, receiver: int, topic: str, data: bytes) -> Sequence[bytes]:
        own = own_vote(liar, topic, data)
        if own is None or receiver % 2:
            return (data,)
        message = own.vote.message.message
        header = liar.node.backend.header(message.target_hash)
        if header is None or header.number == 0 or isinstance(message, PrimaryPropose):
            return (data,)
        liar.is_provable = True
        below = BlockRef(header.parent_hash, header.number - 1)
        return (liar.vote(type(message)(*below), own.vote.round),)

    def on_slot(self, liar: Liar, slot: int) -> None:
        """Both votes for the blocks of two forks, where there are forks."""
        leaves = liar.node.backend.tree.leaves()[:2]
        if len(leaves) == 2:
            for place, leaf in enumerate(leaves):
                for kind in (Prevote, Precommit):
                    for receiver in liar.peers()[place::2]:
                        liar.send(receiver, VOTES, liar.vote(kind(leaf.hash, leaf.number)))


class EchoVoter(Behaviour):
    """Gives every neighbour the very votes that it cast itself, and passes nothing else on.

    Enough of these, and honest nodes that hear nothing of each other finalize what they like.
    """

    name = "echo-voter"
    reaches_all = True

    def on_start(self, liar: Liar) -> None:
        self.echoed: set[tuple[int, bytes, str]] = set()

    def on_hear(self, liar: Liar, sender: int, topic: str, data: bytes) -> None:
        if topic != VOTES or liar.is_liar(sender):
            return
        message = ENVELOPE.decode_all(data).message
        if not isinstance(message, GossipVote):
            return
        vote = message.vote.message.message
        mark = (message.vote.round, vote.target_hash, f"{sender} {type(vote).__name__}")
        if mark not in self.echoed:
            self.echoed.add(mark)
            liar.send(sender, VOTES, liar.vote(vote, message.vote.round))

    def on_send(self, liar: Liar, receiver: int, topic: str, data: bytes) -> Sequence[bytes]:
        return ()

    def on_answer(self, liar: Liar, protocol: str, request: bytes, answer: bytes) -> bytes:
        raise PeerError("busy")  # what is false would have it banned


class Amnesia(Behaviour):
    """Forgets again and again what it voted, and hears of it from nobody."""

    name = "amnesia"

    def on_start(self, liar: Liar) -> None:
        liar.seat.journal = MemoryJournal()

    def on_slot(self, liar: Liar, slot: int) -> None:
        if slot % 9 == 0:
            liar.restart()


class VoteWithholder(Behaviour):
    """Prevotes, and never precommits before others could be waiting for it."""

    name = "vote-withholder"

    def on_send(self, liar: Liar, receiver: int, topic: str, data: bytes) -> Sequence[bytes]:
        own = own_vote(liar, topic, data)
        is_precommit = own is not None and isinstance(own.vote.message.message, Precommit)
        return () if is_precommit else (data,)


class StaleVotes(Behaviour):
    """Sends everything that it ever heard about finality again and again."""

    name = "stale-votes"

    def on_start(self, liar: Liar) -> None:
        self.heard: list[bytes] = []

    def on_send(self, liar: Liar, receiver: int, topic: str, data: bytes) -> Sequence[bytes]:
        if topic == VOTES:
            self.heard = [*self.heard[-200:], data]
        return (data,)

    def on_slot(self, liar: Liar, slot: int) -> None:
        for data in self.heard[:: max(1, len(self.heard) // 10)]:
            envelope = ENVELOPE.decode_all(data)
            again = replace(envelope, beat=liar.prng.randrange(2**32))
            liar.send_all(VOTES, ENVELOPE.encode(again))


class ImpossibleVotes(Behaviour):
    """Votes for blocks that are unknown, final long ago, of false heights, and in far rounds."""

    name = "impossible-votes"

    def on_slot(self, liar: Liar, slot: int) -> None:
        backend, number = liar.node.backend, liar.voter.round_number
        best = backend.best
        targets = (
            (backend.genesis, 0),
            (Hash(liar.prng.randbytes(32)), best.number + 1),
            (best.hash, best.number + 7),
        )
        kind: type[Message] = liar.prng.choice((Prevote, Precommit))
        for target, height in targets:
            for round_number in (number, number + 1, number + 1_000_000, max(1, number - 1)):
                liar.send_all(VOTES, liar.vote(kind(target, height), round_number))


class ForgedCommits(Behaviour):
    """Claims finality with votes of strangers, its own vote many times, or others' names."""

    name = "forged-commits"

    def on_slot(self, liar: Liar, slot: int) -> None:
        best, voter = liar.node.backend.best, liar.voter
        vote = Precommit(best.hash, best.number)
        payload = signing_payload(vote, voter.round_number, voter.authorities.set_id)
        signature = Bytes64(liar.key.sign(payload))
        target = PrecommitTarget(best.hash, best.number)
        own = SignedPrecommit(target, signature, liar.key.public)
        names = [key for key, _ in voter.authorities.authorities]
        for votes in (
            [own] * len(names),
            [SignedPrecommit(target, signature, name) for name in names],
            [],
        ):
            commit = Commit(best.hash, best.number, votes)
            message = CommitMessage(voter.round_number, voter.authorities.set_id, commit)
            envelope = Envelope(liar.prng.randrange(2**32), GossipCommit(message))
            liar.send_all(VOTES, ENVELOPE.encode(envelope))


class TwinKeys(Behaviour):
    """Runs two machines with one key, each with a disk of its own."""

    name = "twin-keys"
    has_twin = True
