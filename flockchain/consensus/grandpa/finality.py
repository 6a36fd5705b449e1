"""What is final, and the commits that say so.

Owns the finalized block as the voter knows it, and when to tell others: authorities take turns,
each a while after the one before, so that mostly one commit travels. Invariant: finality
only rises along one chain; a proof of anything else is reported, never followed.
Source: GRANDPA paper 2.4; Substrate `voter::process_commits`; WP II.A.
"""

from enum import Enum

from flockchain.consensus.grandpa import justification as proofs
from flockchain.consensus.grandpa.authorities import AuthoritySet
from flockchain.consensus.grandpa.chain import Chain
from flockchain.consensus.grandpa.effects import Effect, Finalize, ReportConflict
from flockchain.consensus.grandpa.messages import BlockRef, Commit, CommitMessage
from flockchain.consensus.grandpa.round import Round


class Judged(Enum):
    """What became of a commit."""

    FINAL = "final"
    OLD = "old"
    """Its block is final already."""
    INCOMPLETE = "incomplete"
    """Blocks that it names are not imported yet."""
    FALSE = "false"
    """It breaks a rule."""


class Finality:
    """The last finalized block, and the newest commit for it."""

    def __init__(self, base: BlockRef, authorities: AuthoritySet, chain: Chain) -> None:
        self._authorities = authorities
        self._chain = chain
        self._due_ms: int | None = None
        self._reported: BlockRef | None = None
        self.block = base
        self.commit: CommitMessage | None = None

    @property
    def due_ms(self) -> int | None:
        """When to send `commit`, if nobody else does before."""
        return self._due_ms

    def raise_to(self, block: BlockRef) -> None:
        """`block` became final by other means."""
        if block.number > self.block.number:
            self.block = block
            self._due_ms = None

    def sent(self) -> None:
        """`commit` is out."""
        self._due_ms = None

    def rises_by(self, votes: Round) -> bool:
        """Whether a round of our own has decided more than is final."""
        finalized = votes.state().finalized
        return finalized is not None and finalized.number > self.block.number

    def by_round(self, votes: Round, due_ms: int, effects: list[Effect]) -> None:
        """Finalize what a round of our own proves, and have the commit sent at `due_ms`."""
        if not self.rises_by(votes):
            return
        commit = votes.finalizing_commit()
        if commit is not None and commit.target_number > self.block.number:
            message = CommitMessage(votes.number, self._authorities.set_id, commit)
            if self._follow(message, effects):
                self._due_ms = due_ms

    def check(self, message: CommitMessage) -> Judged:
        """Check what needs no blocks: members, weight, signatures."""
        if message.commit.target_number <= self.block.number:
            return Judged.OLD
        try:
            proofs.check_weight(message.commit, self._authorities)
            proofs.check_signatures(message.commit, message.round, self._authorities)
        except proofs.JustificationError:
            return Judged.FALSE
        return Judged.INCOMPLETE if self._lacks_blocks(message.commit) else Judged.FINAL

    def by_commit(self, message: CommitMessage, effects: list[Effect]) -> Judged:
        """Finalize what a commit proves; `check` must have passed before."""
        if message.commit.target_number <= self.block.number:
            return Judged.OLD
        if self._lacks_blocks(message.commit):
            return Judged.INCOMPLETE
        try:
            proofs.check_descent(message.commit, self._chain)
        except proofs.BrokenAncestry:
            return Judged.FALSE
        self._follow(message, effects)
        return Judged.FINAL

    def _lacks_blocks(self, commit: Commit) -> bool:
        blocks = [commit.target_hash, *(vote.precommit.target_hash for vote in commit.precommits)]
        return any(self._chain.number(block) is None for block in blocks)

    def _follow(self, message: CommitMessage, effects: list[Effect]) -> bool:
        """Move up to the commit's target if it builds on what is final."""
        target = message.commit.target
        justification = proofs.from_commit(message.round, message.commit, self._chain)
        if not self._chain.is_equal_or_descendant(self.block.hash, target.hash):
            # Rounds and repeated commits come back to it: once is enough.
            if target != self._reported:
                self._reported = target
                effects.append(ReportConflict(self.block, justification))
            return False
        self.block = target
        self.commit = message
        self._due_ms = None
        effects.append(Finalize(target, justification))
        return True
