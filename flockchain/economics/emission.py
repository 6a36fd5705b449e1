"""Evaluates `emission`: what the emission pallet schedules for days and in all.

The caps on the supply are lifted: a scenario may ask about any amount.
Source: WP III.A (emission), litepaper (a month's decay).
"""

from __future__ import annotations

from typing import Final

from flockchain.economics.fields import Fields, ScenarioError, parse_integer
from flockchain.economics.memory_chain import MemoryChain

DAYS_MAX: Final = 72_000  # about 200 years


def evaluate_emission(scenario: Fields) -> dict[str, object]:
    """{"daily": {day: amount}, "cumulative": amount}: the sum of the first `horizon` days."""
    daily, decay = scenario.integer("c0"), scenario.rational("decay", "99/100")
    days = [
        parse_integer(day, f"{scenario.at('days')}[{index}]")
        for index, day in enumerate(scenario.items("days"))
    ]
    horizon = scenario.integer("horizon", 0)
    scenario.close()
    if not decay.is_at_most_one():
        raise ScenarioError(f"{scenario.at('decay')}: {decay} is above 1")
    if max((*days, horizon)) > DAYS_MAX:
        raise ScenarioError(f"{scenario.at('days')}: at most {DAYS_MAX} days are looked ahead")
    pallet = MemoryChain(daily, decay=decay).emission
    return {
        "daily": {str(day): str(pallet.scheduled_of(day)) for day in days},
        "cumulative": str(pallet.scheduled_until(horizon)),
    }
