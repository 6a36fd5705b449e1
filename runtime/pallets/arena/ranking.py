"""The ranking of a day's submissions by consensus score.

Owns who is ranked: of equal content ids only the earliest commitment, only submissions that at
least half of their seats scored, only those above the baseline, only the best k_1.
Invariant: the order is total, by score and then by commitment, so every node finds the same.
Source: WP V.E ("rank amongst its peers"), Table I (top k_1; free riders are not paid).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.pallets.arena.consensus import ConsensusScore


@dataclass(frozen=True, slots=True)
class Entry:
    """A submission as the ranking sees it.

    `committed_at` is the ordinal of its commitment in the task; `seats` the weight that was to
    score it: its committee's seats, or all validators' stake in a task without committees.
    """

    consensus: ConsensusScore | None
    committed_at: int
    content_id: bytes
    seats: int


def rank(entries: Sequence[Entry], baseline: int, k_1: int | None) -> list[int]:
    """Indices of the ranked entries, the best first; ties go to the earliest commitment.

    A consensus score at or below the baseline counts as 0 and is not ranked: it is never paid.
    A clone stays out even if its original is not ranked.
    """
    ranked = [
        (consensus, index)
        for index in _find_originals(entries)
        if (consensus := find_rankable(entries[index], baseline)) is not None
    ]
    # Stable: equal scores stay in the order of commitment.
    ranked.sort(key=lambda pair: pair[0], reverse=True)
    return [index for _, index in ranked[:k_1]]


def _find_originals(entries: Sequence[Entry]) -> list[int]:
    """The earliest entry of each content id, in order of commitment."""
    seen: set[bytes] = set()
    originals: list[int] = []
    for index in sorted(range(len(entries)), key=lambda at: (entries[at].committed_at, at)):
        content_id = entries[index].content_id
        if content_id not in seen:
            seen.add(content_id)
            originals.append(index)
    return originals


def find_rankable(entry: Entry, baseline: int) -> ConsensusScore | None:
    """The consensus if at least half of the seats are in it and it is above the baseline."""
    consensus = entry.consensus
    if consensus is None or 2 * consensus.denominator < entry.seats:
        return None
    return consensus if consensus.is_above(baseline) else None
