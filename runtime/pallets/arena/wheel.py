"""Seats as they are dealt: each falls on a validator by its stake, until its quota is used up.

Owns the search: sums of stakes are kept and made anew only when a validator has no seat left.
Invariant: a number falls on the validator that counting up the stakes of those with seats left, in
account order, reaches it with.
Source: WP V.B (selection rises with stake; rate limiting, Fig. 4).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from runtime.pallets.arena.records import Juror


class Wheel:
    """Validators, in account order, with what they have left. Cost of a seat: a bisection."""

    def __init__(self, jurors: Sequence[Juror]) -> None:
        self._jurors = jurors
        self._left = [juror.seats_left for juror in jurors]
        self._spread()

    def _spread(self) -> None:
        pairs = zip(self._jurors, self._left, strict=True)
        self._reached = list(accumulate(juror.stake if left else 0 for juror, left in pairs))

    def find(self, number: int) -> int | None:
        """On whom `number` modulo the stake with seats left falls; None if none has any left."""
        reached = self._reached
        if not reached or not reached[-1]:
            return None
        return bisect_right(reached, number % reached[-1])

    def take(self, index: int) -> None:
        """Take a seat of the validator, which has one left."""
        self._left[index] -= 1
        if not self._left[index]:
            self._spread()

    def jurors(self) -> list[Juror]:
        """The validators with the seats that are left now."""
        return [
            replace(juror, seats_left=left)
            for juror, left in zip(self._jurors, self._left, strict=True)
        ]
