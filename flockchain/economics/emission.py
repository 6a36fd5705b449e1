"""Evaluates `emission`: what the emission pallet schedules for days and in all.

The caps on the supply are lifted: a scenario may ask about any amount.
Source: WP III.A (emission), litepaper (a month's decay).
"""

from __future__ import annotations

from typing import Final

from flockchain.economics.fields import Fields, ScenarioError, parse_integer
from flockchain.economics.memory_chain import MemoryChain
from runtime.pallets.emission import MONTH_DAYS, Curve

DAYS_MAX: Final = 72_000  # about 200 years


def evaluate_emission(scenario: Fields) -> dict[str, object]:
    """{"daily": {day: amount}, "cumulative": amount}: the sum of the first `horizon` days.

    `from_month`: when the curve began; `next`: the curve that follows, as it is scheduled.
    """
    daily, decay = scenario.integer("c0"), scenario.rational("decay", "99/100")
    days = [
        parse_integer(day, f"{scenario.at('days')}[{index}]")
        for index, day in enumerate(scenario.items("days"))
    ]
    horizon = scenario.integer("horizon", 0)
    from_month = _read_month(scenario, 0)
    upcoming = _read_next(scenario)
    scenario.close()
    if not decay.is_at_most_one():
        raise ScenarioError(f"{scenario.at('decay')}: {decay} is above 1")
    if max((*days, horizon)) > DAYS_MAX:
        raise ScenarioError(f"{scenario.at('days')}: at most {DAYS_MAX} days are looked ahead")
    pallet = MemoryChain(daily, decay=decay).emission
    pallet.curve.put(Curve(daily, decay, from_month))
    if upcoming is not None:
        pallet.next_curve.put(upcoming)
    first, asked = from_month * MONTH_DAYS, [*days, *([0] if horizon else [])]
    if any(day < first for day in asked):
        raise ScenarioError(f"{scenario.at('days')}: the curve begins with day {first}")
    return {
        "daily": {str(day): str(pallet.scheduled_of(day)) for day in days},
        "cumulative": str(pallet.scheduled_until(horizon) if horizon else 0),
    }


def _read_next(scenario: Fields) -> Curve | None:
    """A curve that takes over with its first month."""
    fields = scenario.record("next")
    if fields is None:
        return None
    curve = Curve(fields.integer("c0"), fields.rational("decay"), _read_month(fields))
    fields.close()
    if not curve.decay.is_at_most_one():
        raise ScenarioError(f"{fields.at('decay')}: {curve.decay} is above 1")
    return curve


def _read_month(fields: Fields, default: int | None = None) -> int:
    month = fields.integer("from_month", default)
    if month > DAYS_MAX // MONTH_DAYS:
        raise ScenarioError(f"{fields.at('from_month')}: at most {DAYS_MAX // MONTH_DAYS}")
    return month
