"""Which submissions a day scores, and in which order seats are dealt to them.

Scored are the standing submissions of nodes with stake and what aliases revealed that are still to
be opened: today's, and at a task's end those of the day before. A copy is never scored: whose
content id has an earlier commitment that is not known to be the same owner's.
Invariant: the order is total and every node finds the same.
Source: WP V.B (selection), WP V.H (the final day), Table I (free riders).
"""

from __future__ import annotations

from runtime.economy.tasks import Role, Task
from runtime.pallets.arena.consensus import ConsensusScore
from runtime.pallets.arena.ranking import Entry, find_rankable
from runtime.pallets.arena.records import DayKey, RosterEntry
from runtime.pallets.arena.seals import dealing_order
from runtime.pallets.arena.storage import Arena
from runtime.primitives.types import AccountId, Hash


class Entries:
    """Finds and orders what is scored."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def of_day(self, key: DayKey, task: Task, randomness: Hash) -> list[RosterEntry]:
        """The day's submissions in the order of dealing."""
        entries = [*self._standing(key), *self._unopened(key)]
        ranked = self._ranked_days(key, task) if key.day == task.final_day() else {}

        def order(entry: RosterEntry) -> tuple[int, bytes]:
            # The final day's seats go first to those that were ranked on the most days.
            return -ranked.get(entry.submission, 0), dealing_order(randomness, entry.submission)

        return sorted(entries, key=order)

    def _standing(self, key: DayKey) -> list[RosterEntry]:
        arena = self.arena
        staked = {
            stake.account
            for stake in arena.stakes.operators_of(key.task, Role.TRAINING_NODE, key.day)
            if stake.total
        }
        return [
            RosterEntry(number, owner, content)
            for owner, number in arena.standing.items_of(key.task)
            if owner in staked and (content := self._original(key.task, number, owner)) is not None
        ]

    def _unopened(self, key: DayKey) -> list[RosterEntry]:
        days = range(self.arena.first_blind_day(key), key.day + 1)
        return [
            RosterEntry(sealed.submission, None, content)
            for day in days
            for _, sealed in self.arena.aliases.items_of(DayKey(key.task, day))
            if sealed.is_revealed
            and (content := self._original(key.task, sealed.submission, None)) is not None
        ]

    def _original(self, task: int, number: int, owner: AccountId | None) -> bytes | None:
        """The submission's content id; None if it is a copy."""
        arena = self.arena
        content = arena.submissions.get((task, number)).content
        first = arena.first_seen.get((task, content))
        if first == number:
            return content
        maker = arena.submissions.get((task, first)).owner
        return content if maker is not None and maker == owner else None

    # -- the final day

    def _ranked_days(self, key: DayKey, task: Task) -> dict[int, int]:
        """On how many days each submission's owner was ranked.

        A day that is held has no ranking yet: who was scored above the baseline counts as ranked.
        Of an alias no other day is known, so it then counts as one that was ranked every day.
        """
        arena, before = self.arena, DayKey(key.task, key.day - 1)
        ranked: dict[int, int] = {}
        for owner, number in arena.standing.items_of(key.task):
            ranked[number] = arena.node_records.get((key.task, owner)).days_ranked
        result = arena.day_results.find(before)
        if result is None or result.ranked_on is not None:
            return ranked
        for entry in arena.rosters.get(before).entries:
            if self._is_rankable(before, entry, task.terms.baseline):
                days = key.day - task.start_day
                known = ranked.get(entry.submission, 0) + 1
                ranked[entry.submission] = days if entry.owner is None else known
        return ranked

    def _is_rankable(self, key: DayKey, entry: RosterEntry, baseline: int) -> bool:
        found = self.arena.results.find((key, entry.submission))
        if found is None:
            return False
        consensus = ConsensusScore(found.numerator, found.denominator, tuple(found.kept))
        scored = Entry(consensus, entry.submission, entry.content, entry.dealt)
        return find_rankable(scored, baseline) is not None
