"""Submissions: sealed by a training node, then revealed; the last one stands until replaced.

Invariant: a content id belongs to its earliest commitment; nobody else's copy is ever scored.
Source: WP V.B (rate limiting), WP V.C (training), Table I (blind validation, free riders).
"""

from __future__ import annotations

from dataclasses import replace

from runtime.economy.quota import rate_limit
from runtime.economy.tasks import Role
from runtime.pallets.arena import events
from runtime.pallets.arena.records import (
    Account,
    DaySeals,
    Submission,
    SubmissionSeal,
    SubmittedModel,
    Submitter,
)
from runtime.pallets.arena.seals import seal_submission
from runtime.pallets.arena.storage import Arena
from runtime.primitives.content_id import BLOB_BYTES_MAX
from runtime.primitives.types import AccountId, Hash


class Submissions:
    """Commit and reveal."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def commit(self, who: AccountId, task: int, seal: Hash) -> None:
        """Seal a submission. Emits SubmissionCommitted."""
        arena, calendar = self.arena, self.arena.config.calendar
        self._ensure_open(task)
        arena.ensure_window(0, calendar.submit_end)
        submitter = Account(who)
        seals = self._seals_of_today(task, submitter)
        if len(seals) >= self.daily_limit(task, who):
            raise events.QuotaUsed
        if any(known.seal == seal for known in seals):
            raise events.DuplicateSeal
        number = arena.next_submission.get(task)
        sealed = SubmissionSeal(number, seal, arena.block.block_number())
        arena.seals.put((task, submitter), DaySeals(arena.today(), [*seals, sealed]))
        arena.next_submission.put(task, number + 1)
        arena.deposit_event(events.SubmissionCommitted(task, number, submitter, seal))

    def reveal(self, who: AccountId, task: int, model: SubmittedModel, salt: bytes) -> None:
        """Open a submission of today; it replaces the node's former one. Emits SubmissionRevealed.

        A copy of what another committed earlier is taken but never scored.
        """
        arena, calendar = self.arena, self.arena.config.calendar
        self._ensure_open(task)
        arena.ensure_window(calendar.submit_end, calendar.reveal_end)
        if not 1 <= model.size_bytes <= BLOB_BYTES_MAX:
            raise events.BadSize
        submitter = Account(who)
        seals = self._seals_of_today(task, submitter)
        seal = seal_submission(arena.block.genesis_hash(), task, submitter, model, salt)
        index = next((at for at, known in enumerate(seals) if known.seal == seal), None)
        if index is None:
            raise events.NoSuchSeal
        found = seals[index]
        if found.is_revealed:
            raise events.AlreadyRevealed
        opened = [*seals[:index], replace(found, is_revealed=True), *seals[index + 1 :]]
        arena.seals.put((task, submitter), DaySeals(arena.today(), opened))
        self.enter(
            task,
            found.submission,
            Submission(
                submitter,
                who,
                model.content,
                model.ciphertext,
                model.size_bytes,
                found.block,
                arena.block.block_number(),
            ),
        )

    def enter(self, task: int, number: int, made: Submission) -> None:
        """Take a revealed submission; its owner's last one stands. Emits SubmissionRevealed."""
        arena = self.arena
        arena.submissions.put((task, number), made)
        first = arena.first_seen.find((task, made.content))
        if first is None or number < first:
            arena.first_seen.put((task, made.content), number)
        if made.owner is not None:
            self.let_stand(task, made.owner, number)
        arena.tasks.note_reveal(task)
        arena.deposit_event(
            events.SubmissionRevealed(
                task, number, made.submitter, made.content, made.ciphertext, made.size_bytes
            )
        )

    def let_stand(self, task: int, owner: AccountId, number: int) -> None:
        """Replace the owner's standing submission, unless it was committed later than this one."""
        before = self.arena.standing.find((task, owner))
        if before is None or before < number:  # reveals and openings come in any order
            self.arena.standing.put((task, owner), number)

    def daily_limit(self, task: int, who: AccountId) -> int:
        """How many submissions a day the node's stake allows. Raises NotANode."""
        arena = self.arena
        stake = arena.stakes.stake_of(task, who, arena.today())
        if stake is None or stake.role is not Role.TRAINING_NODE or not stake.total:
            raise events.NotANode
        config = arena.config
        return rate_limit(stake.limiting, config.node_stake, config.quota_base, config.quota_max)

    def _ensure_open(self, task: int) -> None:
        if self.arena.today() >= self.arena.active_task(task).final_day():
            raise events.SubmissionsFrozen

    def _seals_of_today(self, task: int, submitter: Submitter) -> list[SubmissionSeal]:
        found = self.arena.seals.find((task, submitter))
        return found.seals if found is not None and found.day == self.arena.today() else []
