"""Rounds: when one opens, how it goes from stage to stage, and when the task ends instead.

A timed stage ends in the first block in which everybody has acted or its window is over, whatever
the block's budget; the chain's own work in between takes as many blocks as it needs.
Invariant: who may be drawn follows from the turn in which the count began, however long it takes.
Source: WP Fig. 5; WP Algorithm 1 (main loop), WP VI.B; WP Algorithm 2 (TotalRounds).
"""

from __future__ import annotations

from dataclasses import replace

from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.aggregation import Aggregations
from runtime.pallets.fl_alliance.draw import Draw
from runtime.pallets.fl_alliance.ending import Ending
from runtime.pallets.fl_alliance.masking import Masking
from runtime.pallets.fl_alliance.proposals import Proposals
from runtime.pallets.fl_alliance.records import (
    AllianceTask,
    DayPlan,
    PartialDraw,
    Progress,
    Round,
    RoundKey,
    Run,
)
from runtime.pallets.fl_alliance.settlement import Settlement
from runtime.pallets.fl_alliance.stages import EndReason, Stage, VoidReason
from runtime.pallets.fl_alliance.storage import FlAlliance
from runtime.pallets.fl_alliance.terms import Mode
from runtime.pallets.fl_alliance.turns import Turns


class Rounds:
    """The machine that every live task goes through."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance
        self.draw = Draw(alliance)
        self.proposals = Proposals(alliance)
        self.aggregations = Aggregations(alliance)
        self.masking = Masking(alliance)
        self.settlement = Settlement(alliance)
        self.ending = Ending(alliance)
        self.turns = Turns(alliance)

    def advance(self, task: int, budget: int) -> int:
        """Go on with a task's round as far as block and budget allow; the steps used."""
        alliance, number, used = self.alliance, self.alliance.block.block_number(), 0
        while (progress := alliance.progress.find(task)) is not None:
            if progress.stage.is_timed():
                if number < progress.until and progress.done < progress.due:
                    break
                used += self._close(task, progress)
            elif progress.stage is Stage.IDLE:
                used += 1
                if not self._begin(task, number):
                    break
            elif used >= budget:
                break
            else:
                used += self._work(task, progress, budget - used)
        return used

    def _work(self, task: int, progress: Progress, budget: int) -> int:
        """Do a part of the stage's work; the steps used."""
        alliance = self.alliance
        match progress.stage:
            case Stage.COUNT:
                return self._count(task, progress, budget)
            case Stage.DRAW:
                return self.draw.work(task, progress, budget)
            case Stage.WEIGH:
                used = self.proposals.weigh(task, progress)
                if alliance.get_task(task).terms.mode is not Mode.OPEN:
                    self.aggregations.begin(alliance.key_of(task))
                return used
            case Stage.TALLY:
                return self._tally(task, progress)
            case Stage.PAY:
                return self.settlement.pay(task, progress, budget)
            case Stage.ABSENT:
                return self.settlement.slash_absent(task, progress, budget)
            case Stage.CLEAN:
                return self.ending.clean(task, budget)
            case other:
                raise AssertionError(f"task {task} works in stage {other}")

    def _tally(self, task: int, progress: Progress) -> int:
        """Decide the round, unless another aggregator takes over; the steps used."""
        is_summed = self.alliance.get_task(task).terms.mode is not Mode.OPEN
        if is_summed and progress.void is None:
            used = self.aggregations.replace_who_withheld(self.alliance.key_of(task))
            if used:
                return used
        return self.settlement.tally(task, progress)

    # -- from stage to stage

    def _close(self, task: int, progress: Progress) -> int:
        """End a timed stage and begin what follows; the steps used."""
        alliance = self.alliance
        key = alliance.key_of(task)
        match progress.stage:
            case Stage.CHECK_IN:
                alliance.draws.put(task, PartialDraw([]))
                alliance.progress.put(task, Progress(Stage.DRAW))
            case Stage.SHARE:
                self.masking.close_shares(key)
            case Stage.UNMASK:
                return self.masking.close_unmasking(key)
            case Stage.PROPOSE if self.masking.is_missed(task, progress):
                void = Progress(Stage.TALLY, void=VoidReason.NOT_SEALED)
                alliance.progress.put(task, void)
            case Stage.PROPOSE if progress.done:
                alliance.begin_stage(key, Stage.DISCLOSE, progress.done)
            case Stage.DISCLOSE if progress.done:
                voters = len(alliance.rounds.get(key).voters)
                alliance.begin_stage(key, Stage.REPORT, voters, progress.mask)
            case Stage.PROPOSE | Stage.DISCLOSE:
                void = Progress(Stage.TALLY, void=VoidReason.NO_PROPOSAL)
                alliance.progress.put(task, void)
            case Stage.REPORT:
                alliance.progress.put(task, Progress(Stage.WEIGH, mask=progress.mask))
            case Stage.AGGREGATE:
                return self.aggregations.close(key, progress)
            case Stage.VOTE:
                alliance.begin_stage(key, Stage.OPEN, progress.done, progress.mask)
            case Stage.OPEN:
                alliance.progress.put(task, Progress(Stage.TALLY))
            case other:
                raise AssertionError(f"task {task} waits in stage {other}")
        return 1

    # -- opening

    def _begin(self, task: int, number: int) -> bool:
        """End the task, or begin to count who may be drawn; False if it waits."""
        alliance, turn = self.alliance, self.turns.now()
        found, run = alliance.get_task(task), alliance.runs.get(task)
        reason = self._find_end(found, run, number)
        if reason is not None:
            self.ending.end(task, reason)
            return False
        if run.paused_at is not None and run.counted_turn == turn.count:
            return False  # nobody can have come since
        fresh = Round(
            turn.count,
            turn.epoch,
            turn.randomness,
            number,
            *(0, 0, 0),
            alliance.parameters.get().absence_slash,
            run.model,
            *([], [], []),
        )
        alliance.rounds.put(RoundKey(task, run.opened), fresh)
        alliance.progress.put(task, Progress(Stage.COUNT))
        return True

    def _find_end(self, found: AllianceTask, run: Run, number: int) -> EndReason | None:
        config = self.alliance.config
        if run.opened >= found.terms.rounds:
            return EndReason.ALL_ROUNDS
        if number >= found.ends_at:
            return EndReason.LIFETIME
        pause_blocks = config.pause_days * config.calendar.day_blocks
        if run.paused_at is not None and number >= run.paused_at + pause_blocks:
            return EndReason.PAUSED_TOO_LONG
        return None

    def _count(self, task: int, progress: Progress, budget: int) -> int:
        """Count candidates; open the round if there are enough, else pause the task."""
        alliance, key = self.alliance, self.alliance.key_of(task)
        run, fresh = alliance.runs.get(task), alliance.rounds.get(key)
        end, due = min(progress.cursor + budget, run.joined), progress.due
        for place in range(progress.cursor, end):
            who = alliance.roster.find((task, place))
            if who is not None:
                due += alliance.members.get((task, who)).is_candidate(fresh.turn)
        used = 1 + end - progress.cursor
        if end < run.joined:
            alliance.progress.put(task, replace(progress, cursor=end, due=due))
        elif due >= alliance.get_task(task).members_min:
            self._open(key, replace(fresh, members=due))
        else:
            self._pause(key, run, fresh.turn, due)
        return used

    def _pause(self, key: RoundKey, run: Run, turn: int, members: int) -> None:
        alliance, number = self.alliance, self.alliance.block.block_number()
        alliance.rounds.remove(key)
        if run.paused_at is None:
            needed = alliance.get_task(key.task).members_min
            alliance.deposit_event(events.TaskPaused(key.task, members, needed))
        since = number if run.paused_at is None else run.paused_at
        alliance.runs.put(key.task, replace(run, paused_at=since, counted_turn=turn))
        alliance.progress.put(key.task, Progress(Stage.IDLE))

    def _open(self, key: RoundKey, fresh: Round) -> None:
        """Count the round among the day's, and ask for proofs. Emits RoundOpened."""
        alliance, number = self.alliance, self.alliance.block.block_number()
        run = alliance.runs.get(key.task)
        plan = self._plan(alliance.get_task(key.task), run)
        opened = replace(
            fresh, opened_at=number, day=plan.day, part=plan.opened, planned=plan.planned
        )
        alliance.rounds.put(key, opened)
        alliance.runs.put(
            key.task,
            replace(
                run,
                paused_at=None,
                plan=replace(plan, opened=plan.opened + 1),
                opened=run.opened + 1,
            ),
        )
        alliance.deposit_event(
            events.RoundOpened(key.task, key.round, fresh.epoch, fresh.seed, fresh.members)
        )
        alliance.begin_stage(key, Stage.CHECK_IN, fresh.members)

    def _plan(self, found: AllianceTask, run: Run) -> DayPlan:
        """Today's rounds: as many as fit into the day if each takes all its time, and are left."""
        today = self.alliance.today()
        if run.plan is not None and run.plan.day == today:
            return run.plan
        day_blocks = self.alliance.config.calendar.day_blocks
        fitting = max(day_blocks // found.terms.windows.total(), 1)
        return DayPlan(today, min(fitting, found.terms.rounds - run.opened), 0)
