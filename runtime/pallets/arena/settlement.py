"""The settlement of a task's day: consensus scores, slashes of the silent, and the way to payout.

Each step scores one submission or judges one validator; the cursor in the state carries what was
summed so far. Invariant: the result does not depend on how the steps fall into blocks.
Source: WP V.E (aggregation), WP V.F (distances), WP III.A.3 (slashes).
"""

from __future__ import annotations

from dataclasses import replace

from runtime.economy.parameters import SCORE_MAX, ArenaParameters
from runtime.pallets.arena import alias_events, events
from runtime.pallets.arena.ballots import scores_of, unscored_weight
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
from runtime.pallets.arena.shares import validator_shares
from runtime.pallets.arena.storage import Arena, pot_of
from runtime.pallets.arena.wrong_data import WrongDataVote
from runtime.primitives.types import AccountId

BALLOTS_PER_STEP = 8  # an exponential of 16 us each and the sums


class Settlement:
    """Works through a task's day, phase by phase."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.rewards = Rewards(arena)
        self.held = HeldDay(arena)
        self.payout = Payout(arena)
        self.duplicates = Duplicates(arena)
        self.wrong_data = WrongDataVote(arena)

    def step(self, cursor: Cursor, budget: int) -> tuple[Cursor, int]:
        """Do one phase of the first task, or as much of it as the budget allows."""
        assert cursor.job.kind is JobKind.SETTLE
        key = DayKey(cursor.tasks[0], cursor.job.day)
        match cursor.phase:
            case Phase.START:
                if self.held.find(key) is None:
                    return self._start(key, cursor)
                return replace(cursor, phase=Phase.COMPARE_HELD, index=0), 1
            case Phase.COMPARE_HELD:
                return self._plan_held(key, cursor, budget)
            case Phase.HELD:
                return self._pay_held(key, cursor, budget)
            case Phase.SCORE:
                return self._score(key, cursor, budget)
            case Phase.COMPARE:
                return self.duplicates.step(key, cursor, budget)
            case Phase.SLASH:
                return self._slash(key, cursor, budget)
            case Phase.PAY:
                index, is_done, used = self.payout.pay(key, cursor.index, budget)
                phase = Phase.FINISH if is_done else Phase.PAY
                return replace(cursor, phase=phase, index=index), used
            case Phase.FINISH:
                return self.payout.finish(key, cursor)

    def _start(self, key: DayKey, cursor: Cursor) -> tuple[Cursor, int]:
        """Begin with the day's scores, unless its data was wrong."""
        roster = self._roster(key)
        is_void, used = self.wrong_data.decide(key, roster)
        phase = Phase.SLASH if is_void else Phase.SCORE
        shares = [0] * len(roster.jurors)
        return replace(cursor, phase=phase, index=0, shares=shares), 1 + used

    def _plan_held(self, key: DayKey, cursor: Cursor, budget: int) -> tuple[Cursor, int]:
        """Find copies among the day before, whose owners are known now; then rank and fund it."""
        held, used = DayKey(key.task, key.day - 1), 0
        if self.arena.tasks.get_task(key.task).terms.duplicate_distance is not None:
            compared, used = self.duplicates.step(held, cursor, budget)
            if compared.phase is Phase.COMPARE_HELD:
                return compared, used
        index, steps = self.held.plan(held)
        return replace(cursor, phase=Phase.HELD, index=index), used + steps

    def _pay_held(self, key: DayKey, cursor: Cursor, budget: int) -> tuple[Cursor, int]:
        """Pay the nodes of the day before, then begin with the day. Emits HeldSettled."""
        held = DayKey(key.task, key.day - 1)
        index, is_done, used = self.payout.pay(held, cursor.index, budget)
        if not is_done:
            return replace(cursor, index=index), used
        self.arena.deposit_event(alias_events.HeldSettled(held.task, held.day))
        started, steps = self._start(key, cursor)
        return started, used + steps

    def _roster(self, key: DayKey) -> Roster:
        return self.arena.rosters.get(key)

    # -- consensus

    def _score(self, key: DayKey, cursor: Cursor, budget: int) -> tuple[Cursor, int]:
        roster = self._roster(key)
        parameters = self.arena.tasks.parameters_on(key.day)
        terms = self.arena.tasks.get_task(key.task).terms
        compares = terms.duplicate_distance is not None
        # Of a day that is held owners are not known yet: it compares when they are.
        waits = self.held.must_wait(key, roster)
        places = {juror.account: index for index, juror in enumerate(roster.jurors)}
        shares, index, scored, used = list(cursor.shares), cursor.index, cursor.scored, 0
        while index < len(roster.entries) and used < budget:
            entry = roster.entries[index]
            ballots = self.arena.ballots.get((key, entry.submission))
            earned = self._score_one(key, entry, ballots, parameters)
            for account, share in earned:
                shares[places[account]] += share
            if compares and earned:
                self.duplicates.note(key, entry, ballots)
            scored += bool(earned)
            index += 1
            used += 1 + len(ballots) // BALLOTS_PER_STEP
        phase = Phase.SCORE
        if index == len(roster.entries):
            phase, index = Phase.COMPARE if compares and not waits else Phase.SLASH, 0
        return replace(cursor, phase=phase, index=index, shares=shares, scored=scored), used + 1

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

    # -- those who did not do their duty

    def _slash(self, key: DayKey, cursor: Cursor, budget: int) -> tuple[Cursor, int]:
        """Slash drawn validators without a sealed, or without an opened, sheet; then plan."""
        arena, roster = self.arena, self._roster(key)
        jurors = roster.jurors if roster.entries else []  # nothing to score, nothing to judge
        parameters = arena.tasks.parameters_on(key.day)
        index, slashed, used = cursor.index, cursor.slashed, 0
        while index < len(jurors) and used < budget:
            who = jurors[index].account
            sealed = arena.score_seals.find((key, who))
            is_drawn = not roster.seats or arena.assignments.contains((key, who))
            if is_drawn and (sealed is None or not sealed.is_revealed):
                rate = parameters.no_commit_slash if sealed is None else parameters.no_reveal_slash
                slashed += arena.stakes.slash(key.task, who, rate, pot_of(key.task))
                used += 4 + arena.stakes.backers_of(key.task, who)
            index += 1
            used += 1
        if index < len(jurors):
            return replace(cursor, index=index, slashed=slashed), used
        self.rewards.plan(key, replace(cursor, slashed=slashed))
        used += 1 + len(roster.entries) // 4 + len(roster.jurors) // 8
        return replace(cursor, phase=Phase.PAY, index=0, slashed=0), used
