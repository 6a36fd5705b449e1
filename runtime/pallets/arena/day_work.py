"""The arena's work of every block: emission, rolls, draws, settlements, and dropping what expired.

Draws and settlements are jobs that wait in one queue; each block goes on with the first of them for
so many steps. A settlement that has not ended when the next day's submit window does is ended in
that block, whatever it takes: exactness before block time. Rolls come before it all, since nobody
submits under an alias before; what is dropped comes last.
Source: WP Fig. 3 (the workflow of a task), WP V.H (the validation day).
"""

from __future__ import annotations

from runtime.pallets.arena.cursor import Cursor, Job, JobKind, Phase, next_task
from runtime.pallets.arena.draw import Draw
from runtime.pallets.arena.forgetting import Forgetting
from runtime.pallets.arena.rings import Rings
from runtime.pallets.arena.settlement import Settlement
from runtime.pallets.arena.storage import Arena

OUTPUTS_PER_STEP = 64


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
        used = 0
        if position == 0:
            self.forgetting.schedule(day)
            self.rings.begin_day(day)
            used = (
                self._allot(day) + (calendar.reveal_end - calendar.submit_end) // OUTPUTS_PER_STEP
            )
        if calendar.submit_end <= position < calendar.reveal_end:
            self.drawing.record_beacon(number)
        if position == calendar.reveal_end:
            self._queue(Job(JobKind.DRAW, day))
        if position == calendar.alias_end:
            self._queue(Job(JobKind.SETTLE, day))
        budget = self.arena.config.steps_per_block
        used += self.rings.step(max(budget - used, 1), position)
        used += self._go_on(day, position, budget - used)
        return used + self.forgetting.sweep(budget - used)

    def _queue(self, job: Job) -> None:
        self.arena.jobs.put([*self.arena.jobs.get(), job])

    def _is_late(self, cursor: Cursor | None, day: int, position: int) -> bool:
        """Whether yesterday's work must end now: the ledger forgets the stakes."""
        return (
            cursor is not None
            and cursor.job.day < day
            and position >= self.arena.config.calendar.submit_end
        )

    def _go_on(self, day: int, position: int, budget: int) -> int:
        """Go on with the jobs for so many steps; the steps used, one phase's more at most."""
        arena, used = self.arena, 0
        stored = cursor = arena.cursor.find()
        while used < budget or self._is_late(cursor, day, position):
            if cursor is None:
                jobs = arena.jobs.get()
                if not jobs:
                    break
                arena.jobs.put(jobs[1:])
                cursor, steps = self._begin(jobs[0])
            elif not cursor.tasks:
                cursor, steps = None, 0
            elif not arena.tasks.get_task(cursor.tasks[0]).status.is_live():
                cursor, steps = next_task(cursor), 1  # cancelled: nobody submitted anything
            elif cursor.job.kind is JobKind.DRAW:
                cursor, steps = self.drawing.step(cursor, max(budget - used, 1))
            else:
                cursor, steps = self.settling.step(cursor, max(budget - used, 1))
            used += steps
        if cursor is not stored:
            self._keep(cursor)
        return used

    def _begin(self, job: Job) -> tuple[Cursor, int]:
        tasks = self.arena.tasks.tasks_on(job.day)
        if job.kind is JobKind.SETTLE:
            self.forgetting.expire(job.day)
        return Cursor(job, tasks, Phase.START, 0, [], 0, 0), 1

    def _allot(self, day: int) -> int:
        """Divide the day's emission by the stakes at its start; the steps used."""
        arena, tasks = self.arena, self.arena.tasks.tasks_on(day)
        verified = [task for task in tasks if arena.tasks.get_task(task).is_verified_on(day)]
        alliance = arena.alliance.verified_stakes(day)
        arena.emission.allot(
            day, [(task, arena.stakes.task_stake(task, day)) for task in verified], alliance
        )
        return len(tasks) + len(alliance) // 4

    def _keep(self, cursor: Cursor | None) -> None:
        if cursor is None:
            self.arena.cursor.remove()
        else:
            self.arena.cursor.put(cursor)
