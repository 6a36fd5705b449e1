"""The arena's work of every block: emission, rolls, draws, settlements, and dropping what expired.

Draws and settlements are jobs that wait in one queue; each block goes on with the first of them as
far as its budget allows (`budget`). Rolls come before it all, since nobody submits under an alias
before; what is dropped comes last.
A day's job that has not ended when the next day's submit window does is ended in that block,
whatever it takes: exactness before block time. From that block on submissions are revealed, which
replace those that stand, and the ledger, which knows the stakes of three days, is two days from
forgetting those that the job pays by.
Source: WP Fig. 3 (the workflow of a task), WP V.H (the validation day).
"""

from __future__ import annotations

from typing import Final

from runtime.economy.tasks import Task
from runtime.pallets.arena.budget import Budget
from runtime.pallets.arena.cursor import Cursor, Job, JobKind, first_task, next_task
from runtime.pallets.arena.draw import OUTPUTS_PER_STEP, Draw
from runtime.pallets.arena.forgetting import Forgetting
from runtime.pallets.arena.rings import Rings
from runtime.pallets.arena.settlement import Settlement
from runtime.pallets.arena.storage import Arena

TASK_STEPS: Final = 20  # when a day begins: a record, stakes, and a part of the emission
JOB_STEPS: Final = 10


class DayWork:
    """Begins what a block's place in the day asks for, and goes on with what waits."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.rings = Rings(arena)
        self.drawing = Draw(arena)
        self.settling = Settlement(arena)
        self.forgetting = Forgetting(arena)

    def on_block(self, number: int) -> int:
        """The steps that the block's work took."""
        calendar = self.arena.config.calendar
        day, position = calendar.day_of(number), calendar.position_of(number)
        budget = Budget(self.arena.config.steps_per_block)
        if position == 0:
            self._begin_day(day, budget)
        if calendar.submit_end <= position < calendar.reveal_end:
            self.drawing.record_beacon(number)
        if position == calendar.reveal_end:
            self._queue(Job(JobKind.DRAW, day))
        if position == calendar.alias_end:
            self._queue(Job(JobKind.SETTLE, day))
        self.rings.step(budget, position)
        self._go_on(day, position, budget)
        self.forgetting.sweep(budget)
        return budget.used

    # -- the first block of a day

    def _begin_day(self, day: int, budget: Budget) -> None:
        """The block's first piece, whatever its size; that is bounded by the live tasks."""
        book, calendar = self.arena.tasks, self.arena.config.calendar
        tasks = {task: book.get_task(task) for task in book.tasks_on(day)}
        self.forgetting.schedule(day, list(tasks))
        open_ = [task for task, found in tasks.items() if day < found.final_day()]
        self.rings.begin_day(day, open_)
        shared = self._allot(day, tasks)
        outputs = calendar.reveal_end - calendar.submit_end
        budget.take(1 + TASK_STEPS * (len(tasks) + shared) + outputs // OUTPUTS_PER_STEP)

    def _allot(self, day: int, tasks: dict[int, Task]) -> int:
        """Divide the day's emission by the stakes at its start; what else shares."""
        arena = self.arena
        verified = [task for task, found in tasks.items() if found.is_verified_on(day)]
        alliance = arena.alliance.verified_stakes(day)
        claims = arena.hosts.begin_day(day)
        stakes = [(task, arena.stakes.task_stake(task, day)) for task in verified]
        arena.emission.allot(day, stakes, alliance, claims)
        return len(alliance) + len(claims)

    # -- jobs

    def _queue(self, job: Job) -> None:
        self.arena.jobs.put([*self.arena.jobs.get(), job])

    def _go_on(self, day: int, position: int, budget: Budget) -> None:
        """Go on with the jobs, as far as the budget allows, and with what is late to its end."""
        arena = self.arena
        stored = cursor = arena.cursor.find()
        while True:
            job = self._first_job(cursor)
            if job is None:
                break
            budget.is_bounded = not self._is_late(job, day, position)
            if budget.is_spent:
                break
            moved = self._move(job, cursor, budget)
            if _is_stopped(cursor, moved):
                cursor = moved
                break
            cursor = None if moved is not None and not moved.tasks else moved
        budget.is_bounded = True
        if cursor is not stored:
            self._keep(cursor)

    def _first_job(self, cursor: Cursor | None) -> Job | None:
        if cursor is not None:
            return cursor.job
        return next(iter(self.arena.jobs.get()), None)

    def _is_late(self, job: Job, day: int, position: int) -> bool:
        """Whether a job of yesterday must end now: what it reads is about to change."""
        return job.day < day and position >= self.arena.config.calendar.submit_end

    def _move(self, job: Job, cursor: Cursor | None, budget: Budget) -> Cursor | None:
        """Begin the job or do its next phase, or as much of that as the budget allows."""
        arena = self.arena
        if cursor is None:
            return self._begin(job) if budget.take(JOB_STEPS) else None
        if not arena.tasks.get_task(cursor.tasks[0]).status.is_live():
            arena.gathering.remove()
            return next_task(cursor)  # cancelled: nobody submitted anything
        if job.kind is JobKind.DRAW:
            return self.drawing.step(cursor, budget)
        return self.settling.step(cursor, budget)

    def _begin(self, job: Job) -> Cursor:
        arena = self.arena
        arena.jobs.put(arena.jobs.get()[1:])
        if job.kind is JobKind.SETTLE:
            self.forgetting.expire(job.day)
        return first_task(job, arena.tasks.tasks_on(job.day))

    def _keep(self, cursor: Cursor | None) -> None:
        if cursor is None:
            self.arena.cursor.remove()
        else:
            self.arena.cursor.put(cursor)


def _is_stopped(before: Cursor | None, after: Cursor | None) -> bool:
    """Whether a phase was left in the middle, for want of steps."""
    if before is None or after is None:
        return before is after
    return (before.tasks, before.phase) == (after.tasks, after.phase)
