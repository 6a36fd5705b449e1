"""Rationals: one value, one form, in text, in memory and in bytes."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.primitives.rational import (
    PART_MAX,
    Rational,
    RationalError,
    mul_div_ceil,
    mul_div_floor,
)
from runtime.primitives.scale import DecodeError, codec_of

FRACTIONS = st.fractions(min_value=0, max_value=10**9, max_denominator=10**18)


def test_parses_fractions_and_decimals() -> None:
    assert Rational.parse("17/20") == Rational.parse("0.85") == Rational(17, 20)
    assert Rational.parse("0") == Rational.parse("0.000") == Rational.parse("0/1") == Rational(0, 1)
    assert Rational.parse("3") == Rational(3, 1)
    assert Rational.parse("0.010") == Rational(1, 100)
    assert str(Rational(17, 20)) == "17/20"


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", " 1", "1 ", "1.", ".5", "1e3", "1/", "/2", "1/-2", "1_0", "٣", "1/2/3", "nan"],
)
def test_refuses_other_texts(text: str) -> None:
    message = f"{text!r} is neither a fraction a/b nor a decimal"
    with pytest.raises(RationalError, match=f"^{re.escape(message)}$"):
        Rational.parse(text)


def test_refuses_parts_that_are_not_canonical() -> None:
    with pytest.raises(RationalError, match=r"^34/40 is not in lowest terms$"):
        Rational.parse("34/40")
    with pytest.raises(RationalError, match=r"^0/2 is not in lowest terms$"):
        Rational(0, 2)
    for parts in [(1, 0), (-1, 2), (1, -2), (PART_MAX + 1, 1), (1, PART_MAX + 1)]:
        with pytest.raises(RationalError, match="has a part outside of 0 to"):
            Rational(*parts)
    with pytest.raises(RationalError, match="is negative or divides by 0"):
        Rational.reduced(-1, 2)


def test_bytes_of_a_rational_that_is_not_canonical_do_not_decode() -> None:
    codec = codec_of(Rational)
    raw = codec.encode(Rational(17, 20))
    assert codec.decode_all(raw) == Rational(17, 20)
    for numerator, denominator in [(34, 40), (1, 0), (0, 2)]:
        bad = numerator.to_bytes(16, "little") + denominator.to_bytes(16, "little")
        with pytest.raises(DecodeError):
            codec.decode_all(bad)


@given(FRACTIONS, st.integers(0, 2**128 - 1))
def test_products_round_as_their_names_say(value: Fraction, amount: int) -> None:
    rational = Rational.reduced(value.numerator, value.denominator)
    exact = amount * value
    assert rational.mul_floor(amount) == exact.__floor__()
    assert rational.mul_ceil(amount) == exact.__ceil__()
    assert mul_div_floor(amount, value.numerator, value.denominator) == exact.__floor__()
    assert mul_div_ceil(amount, value.numerator, value.denominator) == exact.__ceil__()


@given(FRACTIONS, FRACTIONS)
def test_order_is_the_order_of_the_values(first: Fraction, second: Fraction) -> None:
    left = Rational.reduced(first.numerator, first.denominator)
    right = Rational.reduced(second.numerator, second.denominator)
    assert (left < right) is (first < second)
    assert (left <= right) is (first <= second)
    assert (left == right) is (first == second)


def test_complement_of_a_share() -> None:
    assert Rational(17, 20).complement() == Rational(3, 20)
    assert Rational(1, 1).complement() == Rational(0, 1)
    assert Rational(1, 1).is_at_most_one()
    assert not Rational(21, 20).is_at_most_one()
    with pytest.raises(RationalError):
        Rational(21, 20).complement()


def test_division_by_zero_or_less_is_refused() -> None:
    for divide in (mul_div_floor, mul_div_ceil):
        with pytest.raises(ValueError, match=r"^denominator 0 is not positive$"):
            divide(1, 1, 0)
