"""Dropping what nobody needs any more: a day's records some days later, a task's with its last.

Invariant: a block drops no more than what its draws and settlements leave of the budget allows;
what is being dropped is read by nothing that pays.
Source: WP V.H (a task completes); the bound is this project's.
"""

from __future__ import annotations

from typing import Any, Final

from runtime import frame
from runtime.economy.tasks import TaskStatus
from runtime.pallets.arena.budget import Budget
from runtime.pallets.arena.records import DayKey
from runtime.pallets.arena.storage import Arena

DAY_STEPS: Final = 60  # what a day has once, and a look at all the rest
RECORD_STEPS: Final = 4


class Forgetting:
    """Knows which records expire when, and drops them bit by bit."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def schedule(self, day: int, tasks: list[int]) -> None:
        """Let all that today's tasks write expire after the days that records are kept."""
        arena = self.arena
        keys = [DayKey(task, day) for task in tasks]
        if keys:
            arena.expiring.put(day + arena.config.kept_days, keys)

    def expire(self, day: int) -> None:
        """Begin to drop what expires on that day."""
        arena = self.arena
        keys = arena.expiring.get(day)
        if keys:
            arena.expiring.remove(day)
            arena.expired.put([*arena.expired.get(), *keys])

    def sweep(self, budget: Budget) -> None:
        """Drop records, as many as the budget allows, one day's own and one more at least."""
        arena = self.arena
        while (keys := arena.expired.get()) and budget.take(DAY_STEPS):
            count_max = max(budget.fitting(RECORD_STEPS), 1)
            dropped = self._drop(keys[0], count_max)
            budget.spend(dropped * RECORD_STEPS)
            if dropped < count_max:
                arena.expired.put(keys[1:])

    def _drop(self, key: DayKey, count_max: int) -> int:
        """Drop at most so many records; less than that: the day has none left."""
        arena, dropped = self.arena, 0
        for single in (
            *(arena.rosters, arena.drawn, arena.wrong_data, arena.rolls),
            *(arena.day_results, arena.payments),
        ):
            single.remove(key)
        places: list[tuple[frame.StorageDoubleMap[Any, Any], Any]] = [
            (item, key)
            for item in (
                *(arena.assignments, arena.score_seals, arena.ballots, arena.results),
                *(arena.behaviours, arena.model_keys, arena.aliases, arena.alias_tags),
            )
        ]
        found = arena.tasks.get_task(key.task)
        if key.day == found.final_day() or found.status is TaskStatus.CANCELLED:
            arena.bounty_results.remove(key.task)
            places += [
                (item, key.task)
                for item in (
                    *(arena.seals, arena.submissions, arena.first_seen),
                    *(arena.standing, arena.node_records, arena.validator_records),
                )
            ]
        for item, first in places:
            dropped += item.remove_some(first, count_max - dropped)
            if dropped >= count_max:
                return dropped
        return dropped
