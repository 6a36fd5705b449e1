"""The arena's state: every item, its constants, and what its parts share.

Owns the items; submissions, the draw, scores, settlement and payout are classes of their own that
work on this state; what holds between them is in `invariants`.
Source: WP V.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runtime import frame
from runtime.economy.calendar import Calendar
from runtime.economy.tasks import ContentDigest, Task, TaskStatus
from runtime.frame.traits import BlockInfo, Currency, Randomness, pallet_account
from runtime.pallets.arena.cursor import Cursor, Job
from runtime.pallets.arena.events import OutsideWindow, TaskNotActive
from runtime.pallets.arena.key_records import (
    RingKey,
    RingKeys,
    RollMember,
    SealedKey,
    SealingKey,
)
from runtime.pallets.arena.needs import (
    AllianceStakes,
    EmissionSource,
    HostRewards,
    ModelRegistry,
    NoAlliance,
    NoHosts,
    Stakes,
    TaskBook,
)
from runtime.pallets.arena.records import (
    Assignment,
    Ballot,
    Behaviour,
    Best,
    BountyResult,
    DayKey,
    DayResult,
    DaySeals,
    NodeRecord,
    Payment,
    Roster,
    ScoreSeal,
    Submission,
    SubmissionResult,
    SubmissionSeal,
    Submitter,
)
from runtime.pallets.arena.work_records import Gathering, Original, Part, RollWork
from runtime.primitives.types import (
    FML,
    U8,
    U32,
    U128,
    U256,
    AccountId,
    Balance,
    Bytes32,
)


@dataclass(frozen=True)
class Config:
    """Sizes. `quota_*`: L_0 and L_max; stakes are the minimums s_min of the curve, planck.

    `steps_per_block` bounds the work of a block (`budget`): a step is ten microseconds.
    `kept_days`: for how long the inputs of a payment stay in the state; 2 at least, since a task's
    last day settles what it held of the day before. `aliases_max`: of a node in a day.
    """

    calendar: Calendar
    treasury: AccountId
    node_stake: Balance = 1_000 * FML
    validator_stake: Balance = 3_000 * FML
    quota_base: U32 = 4
    quota_max: U32 = 100
    steps_per_block: U32 = 6_000
    kept_days: U32 = 30
    aliases_max: U32 = 2

    def __post_init__(self) -> None:
        if self.kept_days < 2 or not 0 < self.aliases_max < 256:
            raise ValueError(f"records are kept {self.kept_days} days, {self.aliases_max} aliases")


SLASH_STEPS: Final = 15  # for each who has stake behind the one that is slashed


def pot_of(task: int) -> AccountId:
    """The pot that a task's rewards are paid from and Reward B vests in."""
    return pallet_account(b"arena", task.to_bytes(4, "little"))


class Arena(frame.Pallet[Config], index=33):
    """Storage, neighbours and shared checks."""

    # submissions
    next_submission = frame.StorageMap[int, int](
        U32, U32, default=0, docs="The number of a task's next submission."
    )
    seals = frame.StorageDoubleMap[tuple[int, Submitter], DaySeals](
        U32, Submitter, DaySeals, docs="What a submitter sealed on its last active day."
    )
    submissions = frame.StorageDoubleMap[tuple[int, int], Submission](
        U32, U32, Submission, docs="Revealed submissions of a task by number."
    )
    first_seen = frame.StorageDoubleMap[tuple[int, bytes], int](
        U32, ContentDigest, U32, docs="The earliest commitment of each content id."
    )
    standing = frame.StorageDoubleMap[tuple[int, AccountId], int](
        U32, AccountId, U32, docs="Each node's standing submission: its last."
    )
    node_records = frame.StorageDoubleMap[tuple[int, AccountId], NodeRecord](
        U32, AccountId, NodeRecord, default=NodeRecord(), docs="A node's ranked days and f_i."
    )
    validator_records = frame.StorageDoubleMap[tuple[int, AccountId], int](
        U32, AccountId, U256, default=0, docs="A validator's shares of all days, in 2^-128."
    )
    # aliases
    rolls = frame.StorageMap[DayKey, list[RollMember]](
        DayKey, list[RollMember], default=[], docs="Who may use aliases, in the order of rings."
    )
    aliases = frame.StorageDoubleMap[tuple[DayKey, bytes], SubmissionSeal](
        DayKey, Bytes32, SubmissionSeal, docs="What a one-time key sealed on a day."
    )
    alias_tags = frame.StorageDoubleMap[tuple[DayKey, bytes], int](
        DayKey, Bytes32, U32, docs="Tags that were used on a day, and for which submission."
    )
    # keys
    ring_keys = frame.StorageMap[AccountId, list[RingKey]](
        AccountId, RingKeys, default=[], docs="An account's ring keys and from when they act."
    )
    ring_owned = frame.StorageMap[bytes, bool](
        Bytes32, bool, default=False, docs="Ring keys that an account has."
    )
    sealing_keys = frame.StorageMap[AccountId, SealingKey](
        AccountId, SealingKey, docs="To which key of an account others seal the keys of models."
    )
    model_keys = frame.StorageDoubleMap[tuple[DayKey, int], list[SealedKey]](
        DayKey, U32, list[SealedKey], default=[], docs="A model's key, sealed to validators."
    )
    # committees and scores
    vrf_outputs = frame.StorageMap[int, bytes](
        U32, bytes, docs="VRF outputs of the last reveal window's blocks by offset in the day."
    )
    rosters = frame.StorageMap[DayKey, Roster](DayKey, Roster, docs="Who scores what on a day.")
    drawn = frame.StorageMap[DayKey, int](
        DayKey, U8, docs="Seats a submission on a day that is drawn and has any to score."
    )
    assignments = frame.StorageDoubleMap[tuple[DayKey, AccountId], list[Assignment]](
        DayKey, AccountId, list[Assignment], default=[], docs="Seats of a validator on a day."
    )
    score_seals = frame.StorageDoubleMap[tuple[DayKey, AccountId], ScoreSeal](
        DayKey, AccountId, ScoreSeal, docs="Sealed score sheets of a day."
    )
    ballots = frame.StorageDoubleMap[tuple[DayKey, int], list[Ballot]](
        DayKey, U32, list[Ballot], default=[], docs="Revealed verdicts on a submission."
    )
    wrong_data = frame.StorageMap[DayKey, int](
        DayKey, U128, default=0, docs="The weight that says that Dataset B does not match."
    )
    # results
    results = frame.StorageDoubleMap[tuple[DayKey, int], SubmissionResult](
        DayKey, U32, SubmissionResult, docs="A submission's consensus score on a day."
    )
    behaviours = frame.StorageDoubleMap[tuple[DayKey, int], Behaviour](
        DayKey, U32, Behaviour, docs="Fingerprints of a day, in tasks that compare behaviour."
    )
    day_results = frame.StorageMap[DayKey, DayResult](
        DayKey, DayResult, docs="What a day's payments were made from."
    )
    payments = frame.StorageMap[DayKey, list[Payment]](
        DayKey, list[Payment], default=[], docs="A day's payments, operator by operator."
    )
    vested = frame.StorageMap[int, int](
        U32, Balance, default=0, docs="Reward B that accrued in a task, planck."
    )
    vested_own = frame.StorageMap[int, int](
        U32, Balance, default=0, docs="The part of it that the task's own budget paid, planck."
    )
    bounty_results = frame.StorageMap[int, BountyResult](
        U32, BountyResult, docs="What a completed task's bounty was paid from."
    )
    best = frame.StorageMap[int, Best](U32, Best, docs="First rank of the last ranked day.")
    counted = frame.StorageMap[int, bool](
        U32, bool, default=False, docs="Tasks in which a submission ever had a counted score."
    )
    # work
    jobs = frame.StorageValue[list[Job]](list[Job], default=[], docs="Work that waits.")
    cursor = frame.StorageValue[Cursor](Cursor, docs="Work in progress.")
    roll_work = frame.StorageValue[RollWork](RollWork, docs="Rolls that are still to be made.")
    gathering = frame.StorageValue[Gathering](Gathering, docs="The roster that is being made.")
    originals = frame.StorageValue[list[Original]](
        list[Original], default=[], docs="What behaviours are compared with, while they are."
    )
    unpaid = frame.StorageValue[list[Part]](
        list[Part], default=[], docs="What is left to be paid of a payment that was begun."
    )
    expiring = frame.StorageMap[int, list[DayKey]](
        U32, list[DayKey], default=[], docs="Which records are dropped on a day."
    )
    expired = frame.StorageValue[list[DayKey]](
        list[DayKey], default=[], docs="Days whose records are being dropped."
    )

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        currency: Currency,
        block: BlockInfo,
        randomness: Randomness,
        tasks: TaskBook,
        stakes: Stakes,
        emission: EmissionSource,
        models: ModelRegistry,
        alliance: AllianceStakes | None = None,
        hosts: HostRewards | None = None,
    ) -> None:
        super().__init__(ext, config)
        self.currency = currency
        self.block = block
        self.randomness = randomness
        self.tasks = tasks
        self.stakes = stakes
        self.emission = emission
        self.models = models
        self.alliance = NoAlliance() if alliance is None else alliance
        self.hosts = NoHosts() if hosts is None else hosts

    def today(self) -> int:
        """The current day."""
        return self.config.calendar.day_of(self.block.block_number())

    def ensure_window(self, start: int, end: int) -> None:
        """Raises OutsideWindow unless the block's offset in the day lies in [start, end)."""
        position = self.config.calendar.position_of(self.block.block_number())
        if not start <= position < end:
            raise OutsideWindow

    def can_open_models(self, who: AccountId, day: int) -> bool:
        """Whether a validator can be handed models on a day.

        Its first sealing key must have come before the day's reveal window: who could still choose
        then would choose between two draws.
        """
        found, calendar = self.sealing_keys.find(who), self.config.calendar
        return found is not None and found.since < calendar.first_block(day) + calendar.submit_end

    def first_blind_day(self, key: DayKey) -> int:
        """From which day on aliases are still to be opened: today, at a task's end the day before.

        What is revealed on the last day but one is opened when it is scored a second time, so that
        the day that pays most is blind as well.
        """
        return key.day - (key.day == self.tasks.get_task(key.task).final_day())

    def active_task(self, task: int) -> Task:
        """The record of a task that runs today. Raises TaskNotActive."""
        found = self.tasks.get_task(task)
        if found.status is not TaskStatus.ACTIVE or not found.is_on(self.today()):
            raise TaskNotActive
        return found
