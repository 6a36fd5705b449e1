"""The stages of the round we are in: hint, prevote, precommit, done.

Owns when to vote and for what; it neither signs nor sends. Invariant: `next_vote` gives each kind
of vote at most once and in order, and a precommit only when the prevote GHOST has reached the last
round's estimate, the rule on which safety across rounds rests.
Source: GRANDPA paper 2.3 (the protocol's steps 1 to 4); Substrate `voter::voting_round`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from flockchain.consensus.grandpa.chain import Chain
from flockchain.consensus.grandpa.messages import (
    BlockRef,
    Message,
    Precommit,
    Prevote,
    PrimaryPropose,
)
from flockchain.consensus.grandpa.round import Round, RoundState
from flockchain.consensus.grandpa.voting_rule import restrict


class Stage(IntEnum):
    """How far we have come in a round."""

    STARTED = 0
    PROPOSED = 1
    PREVOTED = 2
    PRECOMMITTED = 3


class PreviousRound(Protocol):
    """The round before: its state may still change as late votes come in."""

    def state(self) -> RoundState:
        """What it has decided so far."""


class SettledRound:
    """The round before the first of a set: everything up to `base` is final."""

    __slots__ = ("_state",)

    def __init__(self, base: BlockRef) -> None:
        self._state = RoundState.genesis(base)

    def state(self) -> RoundState:
        """All settled on the base."""
        return self._state


@dataclass(slots=True)
class VotingRound:
    """The current round as a voter lives it. Times are milliseconds."""

    votes: Round
    previous: PreviousRound
    started_ms: int
    gossip_ms: int
    distance: int
    stage: Stage = Stage.STARTED
    hint: BlockRef | None = None

    @property
    def prevote_ms(self) -> int:
        """When to prevote at the latest: everybody's hints and late votes had time to arrive."""
        return self.started_ms + 2 * self.gossip_ms

    @property
    def patience_ms(self) -> int:
        """When to prevote although there is nothing to make final: others may lack the round.

        Two slots: a block that comes late is still waited for."""
        return self.started_ms + 12 * self.gossip_ms

    @property
    def precommit_ms(self) -> int:
        """When to precommit at the latest: later prevotes no longer raise what ours is for."""
        return self.started_ms + 4 * self.gossip_ms

    def next_timer_ms(self, now_ms: int) -> int | None:
        """The next time at which a vote of ours may be due; None if we wait for votes alone."""
        stage = self.stage  # asked after every message
        if stage is Stage.PRECOMMITTED:
            return None
        if stage is Stage.PREVOTED:
            return self.precommit_ms if self.precommit_ms > now_ms else None
        if self.prevote_ms > now_ms:
            return self.prevote_ms
        return self.patience_ms if self.patience_ms > now_ms else None

    def next_vote(self, now_ms: int, chain: Chain, *, is_primary: bool) -> Message | None:
        """The next message due, advancing the stage; None if there is nothing to say now."""
        if self.stage is Stage.STARTED:
            self.stage = Stage.PROPOSED
            if is_primary and (proposal := self._proposal()) is not None:
                return proposal
        if self.stage is Stage.PROPOSED and self._is_due(now_ms, self.prevote_ms):
            target = self._prevote_target(chain)
            if target is not None and self._is_worth_a_vote(target, now_ms):
                self.stage = Stage.PREVOTED
                return Prevote(target.hash, target.number)
        if self.stage is Stage.PREVOTED and self._may_precommit(now_ms):
            target = self._precommit_target(chain)
            if target is not None:
                self.stage = Stage.PRECOMMITTED
                return Precommit(target.hash, target.number)
        return None

    def is_over(self) -> bool:
        """Whether the next round may start.

        That is when we have voted, nothing above the estimate can be finalized here any more, and
        what the last round might have finalized is final.
        """
        state, before = self.votes.state(), self.previous.state()
        if self.stage is not Stage.PRECOMMITTED or not state.completable:
            return False
        if before.estimate is None:
            return False
        return any(
            final is not None and before.estimate.number <= final.number
            for final in (before.finalized, state.finalized)
        )

    def _is_due(self, now_ms: int, timer_ms: int) -> bool:
        return now_ms >= timer_ms or self.votes.state().completable

    def _may_precommit(self, now_ms: int) -> bool:
        return self.votes.is_ghost_settled() or self._is_due(now_ms, self.precommit_ms)

    def _is_worth_a_vote(self, target: BlockRef, now_ms: int) -> bool:
        """Whether the vote may make something final; a round over nothing waits for a block."""
        final = self.previous.state().finalized
        is_news = final is None or target.number > final.number
        return is_news or now_ms >= self.patience_ms or self.votes.state().completable

    def _proposal(self) -> PrimaryPropose | None:
        """The last round's estimate, worth a hint only while it is not final."""
        before = self.previous.state()
        if before.estimate is None or before.estimate == before.finalized:
            return None
        return PrimaryPropose(before.estimate.hash, before.estimate.number)

    def _prevote_target(self, chain: Chain) -> BlockRef | None:
        """A block of the best chain that contains the base of our vote; None while it is lost."""
        base = self._prevote_base(chain)
        best = chain.best_containing(base.hash) if base is not None else None
        if base is None or best is None:
            return None
        distance = 0 if chain.is_last(best.hash) else self.distance
        return chain.last_votable(restrict(chain, base, best, distance))

    def _prevote_base(self, chain: Chain) -> BlockRef | None:
        """The last round's estimate, or the primary's hint if it lies between it and the GHOST.

        A hint above our estimate is safe to follow: up to the GHOST it had a supermajority.
        """
        before = self.previous.state()
        estimate, ghost, hint = before.estimate, before.prevote_ghost, self.hint
        if estimate is None or ghost is None or hint is None:
            return estimate
        is_between = (
            chain.number(hint.hash) == hint.number
            and chain.is_equal_or_descendant(estimate.hash, hint.hash)
            and chain.is_equal_or_descendant(hint.hash, ghost.hash)
        )
        return hint if is_between else estimate

    def _precommit_target(self, chain: Chain) -> BlockRef | None:
        ghost, estimate = self.votes.state().prevote_ghost, self.previous.state().estimate
        if ghost is None or estimate is None:
            return None
        if not chain.is_equal_or_descendant(estimate.hash, ghost.hash):
            return None
        return ghost
