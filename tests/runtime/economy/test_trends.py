"""The rules of seasons: bounds, the rise, boosts; and payments never give more than they hold."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.economy.market import MarketParameters
from runtime.economy.parameters import ParameterOutOfBounds
from runtime.economy.trends import PPM, TrendParameters, boosted
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

RULES = TrendParameters()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vote_days": 31}, "a vote of 31 days in a season of 30, at most 365"),
        ({"vote_days": 0}, "a vote of 0 days in a season of 30, at most 365"),
        ({"season_days": 366}, "a vote of 7 days in a season of 366, at most 365"),
        ({"listed": 17}, "listed is 17, 1 to 16 are allowed"),
        ({"payers_least": 0}, "payers_least is 0, 1 to 1000 is allowed"),
        ({"payer_least": 1}, f"payer_least is 1 and payer_most {10 * FML} planck"),
        ({"payer_most": 1}, f"payer_least is {FML // 100} and payer_most 1 planck"),
        ({"quorum": Rational(0, 1)}, "quorum is 0/1, above 0 and at most 1 is allowed"),
        ({"host_boost": 4_000_001}, "host_boost is 4000001, royalty_boost 500000 ppm"),
        ({"royalty_boost": 1_000_001}, "host_boost is 1000000, royalty_boost 1000001 ppm"),
    ],
)
def test_rules_out_of_bounds_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterOutOfBounds, match=f"^{re.escape(message)}$"):
        replace(RULES, **changes).ensure_within_bounds()  # type: ignore[arg-type]


def test_the_defaults_are_within_bounds() -> None:
    RULES.ensure_within_bounds()


def test_a_rise_compares_with_the_season_before_and_one_payer() -> None:
    assert RULES.rise(0, 0) == 0
    assert RULES.rise(10 * FML, 0) == PPM
    assert RULES.rise(30 * FML, 20 * FML) == PPM
    assert RULES.rise(10 * FML, 20 * FML) == 333_333


def test_a_boost_is_shared_by_votes() -> None:
    assert boosted(PPM, 0, 7) == PPM
    assert boosted(PPM, 1, 3) == 1_333_333
    assert boosted(500_000, 7, 7) == 1_500_000


rates = st.integers(0, 1_000).map(lambda parts: Rational.reduced(parts, 1_000))


@given(st.integers(0, 10**30), rates, rates, st.integers(PPM, 2 * PPM))
def test_a_payment_is_divided_whole_by_every_multiplier(
    paid: int, burn: Rational, royalty: Rational, multiplier: int
) -> None:
    split = replace(MarketParameters(), burn_rate=burn, royalty=royalty).split(paid, multiplier)
    assert split.burned + split.royalty + split.host == paid
    assert min(split.burned, split.royalty, split.host) >= 0
    assert split.royalty <= royalty.mul_floor(paid) * 2 + 2
