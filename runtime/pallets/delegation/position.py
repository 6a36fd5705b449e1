"""An amount of stake that remembers how much it was at the start of each day that still matters.

Owns the arithmetic of snapshots: a position is brought up to date only when it is touched, so a day
without a change costs nothing. Invariant: what arrives or leaves during a day changes neither that
day's snapshot nor an earlier one.
Source: WP V.E (t_i), WP V.H (Reward B by time-weighted stake).
"""

from __future__ import annotations

from dataclasses import replace

from runtime.primitives.scale import scale_type
from runtime.primitives.types import U32, U256, Balance


@scale_type
class Position:
    """Planck. `amount` now; `snapshot` at the start of `day`, `previous` and `earlier` at those of
    the two days before: what a task's last day settles of the day before it may be paid a day late.

    `stake_days`: the sum of the snapshots of all days before `day`, planck * days.
    """

    amount: Balance = 0
    snapshot: Balance = 0
    previous: Balance = 0
    earlier: Balance = 0
    day: U32 = 0
    stake_days: U256 = 0

    def rolled(self, day: int) -> Position:
        """The same position seen on `day`; unchanged if it was touched on that day or later."""
        gap = day - self.day
        if gap <= 0:
            return self
        known = (*(self.amount,) * min(gap, 3), self.snapshot, self.previous)
        stake_days = self.stake_days + self.snapshot + self.amount * (gap - 1)
        return Position(self.amount, known[0], known[1], known[2], day, stake_days)

    def changed(self, day: int, delta: int) -> Position:
        """`delta` planck arrive, or leave, during `day`."""
        now = self.rolled(day)
        return replace(now, amount=now.amount + delta)

    def at(self, day: int) -> int:
        """What it was at the start of `day`: that of the last touch, two before, or any later.

        0 before the task began. Raises ValueError for days that are forgotten.
        """
        gap = day - self.day
        if gap > 0:
            return self.amount  # untouched since
        if gap == 0:
            return self.snapshot
        if gap == -1:
            return self.previous
        if gap == -2:
            return self.earlier
        self._ensure_not_begun(day)
        return 0

    def stake_days_through(self, day: int) -> int:
        """The sum of the snapshots of all days up to `day`, `day` included."""
        gap = day - self.day
        if gap >= 0:
            return self.stake_days + self.snapshot + self.amount * gap
        if gap == -1:
            return self.stake_days
        if gap == -2:
            return self.stake_days - self.previous
        self._ensure_not_begun(day)
        return 0

    def _ensure_not_begun(self, day: int) -> None:
        if self.stake_days or self.snapshot:
            raise ValueError(f"stake of day {day} is forgotten, it was touched on day {self.day}")
