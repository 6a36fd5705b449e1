"""The vote that Dataset B, once opened, is not what the task was created with.

The chain checks the key but never sees the data, so the final day's seats decide: at least two
thirds of all that were dealt. Then all of S_c is burned, nobody is ranked and no validator paid
that day, and what is paid at completion goes by the days on Dataset A.
Invariant: a step of the settlement reads one sum, whatever the number of ballots.
Source: WP V.H (Dataset B), WP III.A.3 (slashes).
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.pallets.arena.records import DayKey, GivenScore, Roster, WrongData
from runtime.pallets.arena.storage import Arena


class WrongDataVote:
    """Counts as sheets are opened; tells when the day is settled."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def count(self, key: DayKey, scores: Sequence[GivenScore], weights: dict[int, int]) -> None:
        """Add an opened sheet's weight; at most one write."""
        said = [given.submission for given in scores if isinstance(given.verdict, WrongData)]
        if said:
            before = self.arena.wrong_data.get(key)
            self.arena.wrong_data.put(key, before + sum(weights[number] for number in said))

    def is_carried(self, key: DayKey, roster: Roster) -> bool:
        """Whether the vote is carried."""
        return is_carried(self.arena.wrong_data.get(key), roster)


def is_carried(weight: int, roster: Roster) -> bool:
    """Whether at least 2/3 of all seats dealt, or of the stake without committees, say so."""
    return weight > 0 and 3 * weight >= 2 * sum(entry.dealt for entry in roster.entries)
