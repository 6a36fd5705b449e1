"""Dropping what nobody needs any more: a day's records some days later, a task's with its last.

Invariant: a block drops no more than the steps that its draws and settlements leave allow; what is
being dropped is read by nothing that pays.
Source: WP V.H (a task completes); the bound is this project's.
"""

from __future__ import annotations

from typing import Any, Final

from runtime import frame
from runtime.economy.tasks import TaskStatus
from runtime.pallets.arena.records import DayKey
from runtime.pallets.arena.storage import Arena

ENTRIES_PER_STEP: Final = 8


class Forgetting:
    """Knows which records expire when, and drops them bit by bit."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def schedule(self, day: int) -> None:
        """Let all that today's tasks write expire after the days that records are kept."""
        arena = self.arena
        keys = [DayKey(task, day) for task in arena.tasks.tasks_on(day)]
        if keys:
            arena.expiring.put(day + arena.config.kept_days, keys)

    def expire(self, day: int) -> None:
        """Begin to drop what expires on that day."""
        arena = self.arena
        keys = arena.expiring.get(day)
        if keys:
            arena.expiring.remove(day)
            arena.expired.put([*arena.expired.get(), *keys])

    def sweep(self, steps: int) -> int:
        """Drop records for so many steps; the steps used."""
        arena, used = self.arena, 0
        while used < steps and (keys := arena.expired.get()):
            count_max = (steps - used) * ENTRIES_PER_STEP
            dropped = self._drop(keys[0], count_max)
            used += 1 + dropped // ENTRIES_PER_STEP
            if dropped < count_max:
                arena.expired.put(keys[1:])
        return used

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
