"""The settlement of a task's day: consensus scores, slashes of the silent, and the way to payout.

Phase by phase, each piece by piece: a submission is scored, a validator judged, an alias given its
owner, a receiver paid. The day's plan is one piece; the cursor in the state carries what was summed
so far. All must be read as it was before the next day's reveal window: see `day_work`.
Invariant: the result does not depend on how the pieces fall into blocks.
Source: WP V.E (aggregation), WP V.F (distances), WP III.A.3 (slashes).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from runtime.economy.parameters import SCORE_MAX, ArenaParameters
from runtime.pallets.arena import alias_events, events
from runtime.pallets.arena.ballots import scores_of, unscored_weight
from runtime.pallets.arena.budget import Budget
from runtime.pallets.arena.consensus import ConsensusScore, consensus_score
from runtime.pallets.arena.cursor import Cursor, JobKind, Phase
from runtime.pallets.arena.duplicates import Duplicates
from runtime.pallets.arena.held import HeldDay
from runtime.pallets.arena.payout import Payout
from runtime.pallets.arena.records import (
    Ballot,
    DayKey,
    Roster,
    RosterEntry,
    SubmissionResult,
)
from runtime.pallets.arena.rewards import Rewards
from runtime.pallets.arena.scores import Scores
from runtime.pallets.arena.shares import pay_by_draws, validator_shares
from runtime.pallets.arena.standings import candidates_of
from runtime.pallets.arena.storage import SLASH_STEPS, Arena, pot_of
from runtime.pallets.arena.wrong_data import WrongDataVote
from runtime.primitives.types import AccountId

ENTRIES_PER_STEP: Final = 3  # of a roster that is read
SCORE_STEPS: Final = 5  # a submission without ballots: its result, and an event
BALLOT_STEPS: Final = 2  # an exponential and the sums
JUDGE_STEPS: Final = 2
PLAN_STEPS: Final = 20
PLAN_ENTRY_STEPS: Final = 4  # a score, a stake, a rank and a payment
PLAN_JUROR_STEPS: Final = 3


class Settlement:
    """Works through a task's day, phase by phase."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.rewards = Rewards(arena)
        self.held = HeldDay(arena)
        self.scoring = Scores(arena)
        self.payout = Payout(arena)
        self.duplicates = Duplicates(arena)
        self.wrong_data = WrongDataVote(arena)

    def step(self, cursor: Cursor, budget: Budget) -> Cursor:
        """Do the phase of the first task, or as much of it as the budget allows."""
        assert cursor.job.kind is JobKind.SETTLE
        key = DayKey(cursor.tasks[0], cursor.day())
        match cursor.phase:
            case Phase.START:
                return self._start(key, cursor, budget)
            case Phase.SCORE:
                return self._score(key, cursor, budget)
            case Phase.COMPARE:
                return self._compare(key, cursor, budget)
            case Phase.SLASH:
                return self._slash(key, cursor, budget)
            case Phase.RESOLVE:
                return self._resolve(key, cursor, budget)
            case Phase.PLAN:
                return self._plan(key, cursor, budget)
            case Phase.REMEMBER:
                return self.rewards.remember(key, cursor, budget)
            case Phase.COMPLETE:
                return self._complete(key, cursor, budget)
            case Phase.PAY:
                return self._pay(key, cursor, budget)
            case Phase.FINISH:
                return self.payout.finish(key, cursor, budget)
            case Phase.GATHER | Phase.DEAL:
                raise AssertionError(f"{cursor.phase} is a draw's")

    def _start(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        """Begin with the day before if its nodes wait, else with the scores if there are any."""
        arena = self.arena
        if self.held.find(key) is not None:
            if not budget.take(1):
                return cursor
            task = arena.tasks.get_task(key.task)
            compares = task.terms.duplicate_distance is not None
            return replace(cursor, is_held=True).at(Phase.COMPARE if compares else Phase.RESOLVE)
        roster = self._roster(key, budget)
        is_void = self.wrong_data.is_carried(key, roster)
        creator = arena.tasks.get_task(key.task).creator
        backers = arena.stakes.backers_of(key.task, creator) if is_void else 0
        if not budget.take(1 + SLASH_STEPS * backers):
            return cursor
        if is_void:
            arena.tasks.note_wrong_data(key.task)
        begun = replace(cursor, shares=[0] * len(roster.jurors))
        return begun.at(Phase.SLASH if is_void else Phase.SCORE)

    def _roster(self, key: DayKey, budget: Budget) -> Roster:
        roster = self.arena.rosters.get(key)
        budget.spend((len(roster.entries) + len(roster.jurors)) // ENTRIES_PER_STEP)
        return roster

    # -- consensus

    def _score(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        roster = self._roster(key, budget)
        parameters = self.arena.tasks.parameters_on(key.day)
        terms = self.arena.tasks.get_task(key.task).terms
        compares = terms.duplicate_distance is not None
        places = {juror.account: index for index, juror in enumerate(roster.jurors)}
        shares, index, scored = list(cursor.shares), cursor.index, cursor.scored
        while index < len(roster.entries):
            entry = roster.entries[index]
            ballots = self.arena.ballots.get((key, entry.submission))
            if not budget.take(SCORE_STEPS + BALLOT_STEPS * len(ballots)):
                break
            earned = self._score_one(key, entry, ballots, parameters)
            for account, share in earned:
                shares[places[account]] += share
            if compares and earned:
                self.duplicates.note(key, entry, ballots)
            scored += bool(earned)
            index += 1
        moved = replace(cursor, index=index, shares=shares, scored=scored)
        if index < len(roster.entries):
            return moved
        if roster.seats:
            moved = replace(moved, shares=pay_by_draws(shares, roster.jurors))
        # Of a day that is held owners are not known yet: it compares when they are.
        waits = self.held.must_wait(key, roster)
        return moved.at(Phase.COMPARE if compares and not waits else Phase.SLASH)

    def _score_one(
        self,
        key: DayKey,
        entry: RosterEntry,
        ballots: list[Ballot],
        parameters: ArenaParameters,
    ) -> list[tuple[AccountId, int]]:
        """Store a submission's consensus; what each validator that scored it earned, in 2^-128."""
        given = scores_of(ballots)
        pairs = [(weight, score) for _, weight, score in given]
        if 2 * unscored_weight(ballots) >= entry.dealt or not pairs:
            return []  # unscored: nobody could, or hardly anybody
        consensus = consensus_score(pairs, parameters.outlier_kappa, parameters.outlier_tolerance)
        assert consensus is not None, "ballots have weight"
        self._store(key, entry.submission, consensus)
        shares = validator_shares(
            pairs,
            consensus,
            parameters.distance_lambda,
            parameters.validator_alpha,
            SCORE_MAX,
        )
        return [(who, share) for (who, *_), share in zip(given, shares, strict=True)]

    def _store(self, key: DayKey, submission: int, consensus: ConsensusScore) -> None:
        arena = self.arena
        numerator, denominator = consensus.numerator, consensus.denominator
        arena.results.put(
            (key, submission), SubmissionResult(numerator, denominator, list(consensus.kept))
        )
        if not arena.counted.get(key.task):
            arena.counted.put(key.task, True)
        arena.deposit_event(
            events.SubmissionScored(key.task, key.day, submission, numerator, denominator)
        )

    def _compare(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        """Find copies. Those of a day that was held are found when its owners are known."""
        roster = self._roster(key, budget)
        moved = self.duplicates.step(key, roster, cursor, budget)
        if moved.index < len(roster.entries):
            return moved
        return moved.at(Phase.RESOLVE if cursor.is_held else Phase.SLASH)

    # -- those who did not do their duty

    def _slash(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        """Slash drawn validators without a sealed, or without an opened, sheet."""
        arena, roster = self.arena, self._roster(key, budget)
        jurors = roster.jurors if roster.entries else []  # nothing to score, nothing to judge
        parameters = arena.tasks.parameters_on(key.day)
        index, slashed = cursor.index, cursor.slashed
        while index < len(jurors):
            who = jurors[index].account
            rate = self.scoring.penalty_of(key, roster, who, parameters)
            backers = 0 if rate is None else arena.stakes.backers_of(key.task, who)
            if not budget.take(JUDGE_STEPS + SLASH_STEPS * backers):
                return replace(cursor, index=index, slashed=slashed)
            if rate is not None:
                slashed += arena.stakes.slash(key.task, who, rate, pot_of(key.task))
            index += 1
        return replace(cursor, slashed=slashed).at(Phase.RESOLVE)

    # -- ranking and money

    def _resolve(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        roster = self._roster(key, budget)
        moved = self.rewards.standings.resolve(key, roster, cursor, budget)
        return moved if moved.index < len(roster.entries) else moved.at(Phase.PLAN)

    def _plan(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        """Plan the day, or what of the day before was held, as one piece."""
        roster = self._roster(key, budget)
        if not budget.take(plan_steps(roster)):
            return cursor
        if cursor.is_held:
            return replace(cursor, paid=self.held.plan(key, roster)).at(Phase.REMEMBER)
        self.rewards.plan(key, roster, cursor)
        return replace(cursor, shares=[], slashed=0).at(Phase.REMEMBER)

    def _complete(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        """Plan what the whole task earned, as one piece."""
        roster = self._roster(key, budget)
        if not budget.take(plan_steps(roster)):
            return cursor
        self.rewards.complete(key, roster)
        return cursor.at(Phase.PAY)

    def _pay(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        """Pay; after the day before, begin with the day itself. Emits HeldSettled."""
        moved, is_done = self.payout.pay(key, cursor, budget)
        if not is_done:
            return moved
        if not cursor.is_held:
            return moved.at(Phase.FINISH)
        self.arena.deposit_event(alias_events.HeldSettled(key.task, key.day))
        return replace(moved, is_held=False, paid=0).at(Phase.START)


def plan_steps(roster: Roster) -> int:
    """The size of the piece that plans a day: of a node only one submission may be ranked."""
    entries, jurors = len(candidates_of(roster)), len(roster.jurors)
    return PLAN_STEPS + PLAN_ENTRY_STEPS * entries + PLAN_JUROR_STEPS * jurors
