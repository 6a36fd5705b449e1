"""Proposals: sealed, opened, and judged by the voters for whether they can be had at all.

A zero update, or bytes that an earlier proposal of the task had, is no proposal; but after a round
that left the model as it was, a proposer may hand in the same work again. The aggregate is
over exactly the proposals that most of the drawn voters hold, who serve them on; a proposer that
most of them deny to have counts as absent.
Invariant: a content id has one proposer in a task, and changes one model.
Source: WP VI.C (training), WP VI.D (aggregation), Algorithm 1 (leader); sealing and availability
bits are this project's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import (
    FirstProposed,
    Progress,
    Proposal,
    RoundKey,
    VoterRecord,
)
from runtime.pallets.fl_alliance.seals import seal_proposal
from runtime.pallets.fl_alliance.stages import Stage, VoidReason
from runtime.pallets.fl_alliance.storage import FlAlliance
from runtime.pallets.fl_alliance.terms import Mode
from runtime.primitives.types import AccountId, Hash


@dataclass(frozen=True, slots=True)
class OpenedProposal:
    """What was sealed: content id of the update, or the hash of commitments; of what travels."""

    content: bytes
    ciphertext: bytes


class Proposals:
    """Commit, reveal, availability."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance

    def initialise_model(self, who: AccountId, task: int, round_: int, content: bytes) -> None:
        """Tell which model the leader made from the round's seed. Emits ModelInitialised."""
        alliance = self.alliance
        key = alliance.ensure_stage(task, round_, Stage.PROPOSE)
        drawn = alliance.rounds.get(key)
        if who != drawn.proposers[0]:
            raise events.NotTheLeader
        if drawn.base is not None:
            raise events.ModelKnown
        alliance.rounds.put(key, replace(drawn, base=content))
        alliance.deposit_event(events.ModelInitialised(task, round_, who, content))

    def commit(self, who: AccountId, task: int, round_: int, seal: Hash) -> None:
        """Seal a proposal. Emits ProposalCommitted."""
        alliance = self.alliance
        key = alliance.ensure_stage(task, round_, Stage.PROPOSE)
        found = self._proposal(key, who)
        if found.seal is not None:
            raise events.AlreadyCommitted
        alliance.proposals.put((key, who), replace(found, seal=seal))
        alliance.note_done(task)
        alliance.deposit_event(events.ProposalCommitted(task, round_, who, seal))

    def reveal(
        self, who: AccountId, place: tuple[int, int], opened: OpenedProposal, salt: bytes
    ) -> None:
        """Open a proposal. Emits ProposalRevealed."""
        self.ensure_sealed(who, place, opened, salt)
        self.enter(who, place, opened)

    def ensure_sealed(
        self, who: AccountId, place: tuple[int, int], opened: OpenedProposal, salt: bytes
    ) -> None:
        """Raises the rule by which this may not be opened now. `place` is (task, round)."""
        alliance, (task, round_), content = self.alliance, place, opened.content
        key = alliance.ensure_stage(task, round_, Stage.DISCLOSE)
        found = self._proposal(key, who)
        if found.seal is None:
            raise events.NothingCommitted
        if found.content is not None:
            raise events.AlreadyRevealed
        genesis = alliance.block.genesis_hash()
        if seal_proposal(genesis, place, who, content, opened.ciphertext, salt) != found.seal:
            raise events.WrongSeal
        if content == alliance.get_task(task).terms.zero_update:
            raise events.ZeroUpdate
        base = alliance.rounds.get(key).base
        first = alliance.proposed.find((task, content))
        if first is not None and (first.proposer, first.base) != (who, base):
            raise events.DuplicateProposal

    def enter(self, who: AccountId, place: tuple[int, int], opened: OpenedProposal) -> None:
        """Store what may be opened. Emits ProposalRevealed."""
        alliance, (task, round_), key = self.alliance, place, RoundKey(*place)
        content, ciphertext = opened.content, opened.ciphertext
        if not alliance.proposed.contains((task, content)):
            base = alliance.rounds.get(key).base
            alliance.proposed.put((task, content), FirstProposed(round_, who, base))
        found = self._proposal(key, who)
        alliance.proposals.put((key, who), replace(found, content=content, ciphertext=ciphertext))
        alliance.note_done(task, 1 << found.index)
        alliance.deposit_event(events.ProposalRevealed(task, round_, who, content, ciphertext))

    def _proposal(self, key: RoundKey, who: AccountId) -> Proposal:
        found = self.alliance.proposals.find((key, who))
        if found is None:
            raise events.NotAProposer
        return found

    # -- availability

    def report(self, who: AccountId, task: int, round_: int, held: int) -> None:
        """Tell which proposals a voter has. Emits AvailabilityReported."""
        alliance = self.alliance
        key = alliance.ensure_stage(task, round_, Stage.REPORT)
        found = find_voter(alliance, key, who)
        if found.held is not None:
            raise events.AlreadyReported
        if held & ~alliance.progress.get(task).mask:
            raise events.BitsOutOfRange
        alliance.votes.put((key, who), replace(found, held=held))
        alliance.note_done(task)
        alliance.deposit_event(events.AvailabilityReported(task, round_, who, held))

    def weigh(self, task: int, progress: Progress) -> int:
        """Fix what the aggregate is over, and ask for votes on it in open mode.

        Emits AggregateFixed.
        """
        alliance, key = self.alliance, self.alliance.key_of(task)
        drawn = alliance.rounds.get(key)
        reports = [alliance.votes.get((key, who)).held or 0 for who in drawn.voters]
        aggregate = 0
        for index in range(len(drawn.proposers)):
            count = sum(held >> index & 1 for held in reports)
            if 2 * count > drawn.drawn_voters:
                aggregate |= 1 << index
        alliance.rounds.put(key, replace(drawn, aggregate=aggregate))
        alliance.deposit_event(events.AggregateFixed(task, key.round, aggregate))
        if aggregate and alliance.get_task(task).terms.mode is Mode.OPEN:
            alliance.begin_stage(key, Stage.VOTE, len(drawn.voters), aggregate)
        elif not aggregate:
            void = Progress(Stage.TALLY, mask=progress.mask, void=VoidReason.NOTHING_HELD)
            alliance.progress.put(task, void)
        return 1 + len(drawn.voters)


def find_voter(alliance: FlAlliance, key: RoundKey, who: AccountId) -> VoterRecord:
    """A voter's part in the round. Raises NotAVoter."""
    found = alliance.votes.find((key, who))
    if found is None:
        raise events.NotAVoter
    return found
