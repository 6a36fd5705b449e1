"""The market's rules: their bounds, and the division of a payment."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.economy.market import JuryRules, MarketParameters, PaymentSplit
from runtime.economy.parameters import ParameterOutOfBounds
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

RULES = MarketParameters()


def test_the_published_case() -> None:
    rules = replace(RULES, royalty=Rational(0, 1))
    charged = (130 - 100) * FML // 4
    expected = PaymentSplit(2_250_000_000_000_000_000, 0, 5_250_000_000_000_000_000)
    assert rules.split(charged) == expected


@given(st.integers(0, 2**120), st.integers(0, 10), st.integers(0, 10))
def test_a_payment_is_the_sum_of_its_parts(paid: int, burned: int, royalty: int) -> None:
    rates = Rational.reduced(burned, 20), Rational.reduced(royalty, 20)
    split = replace(RULES, burn_rate=rates[0], royalty=rates[1]).split(paid)
    assert split.burned + split.royalty + split.host == paid
    assert (split.burned, split.royalty) == (paid * burned // 20, paid * royalty // 20)


def test_free_calls_follow_the_curve() -> None:
    stakes = [999, 1_000, 4_000, 10_000 * 1_000]
    assert [RULES.free_calls(stake * FML) for stake in stakes] == [0, 4, 8, 100]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"burn_rate": Rational(2, 1)}, "burn_rate is 2/1, at most 1 is allowed"),
        ({"royalty": Rational(2, 1)}, "royalty is 2/1, at most 1 is allowed"),
        ({"royalty": Rational(4, 5)}, "burn_rate and royalty are more than a payment"),
        ({"host_stake": 0}, "host_stake is 0 planck"),
        ({"free_stake": FML - 1}, f"free_stake is {FML - 1} planck"),
        ({"free_max": 1_000_001}, "free_base or free_max is above 1000000"),
        ({"request_blocks": 0}, "request_blocks is 0 blocks"),
        ({"start_quality": Rational(2, 1)}, "start_quality is 2/1, at most 1 is allowed"),
        ({"rating_weight": Rational(2, 1)}, "rating_weight is 2/1, at most 1 is allowed"),
        ({"jury": JuryRules(bond=0)}, "jury.bond is 0 planck"),
        ({"jury": JuryRules(juror_fee=0)}, "jury.juror_fee is 0 planck"),
        ({"jury": JuryRules(draw_blocks=0)}, "jury.draw_blocks is 0 blocks"),
        ({"jury": JuryRules(verdict_blocks=0)}, "jury.verdict_blocks is 0 blocks"),
        ({"jury": JuryRules(opening_blocks=2**31)}, "jury.opening_blocks is 2147483648 blocks"),
        ({"jury": JuryRules(host_slash=Rational(2, 1))}, "jury.host_slash is 2/1, at most 1"),
        ({"jury": JuryRules(tolerance=10**9 + 1)}, "jury.tolerance is 1000000001"),
    ],
)
def test_bounds(changes: dict[str, object], message: str) -> None:
    RULES.ensure_within_bounds()
    with pytest.raises(ParameterOutOfBounds, match=f"^{message}$"):
        replace(RULES, **changes).ensure_within_bounds()  # type: ignore[arg-type]
