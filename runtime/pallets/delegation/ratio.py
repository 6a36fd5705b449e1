"""An operator's share ratio over time: what delegators as a group get of their pro-rata part.

Owns the rules of a change: a rise acts the next day, a cut after its notice and at most once in an
interval. A day is divided by the ratio in force at its start, Reward B by the mean over the task's
days, so that a cut announced late does not reach back.
Source: WP II.D (reward share ratio), WP IV.A (d_1 %), WP V.G.
"""

from __future__ import annotations

from typing import Annotated, Final

from runtime.economy.schedule import in_force, scheduled
from runtime.primitives.rational import Rational
from runtime.primitives.scale import Limit, scale_type
from runtime.primitives.types import U32, U128

MEAN_BITS: Final = 64  # the sum of ratios over days is kept in 2^-64
ENTRIES_MAX: Final = 7  # that of three days, tomorrow's and what is announced


@scale_type
class RatioFrom:
    """A ratio and the first day that it acts on."""

    from_day: U32
    ratio: Rational


@scale_type
class ShareRatio:
    """What is and was in force. `before`: the sum of ratios, in 2^-64, of the days of entries that
    are dropped. `first_day` is the operator's first; `last_cut` the day a cut was announced on."""

    entries: Annotated[list[RatioFrom], Limit(ENTRIES_MAX)]
    first_day: U32
    before: U128 = 0
    last_cut: U32 | None = None

    @classmethod
    def starting(cls, first_day: int, ratio: Rational) -> ShareRatio:
        """The ratio that an operator registers with."""
        return cls([RatioFrom(first_day, ratio)], first_day)

    def at(self, day: int) -> Rational:
        """The ratio in force at the start of today, of the two days before, or of a later one."""
        return in_force(self.entries, day).ratio

    def mean_through(self, day: int) -> Rational:
        """The mean over all days up to `day`: exact if it never changed, else floored to 2^-64."""
        days = day + 1 - self.first_day
        if days <= 0 or (not self.before and len(self._acting(day)) == 1):
            return self.at(day)
        return Rational.reduced(self._sum_before(day + 1), days << MEAN_BITS)

    def changed(self, today: int, from_day: int, ratio: Rational, *, is_cut: bool) -> ShareRatio:
        """With another ratio from a later day on; what was to come at or after it is dropped."""
        dropped, kept = scheduled(self.entries, today, RatioFrom(from_day, ratio))
        before = self.before
        if dropped:
            before = self._sum_before(kept[0].from_day)
        last_cut = today if is_cut else self.last_cut
        return ShareRatio(kept, self.first_day, before, last_cut)

    def _acting(self, day: int) -> list[RatioFrom]:
        return [self.entries[0], *(e for e in self.entries[1:] if e.from_day <= day)]

    def _sum_before(self, end: int) -> int:
        """The ratios of the days before `end`, summed in 2^-64."""
        acting, total = self._acting(end - 1), self.before
        ends = [entry.from_day for entry in acting[1:]] + [end]
        for entry, until in zip(acting, ends, strict=True):
            total += entry.ratio.mul_floor(1 << MEAN_BITS) * (until - entry.from_day)
        return total
