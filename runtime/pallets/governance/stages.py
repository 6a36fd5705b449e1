"""The way of a proposal: debate, vote, timelock, the call, and what becomes of the deposit.

Every block looks at all that are on their way; each moves on in the block that its stage ends with.
Source: WP VII.
"""

from __future__ import annotations

from dataclasses import replace

from runtime.frame.call import RUNTIME_CALL, RuntimeCall
from runtime.frame.traits import HoldReason
from runtime.pallets.governance import events, records
from runtime.pallets.governance.records import Live, Proposal, Stage
from runtime.pallets.governance.storage import Governance
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import AccountId, Hash


class Stages:
    """Beginning, moving on and ending."""

    def __init__(self, dao: Governance) -> None:
        self.dao = dao

    # -- beginning

    def propose(self, made: Proposal, call: RuntimeCall, data: bytes | None) -> None:
        """Hold the deposit and rely on the call; `data` is None where its bytes are noted."""
        dao, live = self.dao, self.dao.live.get()
        if len(live) >= records.LIVE_MAX:
            raise events.TooManyProposals
        if made.call_len > records.CALL_BYTES_MAX:
            raise events.CallTooLong
        if not dao.track_filter(made.track, call):
            raise events.NotOnTrack
        dao.currency.hold(HoldReason.PROPOSAL, made.proposer, made.deposit)
        if data is None:
            dao.preimages.request(made.call)
        else:
            dao.preimages.note(data)
        number = dao.next_proposal.get()
        dao.next_proposal.put(number + 1)
        dao.proposals.put(number, made)
        dao.live.put([*live, Live(number, made.submitted + 1, made.submitted + 1)])
        dao.deposit_event(events.Proposed(number, made.proposer, made.track, made.description))

    def noted_call(self, found: Hash) -> tuple[RuntimeCall, int]:
        """The call of noted bytes, and how many these are. Raises PreimageMissing, CallTooLong."""
        data = self.dao.preimages.bytes_of(found)
        if data is None:
            raise events.PreimageMissing
        if len(data) > records.CALL_BYTES_MAX:
            raise events.CallTooLong  # before it is decoded: that much is weighed
        try:
            return RUNTIME_CALL.decode_all(data), len(data)
        except DecodeError:
            raise events.PreimageMissing from None

    def comment(self, who: AccountId, number: int, content: bytes) -> None:
        """Keep what an account with a lock says; a later comment replaces its earlier one."""
        dao = self.dao
        _, proposal = dao.live_proposal(number)
        if proposal.stage is not Stage.DEBATE:
            raise events.NotInDebate
        position = dao.positions.find(who)
        if position is None or not position.now.own.tokens:
            raise events.NoLock
        others = [each for each in dao.comments.get(number) if each.who != who]
        if len(others) >= records.COMMENTS_MAX:
            raise events.TooManyComments
        dao.comments.put(number, [*others, records.Comment(who, content)])
        dao.deposit_event(events.Commented(number, who, content))

    # -- moving on

    def move_on(self, number: int) -> int:
        """Move all on whose stage ends with this block; how many these were."""
        due = [entry for entry in self.dao.live.get() if entry.until <= number]
        for entry in due:
            proposal = self.dao.proposals.get(entry.proposal)
            match proposal.stage:
                case Stage.SUBMITTED:
                    self._open_debate(entry.proposal, proposal, number)
                case Stage.DEBATE:
                    self._close_debate(entry.proposal, proposal, number)
                case Stage.VOTING:
                    self._close_vote(entry.proposal, proposal, number)
                case _:
                    self._end(entry.proposal, proposal, Stage.ENACTED)
        return len(due)

    def _open_debate(self, which: int, proposal: Proposal, number: int) -> None:
        locked = self.dao.total_locked.get()
        until = number + self.dao.parameters.get().debate
        self._enter(Live(which, number, until), replace(proposal, locked=locked), Stage.DEBATE)

    def _close_debate(self, which: int, proposal: Proposal, number: int) -> None:
        dao, flags, rules = self.dao, proposal.flags, self.dao.parameters.get()
        is_flagged = flags.ayes > flags.nays
        if is_flagged and flags.ayes >= rules.burn_flags.mul_ceil(proposal.locked):
            self._end(which, proposal, Stage.SCAM)
        elif is_flagged and flags.ayes >= rules.reject_flags.mul_ceil(proposal.locked):
            self._end(which, proposal, Stage.REJECTED)
        else:
            locked = dao.total_locked.get()
            opened = replace(
                proposal,
                locked=locked,
                quorum=rules.quorum(locked, dao.currency.issuance()),
                is_quadratic=proposal.track in rules.quadratic,
            )
            self._enter(Live(which, number, number + rules.voting), opened, Stage.VOTING)

    def _close_vote(self, which: int, proposal: Proposal, number: int) -> None:
        votes = proposal.votes
        if votes.turnout < proposal.quorum:
            self._end(which, proposal, Stage.QUORUM_MISSED)
        elif votes.ayes <= votes.nays:
            self._end(which, proposal, Stage.DEFEATED)
        else:
            dao = self.dao
            earliest = number + dao.parameters.get().timelock
            name = b"governance".ljust(28, b"\0") + which.to_bytes(4, "big")
            at = dao.agenda.schedule_noted(earliest, proposal.call, proposal.call_len, name)
            snapshot = next(each.snapshot for each in dao.live.get() if each.proposal == which)
            self._enter(Live(which, snapshot, at), proposal, Stage.TIMELOCK)

    def _enter(self, entry: Live, proposal: Proposal, stage: Stage) -> None:
        dao = self.dao
        dao.proposals.put(entry.proposal, replace(proposal, stage=stage))
        entries = [entry if each.proposal == entry.proposal else each for each in dao.live.get()]
        dao.live.put(entries)
        dao.deposit_event(events.StageBegun(entry.proposal, stage, entry.until))

    # -- ending

    def _end(self, which: int, proposal: Proposal, stage: Stage) -> None:
        """Settle the deposit, reward what passed, keep the outcome for a while."""
        dao = self.dao
        is_burned = stage is Stage.SCAM
        if is_burned:
            dao.currency.burn_held(HoldReason.PROPOSAL, proposal.proposer, proposal.deposit)
        else:
            dao.currency.release(HoldReason.PROPOSAL, proposal.proposer, proposal.deposit)
        dao.preimages.unrequest(proposal.call)
        reward = self._reward(proposal.proposer) if stage is Stage.ENACTED else 0
        dao.proposals.put(which, replace(proposal, stage=stage))
        dao.live.put([each for each in dao.live.get() if each.proposal != which])
        dao.comments.remove(which)
        finished = [*dao.finished.get(), which]
        for old in finished[: -records.FINISHED_MAX]:
            dao.proposals.remove(old)
        dao.finished.put(finished[-records.FINISHED_MAX :])
        returned = 0 if is_burned else proposal.deposit
        dao.deposit_event(events.Ended(which, stage, returned, reward))

    def _reward(self, proposer: AccountId) -> int:
        """Pay for a proposal that passed, if the treasury can and the last reward is old enough."""
        dao, number, rules = self.dao, self.dao.block.block_number(), self.dao.parameters.get()
        last = dao.rewarded_at.find()
        pause = rules.reward_days * dao.config.day_blocks
        is_too_soon = last is not None and number < last + pause
        treasury = dao.config.treasury
        if is_too_soon or not 0 < rules.reward <= dao.currency.spendable(treasury):
            return 0
        dao.currency.transfer(treasury, proposer, rules.reward)
        dao.rewarded_at.put(number)
        return rules.reward
