"""The current round, the one before it, and the votes that wait for their round or block.

Owns where a vote belongs. Only two rounds matter: a round starts when what the last but one might
have finalized is final. Invariant: what is held is bounded by the number of authorities; a vote is
counted in the round it was signed for or not at all.
Source: GRANDPA paper 2.3; Substrate `voter::past_rounds`.
"""

from enum import Enum

from flockchain.consensus.grandpa.authorities import AuthoritySet
from flockchain.consensus.grandpa.chain import Chain, NotDescendant, UnknownBlock
from flockchain.consensus.grandpa.messages import (
    BlockRef,
    Message,
    PrimaryPropose,
    SignedMessage,
    VoteMessage,
)
from flockchain.consensus.grandpa.round import Round
from flockchain.consensus.grandpa.votes import Counted, Equivocation
from flockchain.consensus.grandpa.voting_round import SettledRound, VotingRound
from flockchain.consensus.grandpa.waiting import WaitingRoom

_EARLY_EACH_MAX = 2


class Placed(Enum):
    """What became of a vote."""

    COUNTED = "counted"
    KNOWN = "known"
    """The same vote was counted before."""
    HELD = "held"
    """It waits for its block or for the next round."""
    REFUSED = "refused"
    """Of no use here: too old, too far ahead, on another base, or one too many of its voter."""
    FALSE = "false"
    """It names a block at a height that is not the block's."""


class Rounds:
    """Two rounds of one authority set. `gossip_ms` and `distance` are those of `VotingRound`."""

    def __init__(
        self, authorities: AuthoritySet, base: BlockRef, chain: Chain, gossip_ms: int, distance: int
    ) -> None:
        self._authorities = authorities
        self._chain = chain
        self._gossip_ms = gossip_ms
        self._distance = distance
        self._early: dict[tuple[type[Message], bytes], list[VoteMessage]] = {}
        self.waiting = WaitingRoom()
        self.previous: Round | SettledRound = SettledRound(base)
        self.current = self._make(1, base, 0)

    @property
    def number(self) -> int:
        """The current round, from 1."""
        return self.current.votes.number

    def start(self, now_ms: int) -> None:
        """Set the clock of the first round."""
        self.current.started_ms = now_ms

    def enter(self, completed: Round, now_ms: int) -> list[Equivocation]:
        """Go to the round after `completed`; gives the evidence among votes that came early."""
        early = self._early if completed.number == self.number else {}
        self._early = {}
        self.previous = completed
        base = completed.state().finalized or completed.base
        self.current = self._make(completed.number + 1, base, now_ms)
        self.waiting.forget_below(completed.number)
        found = [self.place(vote)[1] for votes in early.values() for vote in votes]
        return [evidence for evidence in found if evidence is not None]

    def place(self, vote: VoteMessage) -> tuple[Placed, Equivocation | None]:
        """Count or hold a vote of a member whose signature was checked."""
        if vote.round == self.number + 1:
            return self._hold_early(vote), None
        votes = self._round_of(vote)
        if votes is None:
            return Placed.REFUSED, None
        if isinstance(vote.message.message, PrimaryPropose):
            return self._take_hint(vote), None
        target = vote.message.message.target
        height = self._chain.number(target.hash)
        if height is None:
            return (Placed.HELD if self.waiting.hold_vote(vote) else Placed.REFUSED), None
        if height != target.number:
            return Placed.FALSE, None
        return _count(votes, vote.message)

    def _make(self, number: int, base: BlockRef, now_ms: int) -> VotingRound:
        votes = Round(number, self._authorities, base, self._chain)
        return VotingRound(votes, self.previous, now_ms, self._gossip_ms, self._distance)

    def _round_of(self, vote: VoteMessage) -> Round | None:
        if vote.round == self.number:
            return self.current.votes
        if isinstance(self.previous, Round) and vote.round == self.previous.number:
            return self.previous
        return None

    def _hold_early(self, vote: VoteMessage) -> Placed:
        held = self._early.setdefault((type(vote.message.message), vote.message.id), [])
        if vote in held:
            return Placed.KNOWN
        if len(held) == _EARLY_EACH_MAX:
            return Placed.REFUSED
        held.append(vote)
        return Placed.HELD

    def _take_hint(self, vote: VoteMessage) -> Placed:
        is_primary = vote.message.id == self._authorities.primary(vote.round)
        if vote.round != self.number or not is_primary:
            return Placed.REFUSED
        if self.current.hint is not None:
            is_same = self.current.hint == vote.message.message.target
            return Placed.KNOWN if is_same else Placed.REFUSED
        self.current.hint = vote.message.message.target
        return Placed.COUNTED


def _count(votes: Round, signed: SignedMessage) -> tuple[Placed, Equivocation | None]:
    try:
        counted, evidence = votes.import_vote(signed)
    except (UnknownBlock, NotDescendant):
        return Placed.REFUSED, votes.find_contradiction(signed)
    if counted is Counted.REDUNDANT:
        return Placed.REFUSED, None
    return (Placed.KNOWN if counted is Counted.DUPLICATE else Placed.COUNTED), evidence
