"""What a block's work may still take, counted in steps and taken piece by piece.

A step is ten microseconds of the reference machine, the state root's part included. Pieces have
sizes that are known before they are begun. One is begun if it fits into what is left, or if it is
the block's first: so every block gets on, however small its budget.
Invariant: a block takes no more than its limit or its first piece, whichever is more, and what it
must do besides (`spend`): the reading of a task's roster at most.
Source: FRAME (bounded work in hooks); the sizes are this project's.
"""

from __future__ import annotations


class Budget:
    """Steps of one block. `used` tells what was taken."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used = 0
        self.is_bounded = True  # false for what must end in this block, whatever it takes
        self._has_begun = False

    def take(self, steps: int) -> bool:
        """Begin a piece of so many steps if that may be; whether it may."""
        if self._has_begun and self.is_bounded and self.used + steps > self._limit:
            return False
        self._has_begun = True
        self.used += steps
        return True

    def take_some(self, steps: int, most: int) -> int:
        """Begin as many pieces of so many steps each as may be, at most so many; their count."""
        count = min(most, self.fitting(steps)) if self.is_bounded else most
        self._has_begun = self._has_begun or count > 0
        self.used += count * steps
        return count

    def fitting(self, steps: int) -> int:
        """How many pieces of so many steps each may be begun, were nothing unbounded."""
        return max((self._limit - self.used) // steps, 0 if self._has_begun else 1)

    def spend(self, steps: int) -> None:
        """Count what cannot be put off."""
        self.used += steps

    @property
    def is_spent(self) -> bool:
        """Whether not even a piece of one step may be begun."""
        return self.is_bounded and self._has_begun and self.used >= self._limit
