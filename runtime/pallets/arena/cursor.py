"""Work over many blocks: the jobs that wait, and how far the one in progress has come.

Source: WP Fig. 3 (the workflow of a task); FRAME (bounded work by a cursor in the state).
"""

from __future__ import annotations

import enum

from runtime import frame
from runtime.primitives.scale import scale_enum
from runtime.primitives.types import U32, U256, Balance


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
    """Where the work on a task's day stands."""

    START = 0
    SCORE = 1
    SLASH = 2
    PAY = 3
    FINISH = 4
    COMPARE = 5  # behaviours, after SCORE; only in tasks that ask for it
    COMPARE_HELD = 6  # those of the day before, if its nodes waited
    HELD = 7  # pays the nodes of the day before, before the day itself is scored


@frame.scale_type
class Cursor:
    """The job in progress: `tasks` still to do, the first of them at `phase` and `index`.

    `shares`: Σ f_i of each juror so far; `scored`: N so far; `slashed`: planck taken so far.
    """

    job: Job
    tasks: list[U32]
    phase: Phase
    index: U32
    shares: list[U256]
    scored: U32
    slashed: Balance


def next_task(cursor: Cursor) -> Cursor:
    """The cursor at the start of the next task."""
    return Cursor(cursor.job, cursor.tasks[1:], Phase.START, 0, [], 0, 0)
