"""One round's votes and what follows from them: GHOST, estimate, completable, finalized.

Owns the arithmetic of safety. Weight of a block in a phase is the weight of the consistent votes
at or above it plus the weight of all equivocators, who count towards every block once. Invariant:
the state depends on the set of votes imported, never on their order; as votes arrive the prevote
GHOST only rises and the estimate, once below it, only falls.
Source: GRANDPA paper 2.2 to 2.4; Substrate `finality_grandpa::round`.
"""

from dataclasses import dataclass

from flockchain.consensus.grandpa.authorities import AuthoritySet
from flockchain.consensus.grandpa.chain import Chain
from flockchain.consensus.grandpa.messages import (
    BlockRef,
    CatchUp,
    Commit,
    Precommit,
    Prevote,
    SignedMessage,
    signed_precommit,
    signed_prevote,
)
from flockchain.consensus.grandpa.vote_graph import VoteGraph
from flockchain.consensus.grandpa.votes import Counted, Equivocation, Phase, Tally
from runtime.primitives.types import Hash


@dataclass(frozen=True, slots=True)
class RoundState:
    """What a round has decided so far."""

    prevote_ghost: BlockRef | None
    """Highest block that a supermajority prevoted for."""
    estimate: BlockRef | None
    """Highest block, at or below the GHOST, that might still get a supermajority of precommits."""
    finalized: BlockRef | None
    """Highest block with supermajorities of prevotes and of precommits."""
    completable: bool
    """Whether nothing above the estimate can get a supermajority of precommits any more."""

    @classmethod
    def genesis(cls, base: BlockRef) -> "RoundState":
        """The state of the round before the first: all is settled on `base`."""
        return cls(prevote_ghost=base, estimate=base, finalized=base, completable=True)


_EMPTY = RoundState(prevote_ghost=None, estimate=None, finalized=None, completable=False)


class Round:
    """Votes for blocks that build on `base`, by the members of one authority set."""

    __slots__ = ("_chain", "_graph", "_state", "authorities", "number", "precommits", "prevotes")

    def __init__(
        self, number: int, authorities: AuthoritySet, base: BlockRef, chain: Chain
    ) -> None:
        self.number = number
        self.authorities = authorities
        self.prevotes = Tally(authorities)
        self.precommits = Tally(authorities)
        self._chain = chain
        self._graph = VoteGraph(base, chain)
        self._state: RoundState | None = _EMPTY

    @property
    def base(self) -> BlockRef:
        """The block on which every vote builds."""
        return self._graph.base

    def import_vote(self, signed: SignedMessage) -> tuple[Counted, Equivocation | None]:
        """Count a prevote or precommit of a member, its signature checked by the caller.

        Raises: UnknownBlock: the chain does not know the target. NotDescendant: the target does
            not build on the round's base. KeyError: not a member. TypeError: a hint, not a vote.
        """
        phase, tally = self._phase(signed)
        weight = self.authorities.weight(signed.id)
        if weight == 0:
            raise KeyError(f"0x{signed.id.hex()} is not in authority set")
        held = tally.of(signed.id)
        # The graph goes first: a refused target must leave no trace in the tally.
        target = signed.message.target
        self._graph.place(target)
        counted = tally.add(signed)
        if counted is Counted.FIRST:
            self._graph.insert(target, phase, weight)
        elif counted is Counted.EQUIVOCATION:
            self._graph.withdraw(held[0].message.target, phase, weight)
        else:
            return counted, None
        self._state = None
        if counted is Counted.FIRST:
            return counted, None
        evidence = Equivocation(
            self.authorities.set_id, self.number, signed.id, first=held[0], second=signed
        )
        return counted, evidence

    def find_contradiction(self, signed: SignedMessage) -> Equivocation | None:
        """Evidence in a vote that cannot be counted here, say because it lies off our base."""
        _, tally = self._phase(signed)
        for first in tally.of(signed.id):
            if first.message != signed.message:
                set_id = self.authorities.set_id
                return Equivocation(set_id, self.number, signed.id, first, signed)
        return None

    def state(self) -> RoundState:
        """What the votes so far decide; computed once after each change."""
        if self._state is None:
            self._state = self._compute_state()
        return self._state

    def is_ghost_settled(self) -> bool:
        """Whether no block above the prevotes' GHOST can get a supermajority of them any more.

        A block that nobody has voted for lacks more than the votes to come: what is missing and
        what may equivocate are a third each.
        """
        ghost = self.state().prevote_ghost
        return ghost is not None and not self._graph.has_child(ghost, self._could_be_prevoted)

    def weight(self, block: Hash, phase: Phase) -> int:
        """Weight for `block`, equivocators included."""
        tally = self.prevotes if phase is Phase.PREVOTE else self.precommits
        return self._graph.weight(block, phase) + tally.equivocating_weight

    def precommit_ghost(self) -> BlockRef | None:
        """Highest block that a supermajority precommitted to, None before there is one."""
        return self._ghost(Phase.PRECOMMIT, self.precommits)

    def finalizing_commit(self) -> Commit | None:
        """A commit for the highest finalized block that can be proved with one vote a voter.

        It may lie below `state().finalized` while equivocators are needed whose votes are all on
        other branches: such a vote convinces nobody who verifies the commit alone.
        """
        block = self.state().finalized
        if block is None:
            return None
        provable = self._graph.highest_ancestor(block, self._is_provable)
        if provable is None:
            return None
        votes = [signed_precommit(vote) for vote in self._votes_for(provable.hash)]
        votes.sort(key=lambda vote: vote.id)
        return Commit(provable.hash, provable.number, votes)

    def catch_up(self) -> CatchUp:
        """All votes, for a peer that missed the round and for our own restart."""
        prevotes = [signed_prevote(vote) for vote in self.prevotes]
        precommits = [signed_precommit(vote) for vote in self.precommits]
        return CatchUp(self.number, prevotes, precommits, self.base.hash, self.base.number)

    def _phase(self, signed: SignedMessage) -> tuple[Phase, Tally]:
        match signed.message:
            case Prevote():
                return Phase.PREVOTE, self.prevotes
            case Precommit():
                return Phase.PRECOMMIT, self.precommits
            case other:
                raise TypeError(f"{type(other).__name__} is not counted")

    def _ghost(self, phase: Phase, tally: Tally) -> BlockRef | None:
        if tally.weight < self.authorities.threshold:
            return None
        return self._graph.heaviest(phase, self.authorities.threshold - tally.equivocating_weight)

    def _compute_state(self) -> RoundState:
        ghost = self._ghost(Phase.PREVOTE, self.prevotes)
        if ghost is None:
            return _EMPTY
        if self.precommits.weight < self.authorities.threshold:
            # A block that nobody has voted for yet could still get every missing precommit.
            return RoundState(ghost, estimate=ghost, finalized=None, completable=False)
        finalized = self._graph.highest_ancestor(ghost, self._is_precommitted)
        estimate = self._graph.highest_ancestor(ghost, self._could_be_precommitted)
        completable = estimate is not None and (
            estimate != ghost or not self._graph.has_child(ghost, self._could_be_precommitted)
        )
        return RoundState(ghost, estimate, finalized, completable)

    def _is_precommitted(self, block: Hash) -> bool:
        return self.weight(block, Phase.PRECOMMIT) >= self.authorities.threshold

    def _could_be_precommitted(self, block: Hash) -> bool:
        return self._could_win(block, Phase.PRECOMMIT, self.precommits)

    def _could_be_prevoted(self, block: Hash) -> bool:
        return self._could_win(block, Phase.PREVOTE, self.prevotes)

    def _could_win(self, block: Hash, phase: Phase, tally: Tally) -> bool:
        """Whether missing votes and tolerable equivocations could lift `block` to a supermajority.

        Voters who voted elsewhere may still equivocate, but all equivocators together weigh at
        most what the set tolerates.
        """
        authorities = self.authorities
        for_block = self.weight(block, phase)
        missing = authorities.total - tally.weight
        tolerated = authorities.total - authorities.threshold
        unproven = max(0, tolerated - tally.equivocating_weight)
        elsewhere = tally.weight - for_block
        return for_block + missing + min(elsewhere, unproven) >= authorities.threshold

    def _votes_for(self, block: Hash) -> list[SignedMessage]:
        """One precommit at or above `block` of each voter that has one."""
        found = []
        for _, votes in self.precommits.by_authority():
            fitting = (
                vote
                for vote in votes
                if self._chain.is_equal_or_descendant(block, vote.message.target_hash)
            )
            if (vote := next(fitting, None)) is not None:
                found.append(vote)
        return found

    def _is_provable(self, block: Hash) -> bool:
        weight = sum(self.authorities.weight(vote.id) for vote in self._votes_for(block))
        return weight >= self.authorities.threshold
