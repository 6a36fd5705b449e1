"""The AI Arena: calls of nodes and validators, and the hook for the work that every day brings.

The hook takes at most `steps_per_block` steps of ten microseconds (`budget`) in a block, and what
the reading of one task's roster takes: a day of 1,000 nodes, 200 validators and 10,000 delegators
is drawn in about 5 blocks and settled in about 20, to the same state whatever the budget. Three
blocks may take more: one with a single piece that is larger (the slash of an operator with more
than 400 delegators), a day's first with hundreds of tasks, and the one in which a submit window
ends before the settlement of the day before has (`day_work`).
Source: WP V (FLock consensus in AI Arena), WP Fig. 3.
"""

from __future__ import annotations

from functools import cached_property

from runtime import frame
from runtime.economy.tasks import ContentDigest
from runtime.frame.weights import Weight
from runtime.pallets.arena import invariants
from runtime.pallets.arena.alias_calls import AliasCalls
from runtime.pallets.arena.day_work import DayWork
from runtime.pallets.arena.records import ScoreSheet, SubmittedModel
from runtime.pallets.arena.scores import Scores
from runtime.pallets.arena.submissions import Submissions
from runtime.pallets.arena.views import Views
from runtime.primitives.types import U32, U64, BlockNumber, Bytes32, Hash

COMMIT = Weight(150_000_000)
REVEAL = Weight(300_000_000)
VERDICT = Weight(40_000_000)
STEP = Weight(10_000_000)
BLOCK = Weight(20_000_000)


class Arena(AliasCalls, index=33):
    @cached_property
    def submitting(self) -> Submissions:
        """Commit and reveal of models."""
        return Submissions(self)

    @cached_property
    def scoring(self) -> Scores:
        """Commit and reveal of score sheets."""
        return Scores(self)

    @cached_property
    def working(self) -> DayWork:
        """Rolls, draws and settlements."""
        return DayWork(self)

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
        return BLOCK + STEP.times(self.working.on_block(number))

    def try_state(self) -> None:
        invariants.ensure_pots(self)
        invariants.ensure_keys(self)
        invariants.ensure_submissions(self)
