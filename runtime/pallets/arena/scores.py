"""Score sheets: sealed by the drawn validators, then opened, so that nobody can copy a score.

Invariant: a sheet has exactly one verdict for each submission that its validator must score.
Source: WP V.D (validation), WP V.F (validators are paid by closeness), Table I.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from runtime.economy.parameters import SCORE_MAX, ArenaParameters
from runtime.economy.tasks import Role, Task
from runtime.pallets.arena import events
from runtime.pallets.arena.ballots import SCORED
from runtime.pallets.arena.records import (
    Ballot,
    DayKey,
    Fingerprinted,
    GivenScore,
    Roster,
    ScoreSeal,
    Verdict,
    WrongData,
)
from runtime.pallets.arena.seals import seal_scores
from runtime.pallets.arena.storage import Arena
from runtime.pallets.arena.wrong_data import WrongDataVote
from runtime.primitives.rational import Rational
from runtime.primitives.scale import codec_of
from runtime.primitives.scale.compact import compact_bytes, decode_compact
from runtime.primitives.types import AccountId, Hash

_BALLOT: Final = codec_of(Ballot)


class Scores:
    """Commit and reveal of score sheets."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def commit(self, who: AccountId, task: int, seal: Hash) -> None:
        """Seal today's sheet. Emits ScoresCommitted."""
        arena, calendar = self.arena, self.arena.config.calendar
        found = arena.active_task(task)
        arena.ensure_window(calendar.reveal_end, calendar.commit_end)
        key = DayKey(task, arena.today())
        if not self._must_score(key, found, who):
            raise events.NotDrawn
        if arena.score_seals.contains((key, who)):
            raise events.AlreadyCommitted
        arena.score_seals.put((key, who), ScoreSeal(seal))
        arena.deposit_event(events.ScoresCommitted(task, key.day, who))

    def reveal(self, who: AccountId, task: int, scores: Sequence[GivenScore], salt: bytes) -> None:
        """Open today's sheet. Emits ScoresRevealed. Cost: a write a verdict."""
        arena, calendar = self.arena, self.arena.config.calendar
        found = arena.active_task(task)
        arena.ensure_window(calendar.commit_end, calendar.score_reveal_end)
        key = DayKey(task, arena.today())
        sealed = arena.score_seals.find((key, who))
        if sealed is None:
            raise events.NothingCommitted
        if sealed.is_revealed:
            raise events.AlreadyRevealed
        if seal_scores(arena.block.genesis_hash(), task, key.day, who, scores, salt) != sealed.seal:
            raise events.WrongSeal
        weights = self.weights_of(key, who)
        if [given.submission for given in scores] != list(weights):
            raise events.WrongSheet
        for given in scores:
            _ensure_valid(given.verdict, found, key.day)
        arena.score_seals.put((key, who), replace(sealed, is_revealed=True))
        for given in scores:
            ballot = Ballot(who, weights[given.submission], given.verdict)
            self._append(key, given.submission, ballot)
        WrongDataVote(arena).count(key, scores, weights)
        arena.deposit_event(events.ScoresRevealed(task, key.day, who, len(scores)))

    def _append(self, key: DayKey, submission: int, ballot: Ballot) -> None:
        """Add a ballot behind the others, which are not decoded: a sheet may have a thousand."""
        arena = self.arena
        path = arena.ballots.path((key, submission))
        before = arena.ext.get(path) or b"\0"
        count, start = decode_compact(before, 0)
        arena.ext.put(path, compact_bytes(count + 1) + before[start:] + _BALLOT.encode(ballot))

    def _must_score(self, key: DayKey, task: Task, who: AccountId) -> bool:
        """Whether `weights_of` names anything, without reading a whole roster."""
        arena = self.arena
        seats = arena.drawn.find(key)
        if seats is None:
            return False
        if seats:
            return arena.assignments.contains((key, who))
        return self.is_juror(key, task, who)

    def is_juror(self, key: DayKey, task: Task, who: AccountId) -> bool:
        """Whether `who` scores all that a task without committees has that day."""
        stake = self.arena.stakes.stake_of(key.task, who, key.day)
        return (
            stake is not None
            and stake.role is Role.TASK_VALIDATOR
            and stake.total > 0
            and stake.hardware.fits(task.terms.hardware)
            and self.arena.can_open_models(who, key.day)
        )

    def penalty_of(
        self, key: DayKey, roster: Roster, who: AccountId, rules: ArenaParameters
    ) -> Rational | None:
        """What part of its stake a juror loses; None if it opened its sheet or was not drawn."""
        arena = self.arena
        if roster.seats and not arena.assignments.contains((key, who)):
            return None  # not drawn
        sealed = arena.score_seals.find((key, who))
        if sealed is None:
            return rules.no_commit_slash
        return None if sealed.is_revealed else rules.no_reveal_slash

    def weights_of(self, key: DayKey, who: AccountId) -> dict[int, int]:
        """What `who` must score that day and with what weight, by submission, ascending.

        Seats; in a task without committees every validator scores everything by its stake. Empty
        while the draw is not finished.
        """
        seats = self.arena.drawn.find(key)
        if seats is None:
            return {}
        if seats == 0:
            return weights_by_stake(self.arena.rosters.get(key), who)
        assigned = self.arena.assignments.get((key, who))
        return {assignment.submission: assignment.seats for assignment in assigned}


def _ensure_valid(verdict: Verdict, task: Task, day: int) -> None:
    """Raises ScoreTooHigh, WrongFingerprint, NotTheFinalDay."""
    if isinstance(verdict, SCORED):
        if verdict.value > SCORE_MAX:
            raise events.ScoreTooHigh
        is_due = verdict.value > 0 and task.terms.duplicate_distance is not None
        if isinstance(verdict, Fingerprinted) != is_due:
            raise events.WrongFingerprint
    if isinstance(verdict, WrongData) and day != task.final_day():
        raise events.NotTheFinalDay


def weights_by_stake(roster: Roster, who: AccountId) -> dict[int, int]:
    """Every submission by number with the validator's stake as weight."""
    stake = next((juror.stake for juror in roster.jurors if juror.account == who), 0)
    if not stake:
        return {}
    return dict.fromkeys(sorted(entry.submission for entry in roster.entries), stake)
