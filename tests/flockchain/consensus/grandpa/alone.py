"""One voter among four, its peers played by hand."""

from flockchain.consensus.grandpa.chain import Chain
from flockchain.consensus.grandpa.effects import (
    Effect,
    Gossip,
)
from flockchain.consensus.grandpa.journal import MemoryJournal
from flockchain.consensus.grandpa.messages import (
    CatchUp,
    CatchUpRequest,
    CatchUpResponse,
    Commit,
    CommitMessage,
    Envelope,
    GossipCommit,
    GossipVote,
    SignedMessage,
    View,
    VoteMessage,
    signed_precommit,
    signed_prevote,
)
from flockchain.consensus.grandpa.voter import Voter, VoterConfig
from p2p.interface import PeerId
from tests.flockchain.consensus.grandpa.keys import (
    authority_set,
    precommit,
    prevote,
    signer,
)
from tests.flockchain.consensus.grandpa.tree import fork_tree

FOUR = dict.fromkeys(["alice", "bob", "carol", "dave"], 1)
PEER = PeerId("peer")
FIRST = View(1, 0, 0)


class Alone:
    """Alice's voter among four, on the tree of two branches, her peers played by hand."""

    def __init__(
        self,
        journal: MemoryJournal | None = None,
        tree: Chain | None = None,
        *,
        is_silent: bool = False,
    ) -> None:
        self.tree = fork_tree()
        self.journal = journal or MemoryJournal()
        self.voter = Voter(
            authority_set(FOUR),
            self.tree["C"],
            tree or self.tree,
            self.journal,
            [signer("alice")],
            VoterConfig(gossip_ms=333, quiet_ms=0),
            0,
        )
        if not is_silent:
            self.answer(0, CatchUpResponse(FIRST, None, []))

    def hear(self, now: int, signed: SignedMessage, round_number: int = 1, set_id: int = 0):
        vote = VoteMessage(round_number, set_id, signed)
        return self.voter.on_message(now, PEER, Envelope(0, GossipVote(vote)))

    def answer(self, now: int, response: CatchUpResponse):
        request = CatchUpRequest(self.voter.authorities.set_id, 1)
        return self.voter.on_catch_up(now, PEER, request, response)

    def hear_commit(self, now: int, target: str, votes: list[SignedMessage], round_number: int = 1):
        block = self.tree[target]
        commit = Commit(block.hash, block.number, [signed_precommit(vote) for vote in votes])
        message = CommitMessage(round_number, 0, commit)
        return self.voter.on_message(now, PEER, Envelope(0, GossipCommit(message)))


def votes_in(effects: list[Effect]) -> list[SignedMessage]:
    return [
        effect.envelope.message.vote.message
        for effect in effects
        if isinstance(effect, Gossip) and isinstance(effect.envelope.message, GossipVote)
    ]


def catch_up(alone: Alone, round_number: int = 9, block: str = "EA") -> CatchUp:
    others, target = ("bob", "carol", "dave"), alone.tree[block]
    return CatchUp(
        round_number,
        [signed_prevote(prevote(name, target, round_number)) for name in others],
        [signed_precommit(precommit(name, target, round_number)) for name in others],
        alone.tree["C"].hash,
        alone.tree["C"].number,
    )
