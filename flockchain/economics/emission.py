"""Evaluates `emission`: what the emission pallet schedules for days and in all.

Owns the pallet over an empty state, for this kind and for `task_split`.
Source: WP III.A (emission), litepaper (a month's decay).
"""

from __future__ import annotations

from typing import Final

from flockchain.economics.fields import Fields, ScenarioError, parse_integer
from runtime.frame.externalities import DictState, Externalities
from runtime.pallets import balances, emission, system
from runtime.primitives.rational import Rational

DAYS_MAX: Final = 72_000  # about 200 years
UNLIMITED: Final = 2**128 - 1


def build_emission(daily: int, decay: Rational, exponent: Rational) -> emission.Emission:
    """The pallet with a curve of `daily` planck, decay a month and p; nothing minted yet.

    The caps on the supply are lifted, since a scenario may ask about any amount.
    """
    ext = Externalities(DictState())
    accounts = system.System(ext, system.Config())
    currency = balances.Balances(ext, balances.Config(cap=UNLIMITED), accounts=accounts)
    pallet = emission.Emission(ext, emission.Config(emission_max=UNLIMITED), currency=currency)
    pallet.parameters.put(
        emission.EmissionParameters(daily=daily, decay=decay, stake_exponent=exponent)
    )
    pallet.curve.put(emission.Curve(daily, decay, 0))
    return pallet


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
    pallet = build_emission(daily, decay, Rational(1, 1))
    return {
        "daily": {str(day): str(pallet.scheduled_of(day)) for day in days},
        "cumulative": str(pallet.scheduled_until(horizon)),
    }
