"""Evaluates `rate_limit`: the seats that each stake is allowed, by the arena's own curve.

Invariant: the limits are those that the arena pallet grants.
Source: WP V.D, Fig. 4.
"""

from __future__ import annotations

from flockchain.economics.fields import Fields, ScenarioError, parse_integer
from runtime.economy.quota import rate_limit


def evaluate_rate_limit(scenario: Fields) -> dict[str, object]:
    """{"limits": {stake: seats}}. Stakes and `s_min` in one unit; `l_max` absent: no cap."""
    stake_min, base = scenario.integer("s_min"), scenario.integer("l0")
    limit_max = scenario.optional_integer("l_max")
    stakes = [
        parse_integer(stake, f"{scenario.at('stakes')}[{index}]")
        for index, stake in enumerate(scenario.items("stakes"))
    ]
    scenario.close()
    if not stake_min:
        raise ScenarioError(f"{scenario.at('s_min')}: a minimum stake above 0 is needed")
    return {
        "limits": {str(stake): rate_limit(stake, stake_min, base, limit_max) for stake in stakes}
    }
