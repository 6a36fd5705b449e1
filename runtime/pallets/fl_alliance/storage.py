"""The FL Alliance's state: every item, its constants, and what its parts share.

Owns the items; creation, membership, rounds, the draw, proposals, votes, settlement and the end are
classes of their own that work on this state.
Invariant (`try_state`): what the pallet holds of an account is what it stakes as member or creator,
and each task's pot holds its pool, what is still to be paid and what members earned.
Source: WP VI.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final

from runtime import frame
from runtime.economy.calendar import Calendar
from runtime.economy.tasks import ContentDigest
from runtime.frame.traits import BlockInfo, Currency, HoldReason, Randomness, pallet_account
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.mask_records import Masked
from runtime.pallets.fl_alliance.needs import EmissionSource, Locks, ModelRegistry, TaskBook
from runtime.pallets.fl_alliance.records import (
    Aggregation,
    AllianceTask,
    CheckIn,
    ClientCommitments,
    EndedTask,
    FirstProposed,
    Member,
    MemberStatus,
    PartialDraw,
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
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.terms import (
    COMMITMENTS_MAX,
    MASKED_CLIENTS_MAX,
    AllianceParameters,
)
from runtime.primitives.rational import Rational
from runtime.primitives.scale import Limit
from runtime.primitives.types import FML, U32, AccountId, Balance, Bytes32
from runtime.primitives.zk_profile import ChainSetup, setup_of
from runtime.primitives.zk_setup import Setup
from runtime.primitives.zk_shares import Deal

FEE_BURN: Final = Rational(3, 10)  # burn_rate of a registration fee


@dataclass(frozen=True)
class Config:
    """Sizes; amounts in planck. `epoch_blocks`: an epoch under instant seal.

    `steps_per_block` bounds the work of a block: a step is about 70 microseconds. `kept_rounds`:
    how many rounds of a task can be explained; `kept_days`: for how long after its end.
    `round_days`: the longest that a round may last; `commitments_max`: of a round, so that the
    check of its proof fits into a block.
    """

    calendar: Calendar
    treasury: AccountId
    epoch_blocks: U32 = 2_400
    creator_stake: Balance = 10_000 * FML
    quantity_min: Balance = 500 * FML
    registration_fee: Balance = 10 * FML
    fee_burn: Rational = FEE_BURN
    unbonding_days: U32 = 14
    pause_days: U32 = 7
    live_tasks_max: U32 = 64
    members_max: U32 = 4_096
    steps_per_block: U32 = 1_000
    commitments_max: U32 = COMMITMENTS_MAX
    round_days: U32 = 7  # what a day allots can be minted for a day longer
    kept_rounds: U32 = 32
    kept_days: U32 = 30


def pot_of(task: int) -> AccountId:
    """The pot that holds a task's pool and what its members earned."""
    return pallet_account(b"alliance", task.to_bytes(4, "little"))


class FlAlliance(frame.Pallet[Config], index=34):
    """Storage, neighbours and shared checks."""

    parameters = frame.StorageValue[AllianceParameters](
        AllianceParameters, default=AllianceParameters(), docs="What the DAO decides for all tasks."
    )
    turn = frame.StorageValue[Turn](Turn, docs="The epoch in force, counted from genesis.")
    live = frame.StorageValue[list[int]](
        list[U32], default=[], docs="Tasks that have not ended, in order of creation."
    )
    ended = frame.StorageValue[list[EndedTask]](
        list[EndedTask], default=[], docs="Ended tasks whose records wait to be dropped."
    )
    setup = frame.StorageValue[ChainSetup](
        ChainSetup, docs="The reference string of the chain's own; none: that of Ethereum."
    )
    # tasks
    tasks = frame.StorageMap[int, AllianceTask](U32, AllianceTask, docs="Every task.")
    runs = frame.StorageMap[int, Run](U32, Run, docs="How far each task has come.")
    purses = frame.StorageMap[int, Purse](U32, Purse, docs="Each live task's reward pool.")
    progress = frame.StorageMap[int, Progress](
        U32, Progress, docs="What each live task's round waits for."
    )
    # members
    members = frame.StorageDoubleMap[tuple[int, AccountId], Member](
        U32, AccountId, Member, docs="Members of a task, and those that were expelled from it."
    )
    roster = frame.StorageDoubleMap[tuple[int, int], AccountId](
        U32, U32, AccountId, docs="Members of a task in the order of joining."
    )
    vrf_keys = frame.StorageDoubleMap[tuple[int, bytes], AccountId](
        U32, Bytes32, AccountId, docs="Who registered a VRF key in a task."
    )
    memberships = frame.StorageMap[AccountId, int](
        AccountId, U32, default=0, docs="Tasks in which an account has something at stake."
    )
    # rounds
    rounds = frame.StorageMap[RoundKey, Round](RoundKey, Round, docs="Rounds and their roles.")
    draws = frame.StorageMap[int, PartialDraw](U32, PartialDraw, docs="Draws in progress.")
    check_ins = frame.StorageDoubleMap[tuple[RoundKey, AccountId], CheckIn](
        RoundKey, AccountId, CheckIn, docs="VRF proofs of a round, until the next one has ended."
    )
    proposals = frame.StorageDoubleMap[tuple[RoundKey, AccountId], Proposal](
        RoundKey, AccountId, Proposal, docs="The proposers of a round and what they proposed."
    )
    commitments = frame.StorageDoubleMap[tuple[RoundKey, AccountId], ClientCommitments](
        RoundKey, AccountId, ClientCommitments, docs="What the proposers of a round committed to."
    )
    aggregations = frame.StorageMap[RoundKey, Aggregation](
        RoundKey, Aggregation, docs="Who aggregates a round, and the sum that was proved."
    )
    masked = frame.StorageMap[RoundKey, Masked](
        RoundKey, Masked, default=Masked(), docs="Who shared and who revealed in a masked round."
    )
    deals = frame.StorageDoubleMap[tuple[RoundKey, AccountId], Deal](
        RoundKey, AccountId, Deal, docs="Shared secrets of masks, until the next round has ended."
    )
    reveals = frame.StorageDoubleMap[tuple[RoundKey, AccountId], list[bytes | None]](
        RoundKey,
        AccountId,
        Annotated[list[Bytes32 | None], Limit(MASKED_CLIENTS_MAX)],
        docs="The shares that a holder revealed, by dealer; none for a dealer at fault.",
    )
    votes = frame.StorageDoubleMap[tuple[RoundKey, AccountId], VoterRecord](
        RoundKey, AccountId, VoterRecord, docs="The voters of a round and what they said."
    )
    proposed = frame.StorageDoubleMap[tuple[int, bytes], FirstProposed](
        U32, ContentDigest, FirstProposed, docs="Who proposed a content id first in a task."
    )
    results = frame.StorageMap[RoundKey, RoundResult](
        RoundKey, RoundResult, docs="What a round's payments were made from."
    )
    payments = frame.StorageDoubleMap[tuple[RoundKey, AccountId], Payment](
        RoundKey, AccountId, Payment, docs="What a round did to each participant."
    )

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        currency: Currency,
        block: BlockInfo,
        randomness: Randomness,
        book: TaskBook,
        emission: EmissionSource,
        models: ModelRegistry,
        locks: Locks,
    ) -> None:
        super().__init__(ext, config)
        self.currency = currency
        self.block = block
        self.randomness = randomness
        self.book = book
        self.emission = emission
        self.models = models
        self.locks = locks

    # -- shared reads

    def today(self) -> int:
        """The current day."""
        return self.config.calendar.day_of(self.block.block_number())

    def reference_string(self) -> Setup:
        """The string with which proofs are checked. Raises SetupMissing if it was not loaded."""
        return setup_of(self.setup.find())

    def get_task(self, task: int) -> AllianceTask:
        """The task's record. Raises UnknownTask."""
        found = self.tasks.find(task)
        if found is None:
            raise events.UnknownTask
        return found

    def live_task(self, task: int) -> AllianceTask:
        """The record of a task that has not ended. Raises UnknownTask, TaskHasEnded."""
        found = self.get_task(task)
        if found.ended is not None:
            raise events.TaskHasEnded
        return found

    def key_of(self, task: int) -> RoundKey:
        """The round that opened last, or is being opened."""
        opened, stage = self.runs.get(task).opened, self.progress.get(task).stage
        return RoundKey(task, opened if stage is Stage.COUNT else opened - 1)

    def ensure_stage(self, task: int, round_: int, stage: Stage) -> RoundKey:
        """Raises UnknownTask, TaskHasEnded, WrongStage, WrongRound."""
        self.live_task(task)
        if self.progress.get(task).stage is not stage:
            raise events.WrongStage
        key = self.key_of(task)
        if key.round != round_:
            raise events.WrongRound
        return key

    # -- shared writes

    def begin_stage(self, key: RoundKey, stage: Stage, due: int, mask: int = 0) -> None:
        """Let `due` participants act for as long as the task allows. Emits StageBegan."""
        window = self.get_task(key.task).terms.windows.of_stage(stage)
        until = self.block.block_number() + window
        self.progress.put(key.task, Progress(stage, until, due, mask=mask))
        self.deposit_event(events.StageBegan(key.task, key.round, stage, until))

    def note_done(self, task: int, mask: int = 0) -> None:
        """One more participant has acted; `mask` joins the stage's."""
        progress = self.progress.get(task)
        changed = replace(progress, done=progress.done + 1, mask=progress.mask | mask)
        self.progress.put(task, changed)

    # -- invariants

    def try_state(self) -> None:
        held: dict[AccountId, int] = {}
        bound: dict[AccountId, int] = {}
        for task, found in self.tasks.items():
            assert (found.ended is None) == (task in self.live.get()), f"task {task} lives"
            if found.ended is None:
                held[found.creator] = held.get(found.creator, 0) + found.creator_stake
                bound[found.creator] = bound.get(found.creator, 0) + 1
            self._try_task(task, held, bound)
        for who, amount in held.items():
            assert self.currency.held(HoldReason.FL_STAKE, who) == amount, f"held of {who.hex()}"
        assert dict(self.memberships.items()) == bound

    def _try_task(self, task: int, held: dict[AccountId, int], bound: dict[AccountId, int]) -> None:
        run, earned, active, staked = self.runs.get(task), 0, 0, 0
        members = dict(self.members.items_of(task))
        for who, member in members.items():
            if member.status is MemberStatus.GONE:
                assert member.balance == 0, f"claimed by {who.hex()}"
            else:
                held[who] = held.get(who, 0) + member.stake
                bound[who] = bound.get(who, 0) + 1
            earned += member.earned
            active += member.is_counted
            staked += member.stake if member.is_counted else 0
        listed = dict(self.roster.items_of(task))
        assert listed == {member.place: who for who, member in members.items()}
        purse = self.purses.find(task) or Purse(0)
        owed = purse.pool + purse.unpaid + earned
        # Above it is what somebody sent there; nothing can take it out.
        assert self.currency.free(pot_of(task)) >= owed, f"pot of task {task}"
        if self.get_task(task).ended is None:
            assert (run.active, run.staked) == (active, staked), f"stakes of task {task}"
            for who, member in members.items():
                assert self.vrf_keys.get((task, member.key)) == who
