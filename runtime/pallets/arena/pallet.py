"""The AI Arena: calls of nodes and validators, and the work that every day brings.

Draws and settlements are jobs that wait in one queue; each block goes on with the first of them for
so many steps. A settlement that has not ended when the next day's submit window does is ended in
that block, whatever it takes: exactness before block time.

Source: WP V (FLock consensus in AI Arena), WP Fig. 3.
"""

from __future__ import annotations

from functools import cached_property

from runtime import frame
from runtime.economy.tasks import ContentDigest
from runtime.frame.weights import Weight
from runtime.pallets.arena.draw import Draw
from runtime.pallets.arena.key_calls import KeyCalls
from runtime.pallets.arena.records import (
    Cursor,
    Job,
    JobKind,
    Phase,
    ScoreSheet,
    SubmittedModel,
    next_task,
)
from runtime.pallets.arena.scores import Scores
from runtime.pallets.arena.settlement import Settlement
from runtime.pallets.arena.submissions import Submissions
from runtime.pallets.arena.views import Views
from runtime.primitives.types import U32, U64, BlockNumber, Bytes32, Hash

COMMIT = Weight(150_000_000)
REVEAL = Weight(300_000_000)
VERDICT = Weight(40_000_000)
STEP = Weight(250_000_000)
BLOCK = Weight(20_000_000)


class Arena(KeyCalls, index=33):
    @cached_property
    def submitting(self) -> Submissions:
        """Commit and reveal of models."""
        return Submissions(self)

    @cached_property
    def drawing(self) -> Draw:
        """The beacon and the committees."""
        return Draw(self)

    @cached_property
    def scoring(self) -> Scores:
        """Commit and reveal of score sheets."""
        return Scores(self)

    @cached_property
    def settling(self) -> Settlement:
        """The day's settlement."""
        return Settlement(self)

    @cached_property
    def views(self) -> Views:
        """What may be asked."""
        return Views(self)

    # -- calls

    @frame.call(0, weight=COMMIT)
    def commit_submission(self, origin: frame.Origin, task: U32, seal: Hash) -> None:
        """Seal a model in the submit window. Signed by a training node of the task.

        `seal` is `seals.seal_submission`. Emits SubmissionCommitted. Raises OutsideWindow,
        TaskNotActive, SubmissionsFrozen, NotANode, QuotaUsed, DuplicateSeal.
        """
        self.submitting.commit(frame.ensure_signed(origin), task, seal)

    @frame.call(1, weight=REVEAL)
    def reveal_submission(
        self,
        origin: frame.Origin,
        task: U32,
        content: ContentDigest,
        ciphertext: ContentDigest,
        size: U64,
        salt: Bytes32,
    ) -> None:
        """Open a model sealed today, in the reveal window. Signed by who sealed it.

        `content` is its content id in plain, `ciphertext` the blob of `size` bytes that peers have.
        Emits SubmissionRevealed. Raises OutsideWindow, SubmissionsFrozen, NoSuchSeal,
        AlreadyRevealed, BadSize.
        """
        model = SubmittedModel(content, ciphertext, size)
        self.submitting.reveal(frame.ensure_signed(origin), task, model, salt)

    @frame.call(2, weight=COMMIT)
    def commit_scores(self, origin: frame.Origin, task: U32, seal: Hash) -> None:
        """Seal today's score sheet. Signed by a drawn task validator.

        `seal` is `seals.seal_scores`. Emits ScoresCommitted. Raises OutsideWindow, NotDrawn,
        AlreadyCommitted.
        """
        self.scoring.commit(frame.ensure_signed(origin), task, seal)

    @frame.call(
        3, weight=lambda task, scores, salt: Weight(REVEAL.ref_time) + VERDICT.times(len(scores))
    )
    def reveal_scores(
        self,
        origin: frame.Origin,
        task: U32,
        scores: ScoreSheet,
        salt: Bytes32,
    ) -> None:
        """Open today's score sheet. Signed by who sealed it.

        Emits ScoresRevealed. Raises OutsideWindow, NothingCommitted, AlreadyRevealed, WrongSeal,
        WrongSheet, ScoreTooHigh, WrongFingerprint, NotTheFinalDay.
        """
        self.scoring.reveal(frame.ensure_signed(origin), task, scores, salt)

    # -- hooks

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Allot the day's emission, keep the beacon, queue the day's work, and go on with it."""
        calendar, steps = self.config.calendar, 0
        day, position = calendar.day_of(number), calendar.position_of(number)
        if position == 0:  # day 0 has no block of this kind, and no tasks
            steps = self._allot(day)
        if calendar.submit_end <= position < calendar.reveal_end:
            self.drawing.record_beacon(number)
        if position == calendar.reveal_end:
            self.jobs.put([*self.jobs.get(), Job(JobKind.DRAW, day)])
        if position == calendar.alias_end:
            self.jobs.put([*self.jobs.get(), Job(JobKind.SETTLE, day)])
        return BLOCK + STEP.times(steps + self._work(day, position))

    def _is_late(self, cursor: Cursor | None, day: int, position: int) -> bool:
        """Whether yesterday's work must end now: the ledger knows stakes of two days only."""
        return (
            cursor is not None
            and cursor.job.day < day
            and position >= self.config.calendar.submit_end
        )

    def _work(self, day: int, position: int) -> int:
        """Go on with the jobs for a block's steps; the steps used, one phase's more at most."""
        budget, used = self.config.steps_per_block, 0
        cursor = self.cursor.find()
        while used < budget or self._is_late(cursor, day, position):
            if cursor is None:
                jobs = self.jobs.get()
                if not jobs:
                    break
                self.jobs.put(jobs[1:])
                cursor, steps = self._begin(jobs[0])
            elif not cursor.tasks:
                cursor, steps = None, 0
            elif not self.tasks.get_task(cursor.tasks[0]).status.is_live():
                cursor, steps = next_task(cursor), 1  # cancelled: nobody submitted anything
            elif cursor.job.kind is JobKind.DRAW:
                cursor, steps = self.drawing.step(cursor, max(budget - used, 1))
            else:
                cursor, steps = self.settling.step(cursor, max(budget - used, 1))
            used += steps
        if used or cursor is not None:
            self._keep(cursor)
        return used

    def _begin(self, job: Job) -> tuple[Cursor, int]:
        tasks, steps = self.tasks.tasks_on(job.day), 1
        if job.kind is JobKind.SETTLE:
            steps += self._forget_expired(job.day) // 4
        return Cursor(job, tasks, Phase.START, 0, [], 0, 0), steps

    def _allot(self, day: int) -> int:
        """Divide the day's emission by the stakes at its start; the steps used."""
        tasks = self.tasks.tasks_on(day)
        verified = [task for task in tasks if self.tasks.get_task(task).is_verified_on(day)]
        alliance = self.alliance.verified_stakes(day)
        self.emission.allot(
            day, [(task, self.stakes.task_stake(task, day)) for task in verified], alliance
        )
        return len(tasks) + len(alliance) // 4

    def _forget_expired(self, day: int) -> int:
        expired = self.expiring.get(day)
        self.expiring.remove(day)
        return sum(self.settling.payout.forget(key) for key in expired)

    def _keep(self, cursor: Cursor | None) -> None:
        if cursor is None:
            self.cursor.remove()
        else:
            self.cursor.put(cursor)
