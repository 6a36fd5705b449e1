"""Seats as they are dealt: each falls on a validator by its stake; the limit says who takes it.

A seat whose validator has none left is drawn once more among those that have. Both are counted:
what fell on a validator, which its stake decides and it is paid for, and what it holds and scores.
Owns the search: sums of stakes are kept and made anew only when a validator has no seat left.
Invariant: a number falls on the validator that counting up the stakes, in account order, reaches it
with; how often one is drawn depends on no limit.
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
        self._drawn = [juror.drawn for juror in jurors]
        self._all = list(accumulate(juror.stake for juror in jurors))
        self._spread()

    def _spread(self) -> None:
        pairs = zip(self._jurors, self._left, strict=True)
        self._reached = list(accumulate(juror.stake if left else 0 for juror, left in pairs))

    def find(self, number: int) -> tuple[int, int] | None:
        """Whom `number` draws, by all stakes, and who takes the seat; None if no seat is left.

        The rest of the number draws again if the first has no seat left.
        """
        reached = self._reached
        if not reached or not reached[-1]:
            return None
        again, target = divmod(number, self._all[-1])
        drawn = bisect_right(self._all, target)
        if self._left[drawn]:
            return drawn, drawn
        return drawn, bisect_right(reached, again % reached[-1])

    def take(self, drawn: int, taker: int) -> None:
        """Count the seat that fell on `drawn`, and take one of those the `taker` has left."""
        self._drawn[drawn] += 1
        self._left[taker] -= 1
        if not self._left[taker]:
            self._spread()

    def jurors(self) -> list[Juror]:
        """The validators as they are now: seats left, held and drawn."""
        return [
            replace(juror, seats_left=left, held=juror.held + juror.seats_left - left, drawn=drawn)
            for juror, left, drawn in zip(self._jurors, self._left, self._drawn, strict=True)
        ]
