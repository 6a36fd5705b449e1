"""Which submissions a day scores, and in which order seats are dealt to them.

Scored are the standing submissions of nodes with stake and what aliases revealed that are still to
be opened: today's, and at a task's end those of the day before. A copy is never scored: whose
content id has an earlier commitment that is not known to be the same owner's.
Invariant: the order is total and every node finds the same.
Source: WP V.B (selection), WP V.H (the final day), Table I (free riders).
"""

from __future__ import annotations

from collections.abc import Iterable

from runtime.economy.tasks import Task
from runtime.pallets.arena.consensus import ConsensusScore
from runtime.pallets.arena.ranking import Entry, find_rankable
from runtime.pallets.arena.records import DayKey, RosterEntry, SubmissionSeal
from runtime.pallets.arena.seals import dealing_order
from runtime.pallets.arena.storage import Arena
from runtime.pallets.arena.work_records import GatheredEntry
from runtime.primitives.types import AccountId, Hash


class Entries:
    """Finds what is scored on a task's day. Made anew in each block: it may read the day before."""

    def __init__(self, arena: Arena, key: DayKey, task: Task) -> None:
        self.arena = arena
        self._key = key
        self._task = task
        self._before = DayKey(key.task, key.day - 1)
        self._is_final = key.day == task.final_day()
        self._held = self._entries_held() if self._is_final else {}

    def size_held(self) -> int:
        """How many entries of the day before were read."""
        return len(self._held)

    def standing_of(self, owner: AccountId) -> GatheredEntry | None:
        """What stands of a node with stake; None if that is nothing, or a copy."""
        number = self.arena.standing.find((self._key.task, owner))
        return None if number is None else self._found(number, owner)

    def unopened(self, sealed: SubmissionSeal) -> GatheredEntry | None:
        """What an alias sealed; None if it was not revealed, or is a copy."""
        return self._found(sealed.submission, None) if sealed.is_revealed else None

    def _found(self, number: int, owner: AccountId | None) -> GatheredEntry | None:
        content = self._original(number, owner)
        if content is None:
            return None
        ranked = self._ranked_days(number, owner) if self._is_final else 0
        return GatheredEntry(RosterEntry(number, owner, content), ranked)

    def _original(self, number: int, owner: AccountId | None) -> bytes | None:
        """The submission's content id; None if it is a copy."""
        arena, task = self.arena, self._key.task
        content = arena.submissions.get((task, number)).content
        first = arena.first_seen.get((task, content))
        if first == number:
            return content
        maker = arena.submissions.get((task, first)).owner
        return content if maker is not None and maker == owner else None

    # -- the final day

    def _entries_held(self) -> dict[int, RosterEntry]:
        """What the day before scored, by submission, if its ranking waits."""
        result = self.arena.day_results.find(self._before)
        if result is None or result.ranked_on is not None:
            return {}
        entries = self.arena.rosters.get(self._before).entries
        return {entry.submission: entry for entry in entries}

    def _ranked_days(self, number: int, owner: AccountId | None) -> int:
        """On how many days the submission's owner was ranked.

        A day that is held has no ranking yet: who was scored above the baseline counts as ranked.
        Of an alias no other day is known, so it then counts as one that was ranked every day.
        """
        known = 0
        if owner is not None:
            known = self.arena.node_records.get((self._key.task, owner)).days_ranked
        held = self._held.get(number)
        if held is None or not self._is_rankable(held):
            return known
        return self._key.day - self._task.start_day if held.owner is None else known + 1

    def _is_rankable(self, entry: RosterEntry) -> bool:
        found = self.arena.results.find((self._before, entry.submission))
        if found is None:
            return False
        consensus = ConsensusScore(found.numerator, found.denominator, tuple(found.kept))
        scored = Entry(consensus, entry.submission, entry.content, entry.dealt)
        return find_rankable(scored, self._task.terms.baseline) is not None


def in_dealing_order(entries: Iterable[GatheredEntry], randomness: Hash) -> list[RosterEntry]:
    """The entries as seats are dealt: the final day's first to who was ranked on the most days."""

    def order(gathered: GatheredEntry) -> tuple[int, bytes]:
        return -gathered.ranked, dealing_order(randomness, gathered.entry.submission)

    return [gathered.entry for gathered in sorted(entries, key=order)]
