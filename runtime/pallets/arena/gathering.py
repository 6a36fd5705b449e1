"""The making of a roster, part by part: validators, what stands of nodes, what aliases revealed.

All operators are read once, in the order of the state, and what is found is kept as it comes; when
nothing is left to be found it is put in order. Nothing that is read changes while a draw lasts:
submissions are frozen, and stakes and keys are those of the day's start.
Invariant: the roster does not depend on how its parts fall into blocks.
Source: WP V.B (selection), WP V.H (the final day).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from runtime.economy.quota import rate_limit
from runtime.economy.stakes import OperatorStake
from runtime.economy.tasks import Role, Task
from runtime.pallets.arena.budget import Budget
from runtime.pallets.arena.cursor import Cursor, Phase
from runtime.pallets.arena.entries import Entries, in_dealing_order
from runtime.pallets.arena.records import DayKey, Juror, Roster, SubmissionSeal
from runtime.pallets.arena.storage import Arena
from runtime.pallets.arena.work_records import Gathering
from runtime.primitives.types import AccountId

FIND_STEPS: Final = 10  # a stake or an alias; its submission, and who had the content first
ENTRIES_PER_STEP: Final = 2  # read again, put in order, stored

Found = OperatorStake | SubmissionSeal


class Gatherer:
    """Finds who scores what on a task's day."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def step(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        """Go on where the cursor stands; at DEAL the roster is stored."""
        arena, task = self.arena, self.arena.tasks.get_task(key.task)
        made, known = arena.gathering.get(), Entries(arena, key, task)
        entries, jurors = list(made.entries), list(made.jurors)
        budget.spend((len(entries) + known.size_held()) // ENTRIES_PER_STEP)
        index, after, is_done = cursor.index, cursor.after, False
        for source, place, found in self._candidates(key, cursor):
            if not budget.take(FIND_STEPS):
                break
            index, after = source, place
            if isinstance(found, SubmissionSeal):
                entry = known.unopened(found)
            elif found.role is Role.TRAINING_NODE:
                entry = known.standing_of(found.account) if found.total else None
            else:
                entry = None
                jurors += self._jurors(key, task, found, made.seats)
            entries += [] if entry is None else [entry]
        else:
            is_done = budget.take(1 + len(entries) // ENTRIES_PER_STEP)
        made = replace(made, entries=entries, jurors=jurors)
        if not is_done:
            arena.gathering.put(made)
            return replace(cursor, index=index, after=after)
        arena.gathering.remove()
        arena.rosters.put(key, roster_of(made))
        return cursor.at(Phase.DEAL)

    def _candidates(self, key: DayKey, cursor: Cursor) -> Iterator[tuple[int, bytes, Found]]:
        """What comes after the cursor: source, its key in the state, and what is there.

        Source 0 are the operators, the others the aliases of a day each.
        """
        arena, after = self.arena, cursor.after
        if cursor.index == 0:
            last = None if after is None else AccountId(after)
            for stake in arena.stakes.operators_after(key.task, key.day, last):
                yield 0, stake.account, stake
            after = None
        days = range(arena.first_blind_day(key), key.day + 1)
        for source, day in list(enumerate(days, 1))[max(cursor.index, 1) - 1 :]:
            for alias, sealed in arena.aliases.items_of(DayKey(key.task, day), after):
                yield source, alias, sealed
            after = None

    def _jurors(self, key: DayKey, task: Task, stake: OperatorStake, seats: int) -> list[Juror]:
        """The operator if it is a validator with stake, sealing key, fitting hardware, and quota.

        Without committees nobody needs a quota.
        """
        config = self.arena.config
        is_fit = stake.role is Role.TASK_VALIDATOR and stake.hardware.fits(task.terms.hardware)
        if not is_fit or not stake.total:
            return []
        quota = rate_limit(stake.total, config.validator_stake, config.quota_base, config.quota_max)
        if not (quota or not seats) or not self.arena.can_open_models(stake.account, key.day):
            return []
        return [Juror(stake.account, stake.total, quota)]


def roster_of(made: Gathering) -> Roster:
    """The roster, in order; nothing is to be dealt where everybody scores everything."""
    jurors = sorted(made.jurors, key=lambda juror: juror.account)
    entries = in_dealing_order(made.entries, made.randomness)
    if not made.seats:
        stake = sum(juror.stake for juror in jurors)
        entries = [entry.with_dealt(stake) for entry in entries]
    is_drawn = not (made.seats and entries)
    return Roster(made.randomness, made.seats, entries, jurors, is_drawn=is_drawn)
