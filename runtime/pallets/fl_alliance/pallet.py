"""The FL Alliance: calls of creators, participants and the DAO, and the work of every block.

How a participant goes through a task (`U256` masks have bit i for the round's i-th proposer):

1. `join(task, vrf_key, possession, units)`: stakes the quantity. `possession` is the VRF proof of
   `seals.possession_message`. It acts three epochs later, and so do `pause`, `resume`, `leave`.
2. Each round, after StageBegan(CHECK_IN): `check_in(task, round, proof)`, the VRF proof of
   `seals.vrf_input` with the round's seed. Who posts none is a drawn, absent voter.
3. Proposers, in PROPOSE: `commit_proposal(task, round, seal)` with `seals.seal_proposal`; the first
   of them also `initialise_model` if no model is known. In DISCLOSE: `reveal_proposal(task, round,
   content, ciphertext, salt)`.
4. Voters, in REPORT: `report(task, round, held)`. The aggregate is over the bits of AggregateFixed
   with the weights of the round. In VOTE: `commit_vote(task, round, seal)` with `seals.seal_vote`
   over a `Ballot`, decided by `runtime.economy.alliance.is_good_enough`. In OPEN:
   `reveal_vote(task, round, ballot, salt)`.
5. `leave(task)` and, once it is free or the task has ended, `claim(task)`.

Live tasks share a block's steps, each block beginning with another one; a stage for participants
ends on time whatever work there is.

Source: WP VI.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from runtime import frame
from runtime.economy.tasks import ContentDigest, SelfFunded, Verified
from runtime.frame.weights import Weight
from runtime.pallets.fl_alliance import events, storage
from runtime.pallets.fl_alliance.creation import Creation
from runtime.pallets.fl_alliance.disputes import Accusation, Disputes
from runtime.pallets.fl_alliance.mask_records import Revealed
from runtime.pallets.fl_alliance.membership import Membership
from runtime.pallets.fl_alliance.proposals import OpenedProposal
from runtime.pallets.fl_alliance.records import Ballot, ClientCommitments
from runtime.pallets.fl_alliance.rounds import Rounds
from runtime.pallets.fl_alliance.terms import (
    MASKED_CLIENTS_MAX,
    AllianceParameters,
    AllianceTerms,
    Mode,
)
from runtime.pallets.fl_alliance.turns import Turns
from runtime.pallets.fl_alliance.views import Views
from runtime.pallets.fl_alliance.votes import Votes
from runtime.primitives.curve import POINT_BYTES as MASK_POINT_BYTES
from runtime.primitives.scale import Limit
from runtime.primitives.types import (
    U16,
    U32,
    U256,
    AccountId,
    BlockNumber,
    Bytes32,
    Bytes64,
    Bytes80,
    CompactBalance,
    Hash,
)
from runtime.primitives.zk_delivery import Delivery
from runtime.primitives.zk_points import POINT_BYTES
from runtime.primitives.zk_shares import Deal

# Measured in a task of 1,000 members, with the state root's part.
CREATE = Weight(600_000_000)
JOIN = Weight(1_300_000_000)
CHANGE = Weight(220_000_000)
CHECK_IN = Weight(1_100_000_000)
COMMIT = Weight(180_000_000)
REVEAL = Weight(250_000_000)
STEP = Weight(70_000_000)
BLOCK = Weight(20_000_000)
# Of aggregation, with no point kept and the setup not loaded: a node that has just started.
PROOF = Weight(30_000_000_000)
COMMITMENT = Weight(190_000_000)  # that a proof is about
DISPUTE = Weight(165_000_000_000)
CHUNK = Weight(25_000_000_000)  # of 4,092 numbers, or a part of a larger one
CHUNK_BYTES = 16_384
POINT = Weight(165_000_000)
SHARE_POINT = Weight(300_000_000)  # two multiplications, its hashing and its bytes
SHARE = Weight(1_400_000_000)  # of a wrong one; a right one takes a thirtieth
WAITING = Weight(30_000_000)  # a live task that has nothing to do in a block


def _admission(size_bytes: int) -> Weight:
    return POINT.times(size_bytes // POINT_BYTES + 1)


def _dispute(size_bytes: int) -> Weight:
    return DISPUTE + CHUNK.times(size_bytes // CHUNK_BYTES + 1)


def _dealing(dealt: Deal) -> Weight:
    points = (len(dealt.own) + len(dealt.pair)) // MASK_POINT_BYTES
    return SHARE_POINT.times(points + 1)


class FlAlliance(storage.FlAlliance, index=34):
    @cached_property
    def creating(self) -> Creation:
        """New tasks and their verification."""
        return Creation(self)

    @cached_property
    def enrolling(self) -> Membership:
        """Joining, pausing, leaving."""
        return Membership(self)

    @cached_property
    def playing(self) -> Rounds:
        """The machine of rounds, with the draw and the proposals."""
        return Rounds(self)

    @cached_property
    def disputing(self) -> Disputes:
        """Accusations of clients."""
        return Disputes(self)

    @cached_property
    def voting(self) -> Votes:
        """Commit and reveal of votes."""
        return Votes(self)

    @cached_property
    def views(self) -> Views:
        """What may be asked."""
        return Views(self)

    # -- calls of creators and the DAO

    @frame.call(0, weight=CREATE)
    def create_task(
        self, origin: frame.Origin, terms: AllianceTerms, budget: CompactBalance
    ) -> None:
        """Create a self-funded task: locks S_c; `budget` is its reward pool. Signed.

        Emits TaskCreated. Raises the rule that the terms break, OriginNotFinished, BudgetTooSmall,
        TooManyTasks, InsufficientFunds.
        """
        self.creating.create(frame.ensure_signed(origin), terms, SelfFunded(budget))

    @frame.call(1, weight=CREATE)
    def create_verified_task(
        self, origin: frame.Origin, creator: AccountId, terms: AllianceTerms
    ) -> None:
        """Create a task that emission pays for; locks S_c of `creator`. Root: only the DAO."""
        frame.ensure_root(origin)
        self.creating.create(creator, terms, Verified())

    @frame.call(2, weight=CHANGE)
    def cancel_task(self, origin: frame.Origin, task: U32) -> None:
        """End a task before its first round; the pool returns. Signed by the creator.

        Emits TaskEnded. Raises NotTheCreator, TooLateToCancel.
        """
        self.playing.ending.cancel(frame.ensure_signed(origin), task)

    @frame.call(3, weight=CHANGE)
    def verify_task(self, origin: frame.Origin, task: U32) -> None:
        """Let emission pay for a task from tomorrow on. Root. Emits VerificationChanged."""
        frame.ensure_root(origin)
        self.creating.change_verification(task, is_verified=True)

    @frame.call(4, weight=CHANGE)
    def unverify_task(self, origin: frame.Origin, task: U32) -> None:
        """Withdraw it from tomorrow on: only the pool pays then. Root."""
        frame.ensure_root(origin)
        self.creating.change_verification(task, is_verified=False)

    @frame.call(5, weight=CHANGE)
    def set_parameters(self, origin: frame.Origin, parameters: AllianceParameters) -> None:
        """Change what holds for all tasks, for rounds that open from now on. Root.

        Emits ParametersChanged. Raises ParametersOutOfBounds.
        """
        frame.ensure_root(origin)
        self.creating.set_parameters(parameters)

    # -- calls of participants

    @frame.call(6, weight=JOIN)
    def join(
        self, origin: frame.Origin, task: U32, vrf_key: Bytes32, possession: Bytes80, units: U16
    ) -> None:
        """Stake the task's quantity and take part with so many units of samples. Signed.

        Pays the registration fee. Emits Joined. Raises AlreadyJoined, WasExpelled, TaskFull,
        UnitsOutOfRange, KeyTaken, BadPossession, InsufficientFunds.
        """
        self.enrolling.join(frame.ensure_signed(origin), task, vrf_key, possession, units)

    @frame.call(7, weight=CHANGE)
    def pause(self, origin: frame.Origin, task: U32) -> None:
        """Be drawn no more until `resume`; acts three epochs later. Signed. Emits Paused."""
        self.enrolling.pause(frame.ensure_signed(origin), task)

    @frame.call(8, weight=CHANGE)
    def resume(self, origin: frame.Origin, task: U32) -> None:
        """Be drawn again; acts three epochs later. Signed. Emits Resumed."""
        self.enrolling.resume(frame.ensure_signed(origin), task)

    @frame.call(9, weight=CHANGE)
    def leave(self, origin: frame.Origin, task: U32) -> None:
        """Be drawn no more; the balance is free after the unbonding time. Signed. Emits Left."""
        self.enrolling.leave(frame.ensure_signed(origin), task)

    @frame.call(10, weight=CHANGE)
    def claim(self, origin: frame.Origin, task: U32) -> None:
        """Get one's balance back, after leaving, expulsion or the task's end. Signed.

        Emits Claimed. Raises StillAMember, ClaimTooEarly, NothingToClaim.
        """
        self.enrolling.claim(frame.ensure_signed(origin), task)

    @frame.call(11, weight=CHECK_IN)
    def check_in(self, origin: frame.Origin, task: U32, round_: U32, proof: Bytes80) -> None:
        """Post the VRF proof that decides one's role. Signed by a member.

        Raises WrongStage, WrongRound, NotACandidate, AlreadyCheckedIn, BadProof.
        """
        self.playing.draw.check_in(frame.ensure_signed(origin), task, round_, proof)

    @frame.call(12, weight=COMMIT)
    def initialise_model(
        self, origin: frame.Origin, task: U32, round_: U32, content: ContentDigest
    ) -> None:
        """Name the model made from the round's seed. Signed by the round's leader.

        Only while the task has no model. Emits ModelInitialised. Raises NotTheLeader, ModelKnown.
        """
        who = frame.ensure_signed(origin)
        self.playing.proposals.initialise_model(who, task, round_, content)

    @frame.call(13, weight=COMMIT)
    def commit_proposal(self, origin: frame.Origin, task: U32, round_: U32, seal: Hash) -> None:
        """Seal a proposal. Signed by a proposer. Emits ProposalCommitted.

        Raises WrongStage, WrongRound, NotAProposer, NotADealer, AlreadyCommitted.
        """
        who = frame.ensure_signed(origin)
        self.playing.masking.ensure_dealer(who, task, round_)
        self.playing.proposals.commit(who, task, round_, seal)

    @frame.call(14, weight=REVEAL)
    def reveal_proposal(
        self,
        origin: frame.Origin,
        task: U32,
        round_: U32,
        content: ContentDigest,
        ciphertext: ContentDigest,
        salt: Bytes32,
    ) -> None:
        """Open a proposal: content ids of the update and of what travels. Signed.

        Emits ProposalRevealed. Raises WrongMode, WrongSeal, ZeroUpdate, DuplicateProposal
        and as a commitment.
        """
        who = frame.ensure_signed(origin)
        if self.get_task(task).terms.mode is not Mode.OPEN:
            raise events.WrongMode
        opened = OpenedProposal(content, ciphertext)
        self.playing.proposals.reveal(who, (task, round_), opened, salt)

    @frame.call(15, weight=COMMIT)
    def report(self, origin: frame.Origin, task: U32, round_: U32, held: U256) -> None:
        """Tell which opened proposals one has, can decrypt and finds valid. Signed by a voter.

        Emits AvailabilityReported. Raises NotAVoter, AlreadyReported, BitsOutOfRange.
        """
        self.playing.proposals.report(frame.ensure_signed(origin), task, round_, held)

    @frame.call(16, weight=COMMIT)
    def commit_vote(self, origin: frame.Origin, task: U32, round_: U32, seal: Hash) -> None:
        """Seal a ballot. Signed by a voter. Emits VoteCommitted."""
        self.voting.commit(frame.ensure_signed(origin), task, round_, seal)

    @frame.call(17, weight=REVEAL)
    def reveal_vote(
        self, origin: frame.Origin, task: U32, round_: U32, ballot: Ballot, salt: Bytes32
    ) -> None:
        """Open a ballot. Signed by who sealed it. Emits VoteRevealed."""
        self.voting.reveal(frame.ensure_signed(origin), task, round_, ballot, salt)

    @frame.call(18, weight=lambda task, round_, points, *_: REVEAL + _admission(len(points)))
    def reveal_commitments(
        self,
        origin: frame.Origin,
        task: U32,
        round_: U32,
        points: bytes,
        signature: Bytes64,
        delivery: Delivery,
        ciphertext: ContentDigest,
        salt: Bytes32,
    ) -> None:
        """Open a proposal where an aggregator sums: commitments, signed by the VRF key. Signed.

        The content that was sealed is the SHA-256 of `points`; what travels is for the aggregator.
        Emits ProposalRevealed. Raises WrongMode, BadCommitments, BadDelivery and as
        `reveal_proposal`.
        """
        who = frame.ensure_signed(origin)
        posted = ClientCommitments(points, signature, delivery)
        self.playing.aggregations.reveal(who, (task, round_), posted, ciphertext, salt)

    @frame.call(19, weight=COMMIT)
    def hand_over(
        self,
        origin: frame.Origin,
        task: U32,
        round_: U32,
        delivery: Delivery,
        ciphertext: ContentDigest,
    ) -> None:
        """Name what travels to the aggregator that took over. Signed by a proposer of the sum.

        Emits HandedOver. Raises WrongStage, NotAProposer, AlreadyRevealed,
        BadDelivery.
        """
        who = frame.ensure_signed(origin)
        self.playing.aggregations.hand_over(who, task, round_, delivery, ciphertext)

    @frame.call(20, weight=lambda task, round_, count, *_: PROOF + COMMITMENT.times(count))
    def post_proof(
        self,
        origin: frame.Origin,
        task: U32,
        round_: U32,
        count: U16,
        proof: Bytes80,
        opening: ContentDigest,
    ) -> None:
        """Prove the sum. Signed by the aggregator; a wrong proof costs it s_p, and another follows.

        `count`: how many commitments there are, or more; `opening`: what travels of the sum. Emits
        SumProved or AggregatorFailed. Raises WrongStage, NotTheAggregator, AlreadyProved,
        TooManyCommitments.
        """
        who = frame.ensure_signed(origin)
        self.playing.aggregations.post_proof(who, (task, round_), count, proof, opening)

    @frame.call(21, weight=lambda task, round_, accusation: _dispute(len(accusation.piece)))
    def accuse(self, origin: frame.Origin, task: U32, round_: U32, accusation: Accusation) -> None:
        """Show that a client sent what does not open its commitments. Signed by the aggregator.

        The client loses s_p and is out of the sum. Emits ClientAtFault. Raises WrongStage,
        NotTheAggregator, NotAProposer, BadAccusation, ChunkIsFine.
        """
        who = frame.ensure_signed(origin)
        self.disputing.accuse(who, task, round_, accusation)

    @frame.call(22, weight=lambda task, round_, dealt: REVEAL + _dealing(dealt))
    def share_secrets(self, origin: frame.Origin, task: U32, round_: U32, dealt: Deal) -> None:
        """Share the secrets of one's masks among the proposers of a masked round. Signed.

        Signed by a proposer; who does not share cannot propose. Emits SecretsShared. Raises
        WrongStage, NotAProposer, AlreadyShared, BadDeal.
        """
        self.playing.masking.share(frame.ensure_signed(origin), task, round_, dealt)

    @frame.call(23, weight=lambda task, round_, shares: REVEAL + SHARE.times(len(shares)))
    def reveal_shares(
        self,
        origin: frame.Origin,
        task: U32,
        round_: U32,
        shares: Annotated[list[Revealed], Limit(MASKED_CLIENTS_MAX)],
    ) -> None:
        """Reveal a share of each dealer, in the order of proposers. Signed by a proposer.

        Of dealers in the sum that of b, of the others that of s. Emits SharesRevealed and
        WrongShareShown. Raises WrongStage, NotAProposer, AlreadyRevealed, BadShares, ShareIsFine.
        """
        self.playing.masking.reveal(frame.ensure_signed(origin), task, round_, shares)

    # -- AllianceStakes of the arena

    def verified_stakes(self, day: int) -> list[tuple[int, int]]:
        """(task, S) of tasks that emission pays for that day and that have enough members.

        S is what is held of members that neither pause nor leave: earnings do not count.
        """
        stakes = []
        for task in self.live.get():
            found, run = self.get_task(task), self.runs.get(task)
            if found.is_verified_on(day) and run.active >= found.members_min:
                stakes.append((task, run.staked))
        return stakes

    # -- hooks

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Follow the epochs, go on with every live task, and drop what is over."""
        Turns(self).follow(number)
        live, used = self.live.get(), 0
        start = number % len(live) if live else 0
        for task in (*live[start:], *live[:start]):
            used += self.playing.advance(task, self.config.steps_per_block - used)
        used += self.playing.ending.forget(self.config.steps_per_block - used)
        return BLOCK + WAITING.times(len(live)) + STEP.times(used)
