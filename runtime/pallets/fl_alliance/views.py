"""What participants, users and the RPC ask of the FL Alliance: read-only, off the block path.

Source: WP VI.B (roles), WP VI.F (rewards), WP VI.H (selection that anyone can verify).
"""

from __future__ import annotations

import enum
from typing import Annotated, Final

from runtime import frame
from runtime.pallets.fl_alliance.records import (
    AllianceTask,
    Member,
    MemberStatus,
    Payment,
    Progress,
    Proposal,
    Purse,
    Round,
    RoundKey,
    RoundResult,
    Run,
    Turn,
    VoterRecord,
)
from runtime.pallets.fl_alliance.seals import vrf_input
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.storage import FlAlliance
from runtime.pallets.fl_alliance.terms import Mode
from runtime.primitives.rational import Rational
from runtime.primitives.scale import Limit, scale_enum
from runtime.primitives.types import U16, U32, AccountId, Bytes32, Bytes64, Bytes80, Hash

PAGE: Final = 256  # places of members in one answer


@frame.scale_type
class AllianceInfo:
    """A task and where it stands. `round`: the one that opened last; no purse after the end."""

    task: U32
    record: AllianceTask
    run: Run
    round: U32 | None
    purse: Purse | None
    progress: Progress | None
    turn: Turn


@frame.scale_type
class MemberEntry:
    """A member by its account."""

    account: AccountId
    member: Member


@frame.scale_type
class ProposerEntry:
    """A proposer, its weight a_p in the aggregate, and what it proposed."""

    account: AccountId
    weight: U16
    proposal: Proposal


@frame.scale_type
class VoterEntry:
    """A voter that posted its proof, and what it said."""

    account: AccountId
    record: VoterRecord


@frame.scale_type
class RoundInfo:
    """A round with everybody's part in it; `result` once it is tallied."""

    round: U32
    record: Round
    proposers: list[ProposerEntry]
    voters: list[VoterEntry]
    result: RoundResult | None


@frame.scale_type
class RoundSummary:
    """A round of the task's history."""

    round: U32
    opened_at: U32
    members: U32
    proposers: U32
    voters: U32
    absent: U32
    base: Bytes32 | None
    result: RoundResult | None


@scale_enum("pallet_fl_alliance::Role")
class Role(enum.Enum):
    """An account's part in the open round."""

    NONE = 0  # no candidate, or not drawn
    UNDECIDED = 1  # roles are still to be drawn
    PROPOSER = 2
    VOTER = 3
    ABSENT_VOTER = 4  # posted no proof


@scale_enum("pallet_fl_alliance::Duty")
class Duty(enum.Enum):
    """What an account should call next."""

    NOTHING = 0
    CHECK_IN = 1
    INITIALISE_MODEL = 2
    COMMIT_PROPOSAL = 3
    REVEAL_PROPOSAL = 4
    REPORT = 5
    COMMIT_VOTE = 6
    REVEAL_VOTE = 7
    CLAIM = 8
    HAND_OVER = 9
    PROVE = 10
    SHARE_SECRETS = 11
    REVEAL_SHARES = 12


@frame.scale_type
class Part:
    """What an account is and should do. `until`: the first block that is too late, 0 without one.

    `vrf_input` is what to prove at check-in, empty otherwise. `index`: a proposer's bit in masks.
    """

    role: Role
    duty: Duty
    round: U32 | None
    until: U32
    index: U32 | None
    vrf_input: Annotated[bytes, Limit(136)]


@frame.scale_type
class PaymentEntry:
    """What a round did to an account."""

    account: AccountId
    payment: Payment


@frame.scale_type
class PaymentExplanation:
    """What a payment was made from. `share` = the payment's balance / `result.good` of the reward.

    The reward is `result.from_pool` = ⌊`result.pool` / `rounds_left`⌋ and `result.minted`.
    """

    payment: Payment
    result: RoundResult
    slash: Rational
    absence_slash: Rational
    rounds_left: U32
    proposal: Proposal | None
    vote: VoterRecord | None
    posted_proof: bool


@frame.scale_type
class MemberProof:
    """A candidate's VRF key with its output and proof, none if it posted none."""

    account: AccountId
    key: Bytes32
    output: Bytes64 | None
    proof: Bytes80 | None


@frame.scale_type
class RoleCertificate:
    """What anybody needs to draw a round's roles again, but for storage proofs.

    `proofs` of candidates in the order of joining, a page of them; `next` is where the next page
    starts. VRF inputs follow from `genesis`, `seed`, task, round and account.
    """

    genesis: Hash
    seed: Hash
    round: U32
    members: U32
    participation: Rational
    proposing: Rational
    proofs: list[MemberProof]
    next: U32 | None


class Views:
    """Reads; cost is that of the records they return."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance

    # -- tasks and members

    def task_info(self, task: int) -> AllianceInfo | None:
        """A task; None if there is none of this number."""
        alliance = self.alliance
        record = alliance.tasks.find(task)
        if record is None:
            return None
        run = alliance.runs.get(task)
        return AllianceInfo(
            task,
            record,
            run,
            run.opened - 1 if run.opened else None,
            alliance.purses.find(task),
            alliance.progress.find(task),
            alliance.turn.get(),
        )

    def live_tasks(self) -> list[AllianceInfo]:
        """Tasks that have not ended."""
        infos = (self.task_info(task) for task in self.alliance.live.get())
        return [info for info in infos if info is not None]

    def members(self, task: int, start: int) -> list[MemberEntry]:
        """Members among the 256 places from `start` on, in the order of joining."""
        alliance, found = self.alliance, []
        for place in range(start, start + PAGE):
            who = alliance.roster.find((task, place))
            if who is not None:
                found.append(MemberEntry(who, alliance.members.get((task, who))))
        return found

    # -- rounds

    def round_info(self, task: int, round_: int) -> RoundInfo | None:
        """A round; None before it opens and after its records were dropped."""
        alliance, key = self.alliance, RoundKey(task, round_)
        record = alliance.rounds.find(key)
        if record is None:
            return None
        proposers = [
            ProposerEntry(who, weight, alliance.proposals.get((key, who)))
            for who, weight in zip(record.proposers, record.weights, strict=True)
        ]
        voters = [VoterEntry(who, alliance.votes.get((key, who))) for who in record.voters]
        return RoundInfo(round_, record, proposers, voters, alliance.results.find(key))

    def history(self, task: int) -> list[RoundSummary]:
        """The rounds whose records are kept, the oldest first."""
        alliance, run = self.alliance, self.alliance.runs.find(task)
        if run is None:
            return []
        found = []
        for round_ in range(run.kept_from, run.opened):
            key = RoundKey(task, round_)
            record, result = alliance.rounds.get(key), alliance.results.find(key)
            counts = len(record.proposers), len(record.voters), record.absent
            found.append(
                RoundSummary(round_, record.opened_at, record.members, *counts, record.base, result)
            )
        return found

    def payments(self, task: int, round_: int) -> list[PaymentEntry]:
        """What a round did to whom, by account; absent members once they are looked at."""
        found = self.alliance.payments.items_of(RoundKey(task, round_))
        return [PaymentEntry(who, payment) for who, payment in sorted(found)]

    def explain_payment(self, task: int, round_: int, who: AccountId) -> PaymentExplanation | None:
        """What a payment was made from; None if there is none, or if it is not kept."""
        alliance, key = self.alliance, RoundKey(task, round_)
        payment, record = alliance.payments.find((key, who)), alliance.rounds.find(key)
        if payment is None or record is None:
            return None
        terms = alliance.get_task(task).terms
        return PaymentExplanation(
            payment,
            alliance.results.get(key),
            terms.slash,
            record.absence_slash,
            terms.rounds - round_,
            alliance.proposals.find((key, who)),
            alliance.votes.find((key, who)),
            who in record.proposers or who in record.voters,
        )

    def role_certificate(self, task: int, round_: int, start: int) -> RoleCertificate | None:
        """The proofs of a round, by pages of places; None when its proofs are not kept."""
        alliance, key = self.alliance, RoundKey(task, round_)
        record, run = alliance.rounds.find(key), alliance.runs.find(task)
        if record is None or run is None or round_ + 1 < run.opened - 1:
            return None
        proofs = []
        for entry in self.members(task, start):
            place = (key, entry.account)
            found = alliance.check_ins.find(place)
            # One that was expelled since had posted a proof, or lost something for posting none.
            took_part = found is not None or alliance.payments.contains(place)
            if took_part or entry.member.is_candidate(record.turn):
                posted = (None, None) if found is None else (found.output, found.proof)
                proofs.append(MemberProof(entry.account, entry.member.key, *posted))
        terms, end = alliance.get_task(task).terms, start + PAGE
        return RoleCertificate(
            alliance.block.genesis_hash(),
            record.seed,
            round_,
            record.members,
            terms.participation,
            terms.proposing,
            proofs,
            end if end < run.joined else None,
        )

    # -- one account

    def part_of(self, task: int, who: AccountId) -> Part:
        """An account's role in the open round and what it should call in the next block."""
        alliance = self.alliance
        progress = alliance.progress.find(task)
        member = alliance.members.find((task, who))
        duty, until = self._claim_duty(task, member), 0
        if progress is None or progress.stage in (Stage.IDLE, Stage.COUNT):
            return Part(Role.NONE, duty, None, 0, None, b"")
        key = alliance.key_of(task)
        role, index = self._role_of(key, progress, member, who)
        due = self._duty_of(key, progress.stage, role, who)
        is_open = alliance.block.block_number() + 1 < progress.until
        if due is not Duty.NOTHING and is_open:
            duty, until = due, progress.until
        alpha = b""
        if duty is Duty.CHECK_IN:
            seed = alliance.rounds.get(key).seed
            alpha = vrf_input(alliance.block.genesis_hash(), seed, task, key.round, who)
        return Part(role, duty, key.round, until, index, alpha)

    def _claim_duty(self, task: int, member: Member | None) -> Duty:
        alliance = self.alliance
        if member is None or member.status is MemberStatus.GONE:
            return Duty.NOTHING
        is_over = alliance.get_task(task).ended is not None
        is_free = member.free_day is not None and member.free_day <= alliance.today()
        return Duty.CLAIM if is_over or is_free else Duty.NOTHING

    def _role_of(
        self, key: RoundKey, progress: Progress, member: Member | None, who: AccountId
    ) -> tuple[Role, int | None]:
        alliance, record = self.alliance, self.alliance.rounds.get(key)
        proposal = alliance.proposals.find((key, who))
        if proposal is not None:
            return Role.PROPOSER, proposal.index
        if alliance.votes.contains((key, who)):
            return Role.VOTER, None
        if member is None or not member.is_candidate(record.turn):
            return Role.NONE, None
        if progress.stage in (Stage.CHECK_IN, Stage.DRAW):
            return Role.UNDECIDED, None
        has_proof = alliance.check_ins.contains((key, who))
        return (Role.NONE if has_proof else Role.ABSENT_VOTER), None

    def _duty_of(self, key: RoundKey, stage: Stage, role: Role, who: AccountId) -> Duty:
        alliance = self.alliance
        if stage is Stage.CHECK_IN and role is Role.UNDECIDED:
            posted = alliance.check_ins.contains((key, who))
            return Duty.NOTHING if posted else Duty.CHECK_IN
        if role is Role.PROPOSER:
            return self._proposers_duty(key, stage, who)
        if role is Role.VOTER:
            return self._voters_duty(key, stage, who)
        return Duty.NOTHING

    def _proposers_duty(self, key: RoundKey, stage: Stage, who: AccountId) -> Duty:
        alliance = self.alliance
        proposal, record = alliance.proposals.get((key, who)), alliance.rounds.get(key)
        masked = alliance.masked.get(key)
        if stage is Stage.SHARE:
            has_shared = masked.dealers >> proposal.index & 1
            return Duty.NOTHING if has_shared else Duty.SHARE_SECRETS
        if stage is Stage.UNMASK:
            has_revealed = masked.holders >> proposal.index & 1
            return Duty.NOTHING if has_revealed else Duty.REVEAL_SHARES
        if stage is Stage.PROPOSE and record.base is None and not proposal.index:
            return Duty.INITIALISE_MODEL
        is_masked = alliance.get_task(key.task).terms.mode is Mode.ZK_MASKED
        if is_masked and not masked.dealers >> proposal.index & 1:
            return Duty.NOTHING
        if stage is Stage.PROPOSE and proposal.seal is None:
            return Duty.COMMIT_PROPOSAL
        if alliance.aggregations.contains(key):
            is_in = proposal.content is not None and record.aggregate >> proposal.index & 1
            has_sent = alliance.progress.get(key.task).mask >> proposal.index & 1
            is_due = stage is Stage.DISCLOSE and is_in and not has_sent
            return Duty.HAND_OVER if is_due else Duty.NOTHING
        is_sealed = proposal.seal is not None and proposal.content is None
        return Duty.REVEAL_PROPOSAL if stage is Stage.DISCLOSE and is_sealed else Duty.NOTHING

    def _voters_duty(self, key: RoundKey, stage: Stage, who: AccountId) -> Duty:
        alliance, record = self.alliance, self.alliance.votes.get((key, who))
        if stage is Stage.AGGREGATE:
            place = alliance.aggregations.get(key).place
            is_due = alliance.rounds.get(key).voters[place] == who
            return Duty.PROVE if is_due else Duty.NOTHING
        if stage is Stage.REPORT and record.held is None:
            return Duty.REPORT
        if stage is Stage.VOTE and record.seal is None:
            return Duty.COMMIT_VOTE
        is_sealed = record.seal is not None and record.ballot is None
        return Duty.REVEAL_VOTE if stage is Stage.OPEN and is_sealed else Duty.NOTHING
