"""Hard bounds of the reward rules, at the bound and just beyond it."""

from __future__ import annotations

import pytest

from runtime.economy.parameters import (
    ArenaParameters,
    ParameterOutOfBounds,
    ShareRatioRules,
    VestingRules,
)
from runtime.primitives.rational import Rational

MILLION = 10**6
WITHIN = [
    ArenaParameters(vesting=VestingRules(rank_ratio=Rational(MILLION - 1, MILLION))),
    ArenaParameters(outlier_kappa=Rational(100, 1)),
    ArenaParameters(outlier_kappa=Rational(1, MILLION)),
    ArenaParameters(share_ratio=ShareRatioRules(Rational(0, 1), Rational(0, 1), Rational(0, 1))),
]
BEYOND = [
    (ArenaParameters(vesting=VestingRules(rank_ratio=Rational(1, MILLION + 1))), "rank_ratio"),
    (ArenaParameters(vesting=VestingRules(rank_ratio=Rational(2, 1))), "rank_ratio"),
    (ArenaParameters(outlier_kappa=Rational(1, MILLION + 1)), "outlier_kappa"),
    (ArenaParameters(outlier_kappa=Rational(101, 1)), "outlier_kappa"),
    (
        ArenaParameters(share_ratio=ShareRatioRules(most=Rational(2, 1))),
        "share_ratio.most",
    ),
    (
        ArenaParameters(share_ratio=ShareRatioRules(most=Rational(1, 3))),
        "usual share ratio",
    ),
    (
        ArenaParameters(share_ratio=ShareRatioRules(least=Rational(2, 3))),
        "usual share ratio",
    ),
]


@pytest.mark.parametrize("parameters", WITHIN)
def test_values_at_the_bound_are_allowed(parameters: ArenaParameters) -> None:
    parameters.ensure_within_bounds()


@pytest.mark.parametrize(("parameters", "name"), BEYOND)
def test_values_beyond_it_are_named(parameters: ArenaParameters, name: str) -> None:
    with pytest.raises(ParameterOutOfBounds, match=name):
        parameters.ensure_within_bounds()
