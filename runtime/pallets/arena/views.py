"""What workers, users and the RPC ask of the arena: read-only, off the block path.

Source: WP V.D (what a validator must score), WP V.E to V.I (rankings and rewards).
"""

from __future__ import annotations

from runtime import frame
from runtime.economy.tasks import ContentDigest, Task
from runtime.pallets.arena.records import (
    Ballot,
    Behaviour,
    DayKey,
    DayResult,
    Payment,
    RankedNode,
    SubmissionResult,
)
from runtime.pallets.arena.scores import Scores
from runtime.pallets.arena.storage import Arena
from runtime.primitives.types import U32, U64, U128, AccountId, Balance, Bytes32


@frame.scale_type
class TaskInfo:
    """A task and where it stands today. `vested`: Reward B so far, `bounty`: on top; planck."""

    task: U32
    record: Task
    today: U32
    submissions: U32
    standing: U32
    vested: Balance
    bounty: Balance


@frame.scale_type
class ToScore:
    """A submission that a validator must score, in the order of its score sheet.

    `ciphertext` of `size_bytes` is fetched, and opened with the key that its owner sealed; what
    comes out must have the content id `content`.
    """

    submission: U32
    content: ContentDigest
    ciphertext: ContentDigest
    size_bytes: U64
    weight: U128


@frame.scale_type
class Recipient:
    """A validator that must score a submission, and where its owner seals the model's key to.

    `has_key`: whether the owner did, and need not again today.
    """

    validator: AccountId
    sealing_key: Bytes32
    has_key: bool


@frame.scale_type
class DayReport:
    """A settled day with everything its payments were made from."""

    result: DayResult
    payments: list[Payment]


@frame.scale_type
class ScoredSubmission:
    """A submission's consensus on a day and the ballots it was made from, by validator.

    `behaviour`: its fingerprint and what it copies, in tasks that compare.
    """

    result: SubmissionResult
    ballots: list[Ballot]
    behaviour: Behaviour | None


class Views:
    """Reads; cost is that of the records they return."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self._scores = Scores(arena)

    def task_info(self, task: int) -> TaskInfo | None:
        """A task; None if there is none of this number."""
        arena = self.arena
        try:
            record = arena.tasks.get_task(task)
        except frame.ModuleError:
            return None
        standing = sum(1 for _ in arena.standing.items_of(task))
        return TaskInfo(
            task,
            record,
            arena.today(),
            arena.next_submission.get(task),
            standing,
            arena.vested.get(task),
            sum(each.amount for each in arena.tasks.contributions_of(task)),
        )

    def live_tasks(self) -> list[TaskInfo]:
        """Today's tasks."""
        infos = (self.task_info(task) for task in self.arena.tasks.tasks_on(self.arena.today()))
        return [info for info in infos if info is not None]

    def leaderboard(self, task: int, day: int) -> list[RankedNode]:
        """A settled day's ranking, the best first; empty if the day is not settled."""
        found = self.arena.day_results.find(DayKey(task, day))
        return [] if found is None else found.ranking

    def to_score(self, task: int, day: int, validator: AccountId) -> list[ToScore]:
        """What a validator must score on a day, ascending; empty before the draw."""
        arena = self.arena
        weights = self._scores.weights_of(DayKey(task, day), validator)
        made = ((number, arena.submissions.get((task, number))) for number in weights)
        return [
            ToScore(number, found.content, found.ciphertext, found.size_bytes, weights[number])
            for number, found in made
        ]

    def validators_of(self, task: int, day: int, submission: int) -> list[Recipient]:
        """To whom a submission's owner seals its key that day, by account; none before the draw."""
        arena, key = self.arena, DayKey(task, day)
        if not arena.drawn.contains(key):
            return []
        given = {box.validator for box in arena.model_keys.get((key, submission))}
        drawn = [
            juror.account
            for juror in arena.rosters.get(key).jurors
            if submission in self._scores.weights_of(key, juror.account)
        ]
        return [Recipient(who, arena.sealing_keys.get(who).key, who in given) for who in drawn]

    def model_key_for(
        self, task: int, day: int, submission: int, validator: AccountId
    ) -> bytes | None:
        """The box that the submission's owner sealed to a validator that day; None if none yet."""
        boxes = self.arena.model_keys.get((DayKey(task, day), submission))
        return next((each.box for each in boxes if each.validator == validator), None)

    def day_report(self, task: int, day: int) -> DayReport | None:
        """A settled day; None before its settlement and after its records were dropped."""
        key = DayKey(task, day)
        found = self.arena.day_results.find(key)
        return None if found is None else DayReport(found, self.arena.payments.get(key))

    def scored_submission(self, task: int, day: int, submission: int) -> ScoredSubmission | None:
        """A submission's consensus on a day; None if it has none."""
        place = (DayKey(task, day), submission)
        found = self.arena.results.find(place)
        if found is None:
            return None
        ballots = sorted(self.arena.ballots.get(place), key=lambda ballot: ballot.validator)
        return ScoredSubmission(found, ballots, self.arena.behaviours.find(place))
