"""Work over many blocks: the jobs that wait, and how far the one in progress has come.

Source: WP Fig. 3 (the workflow of a task); FRAME (bounded work by a cursor in the state).
"""

from __future__ import annotations

import enum
from dataclasses import replace

from runtime import frame
from runtime.primitives.scale import scale_enum
from runtime.primitives.types import U32, U256, Balance, Bytes32


@scale_enum("pallet_arena::JobKind")
class JobKind(enum.Enum):
    """What a day asks the arena to do."""

    DRAW = 0
    SETTLE = 1


@frame.scale_type
class Job:
    """Work for a day that waits for the work before it."""

    kind: JobKind
    day: U32


@scale_enum("pallet_arena::Phase")
class Phase(enum.Enum):
    """Where the work on a task's day stands, in the order in which phases follow each other."""

    START = 0
    # a draw
    GATHER = 1  # who scores what
    DEAL = 2  # the seats
    # a settlement
    SCORE = 3
    COMPARE = 4  # behaviours, only in tasks that ask for it
    SLASH = 5
    RESOLVE = 6  # whose the aliases are, if there are any
    PLAN = 7  # ranking, money and payments
    REMEMBER = 8  # what the day adds to the records of nodes and validators
    COMPLETE = 9  # what a whole task earned, on its last day
    PAY = 10
    FINISH = 11


@frame.scale_type
class Cursor:
    """The job in progress: `tasks` still to do, the first of them at `phase` and `index`.

    `after`: the key in the state that the phase goes on after. `is_held`: whether it works on the
    day before, whose nodes waited. `shares`: Σ f_i of each juror so far; `scored`: N so far;
    `slashed`: planck taken so far; `paid`: how many of the day's payments are made.
    """

    job: Job
    tasks: list[U32]
    phase: Phase
    index: U32
    after: Bytes32 | None
    is_held: bool
    shares: list[U256]
    scored: U32
    slashed: Balance
    paid: U32

    def day(self) -> int:
        """The day that the phase works on."""
        return self.job.day - self.is_held

    def at(self, phase: Phase) -> Cursor:
        """The same cursor at the beginning of a phase."""
        return replace(self, phase=phase, index=0, after=None)


def first_task(job: Job, tasks: list[int]) -> Cursor:
    """The cursor at the start of a job."""
    return Cursor(job, tasks, Phase.START, 0, None, False, [], 0, 0, 0)


def next_task(cursor: Cursor) -> Cursor:
    """The cursor at the start of the next task."""
    return first_task(cursor.job, cursor.tasks[1:])
