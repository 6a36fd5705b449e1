"""Behaviour duplicates: submissions that answer nearly as an earlier one of another owner does.

Only in tasks that ask for it. Validators reveal a 64-bit SimHash of a model's predictions with each
score; the consensus is each bit's weighted majority over the ballots that count. In order of
commitment, a submission within the task's Hamming distance of an earlier original of another owner
is a copy: it is not ranked, its validators are paid all the same. Only who was scored by at least
half of its seats is compared, so that a few seats cannot make anybody an original. A day that is
held compares when owners are known, with the next one.
Invariant: whatever the budget of a block, every pair that decides is compared once.
Source: WP V.E (copies of a model), Table I; SimHash (Charikar 2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from runtime.pallets.arena import events
from runtime.pallets.arena.ballots import SCORED
from runtime.pallets.arena.budget import Budget
from runtime.pallets.arena.cursor import Cursor
from runtime.pallets.arena.records import (
    Ballot,
    Behaviour,
    DayKey,
    Fingerprinted,
    Roster,
    RosterEntry,
)
from runtime.pallets.arena.storage import Arena
from runtime.pallets.arena.work_records import Original

BITS: Final = 64
BEHAVIOUR_STEPS: Final = 3  # a fingerprint, and whose it is
COMPARISONS_PER_STEP: Final = 80
ORIGINALS_PER_STEP: Final = 3  # read again


class Duplicates:
    """Keeps a day's consensus fingerprints and finds the copies among them."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def note(self, key: DayKey, entry: RosterEntry, ballots: Sequence[Ballot]) -> None:
        """Keep the consensus fingerprint of a submission that enough seats scored."""
        scored = self.arena.results.get((key, entry.submission))
        if 2 * scored.denominator < entry.dealt:
            return
        fingerprint = consensus_fingerprint(ballots, scored.kept)
        if fingerprint is not None:
            self.arena.behaviours.put((key, entry.submission), Behaviour(fingerprint))

    def step(self, key: DayKey, roster: Roster, cursor: Cursor, budget: Budget) -> Cursor:
        """Decide on the next submissions in order of commitment. Emits BehaviourCopied.

        The cursor's index is that of the first one undecided.
        """
        arena = self.arena
        distance = arena.tasks.get_task(key.task).terms.duplicate_distance
        assert distance is not None, "only tasks that ask for it compare"
        numbers = sorted(entry.submission for entry in roster.entries)
        originals, index = list(arena.originals.get()), cursor.index
        budget.spend(len(originals) // ORIGINALS_PER_STEP)
        while index < len(numbers):
            if not budget.take(BEHAVIOUR_STEPS + len(originals) // COMPARISONS_PER_STEP):
                break
            self._decide(key, numbers[index], originals, distance)
            index += 1
        if index < len(numbers):
            arena.originals.put(originals)
        else:
            arena.originals.remove()
        return replace(cursor, index=index)

    def _decide(self, key: DayKey, number: int, originals: list[Original], distance: int) -> None:
        """Find what a submission copies, or let it be one more original."""
        arena = self.arena
        behaviour = arena.behaviours.find((key, number))
        if behaviour is None:
            return  # too few seats scored it
        owner = arena.submissions.get((key.task, number)).owner
        one = Original(number, owner, behaviour.fingerprint)
        original = find_original(one, originals, distance)
        if original is None:
            originals.append(one)
            return
        arena.behaviours.put((key, number), replace(behaviour, copy_of=original))
        arena.deposit_event(events.BehaviourCopied(key.task, key.day, number, original))

    def is_copy(self, key: DayKey, submission: int) -> bool:
        """Whether a submission was found to be a copy that day."""
        found = self.arena.behaviours.find((key, submission))
        return found is not None and found.copy_of is not None


def consensus_fingerprint(ballots: Sequence[Ballot], kept: Sequence[bool]) -> int | None:
    """Each bit by weighted majority over the ballots that count; None if none has a fingerprint.

    `kept` tells of each ballot with a score, by validator, whether it counts. A bit of exactly
    half of the weight is 0.
    """
    scored = sorted(
        (each for each in ballots if isinstance(each.verdict, SCORED)),
        key=lambda ballot: ballot.validator,
    )
    counted = [
        (each.weight, each.verdict.fingerprint)
        for each, is_kept in zip(scored, kept, strict=True)
        if is_kept and isinstance(each.verdict, Fingerprinted)
    ]
    if not counted:
        return None
    total = sum(weight for weight, _ in counted)
    bits = 0
    for bit in (1 << position for position in range(BITS)):
        if 2 * sum(weight for weight, fingerprint in counted if fingerprint & bit) > total:
            bits |= bit
    return bits


def find_original(one: Original, originals: Sequence[Original], distance: int) -> int | None:
    """The earliest original of another owner within the distance; `originals` are earlier."""
    fingerprint, owner = one.fingerprint, one.owner
    for other in originals:
        is_near = (other.fingerprint ^ fingerprint).bit_count() <= distance
        if is_near and (owner is None or other.owner != owner):
            return other.submission
    return None
