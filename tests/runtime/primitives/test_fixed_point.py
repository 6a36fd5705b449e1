"""Exponentials, logarithms and powers against mpmath, exact to the last bit."""

import random

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.primitives.fixed_point import (
    ONE_Q128,
    exp_floor,
    get_pow_scale_bits,
    ln_floor,
    pow_ratio,
)
from runtime.primitives.rational import Rational

REFERENCE_BITS = 1400  # about 420 digits, far beyond what any case below needs
ALPHAS = ["1/3", "3/4", "7/5", "3/2", "1/1000", "3999/1000", "0.123", "17/20"]


def reference_exp(numerator: int, denominator: int) -> int:
    exponent = mpmath.mpf(numerator) / denominator
    return int(mpmath.floor(mpmath.ldexp(mpmath.exp(exponent), 128)))


def reference_pow(base: int, alpha: Rational, scale_bits: int) -> int:
    exponent = mpmath.mpf(alpha.numerator) / alpha.denominator
    return int(mpmath.floor(mpmath.ldexp(mpmath.power(base, exponent), scale_bits)))


@pytest.mark.parametrize(
    ("seed", "points"), [(20_231, 10_000), pytest.param(9, 1_000_000, marks=pytest.mark.long)]
)
def test_exp_is_the_exact_floor(seed: int, points: int) -> None:
    generator = random.Random(seed)
    with mpmath.workprec(400):
        for _ in range(points):
            denominator = 10 ** generator.randrange(0, 19)
            numerator = -generator.randrange(0, 92 * denominator)
            assert exp_floor(numerator, denominator) == reference_exp(numerator, denominator)


def test_exp_at_the_ends_of_its_range() -> None:
    assert exp_floor(0) == exp_floor(0, 7) == ONE_Q128 == 2**128
    assert exp_floor(-1) == 125_182_886_983_370_532_117_250_726_298_150_828_301
    assert exp_floor(-88) == 2
    assert exp_floor(-887, 10) == 1
    assert (
        exp_floor(-888, 10) == exp_floor(-89) == exp_floor(-(2**40)) == exp_floor(-(2**4000)) == 0
    )
    # So close to 1 that the first precision cannot tell the floor.
    assert exp_floor(-1, 2**129) == exp_floor(-1, 2**3000) == ONE_Q128 - 1


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**70), st.integers(0, 2**70), st.integers(1, 2**66))
def test_exp_is_monotone(first: int, second: int, denominator: int) -> None:
    small, large = sorted((first, second))
    assert exp_floor(-large, denominator) <= exp_floor(-small, denominator)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**64), st.integers(1, 2**64), st.integers(2, 1000))
def test_exp_does_not_depend_on_the_form_of_the_fraction(
    numerator: int, denominator: int, factor: int
) -> None:
    expected = exp_floor(-numerator, denominator)
    assert exp_floor(-numerator * factor, denominator * factor) == expected


def test_exp_refuses_what_it_cannot_answer() -> None:
    with pytest.raises(ValueError, match=r"^exponent 1/2 is positive$"):
        exp_floor(1, 2)
    with pytest.raises(ValueError, match=r"^denominator 0 is not positive$"):
        exp_floor(-1, 0)


def test_ln_is_the_exact_floor() -> None:
    generator = random.Random(7)
    values = [2, 3, 10, 2**64, 2**128 - 1, 10**27]
    values += [generator.randrange(2, 2 ** generator.randrange(2, 256)) for _ in range(500)]
    assert ln_floor(1) == 0
    with mpmath.workprec(REFERENCE_BITS):
        for value in values:
            assert ln_floor(value) == int(mpmath.floor(mpmath.ldexp(mpmath.log(value), 128)))
    with pytest.raises(ValueError, match=r"^no logarithm of 0$"):
        ln_floor(0)


@pytest.mark.parametrize("points", [250, pytest.param(12_500, marks=pytest.mark.long)])
@pytest.mark.parametrize("text", ["1/3", "3/4", "7/5", "3/2", "17/20"])
def test_pow_is_the_exact_floor_by_integer_arithmetic(text: str, points: int) -> None:
    alpha = Rational.parse(text)
    generator = random.Random(text)
    assert get_pow_scale_bits(alpha) == 128
    for _ in range(points):
        base = generator.randrange(2, 2 ** generator.randrange(2, 129))
        result = pow_ratio(base, alpha)
        power = base**alpha.numerator << 128 * alpha.denominator
        assert result**alpha.denominator <= power < (result + 1) ** alpha.denominator


@pytest.mark.parametrize("points", [250, pytest.param(12_500, marks=pytest.mark.long)])
@pytest.mark.parametrize("text", ["1/1000", "0.123", "3999/1000"])
def test_pow_is_the_exact_floor(text: str, points: int) -> None:
    alpha = Rational.parse(text)
    generator = random.Random(text)
    with mpmath.workprec(REFERENCE_BITS):
        for _ in range(points):
            base = generator.randrange(2, 2 ** generator.randrange(2, 129))
            assert pow_ratio(base, alpha) == reference_pow(base, alpha, 128)


def test_pow_of_integers_and_one_half_is_exact_integer_arithmetic() -> None:
    stake = 123_456_789 * 10**18
    assert [get_pow_scale_bits(Rational(n, 1)) for n in range(3)] == [0, 0, 0]
    assert pow_ratio(stake, Rational(0, 1)) == pow_ratio(0, Rational(0, 1)) == 1
    assert pow_ratio(stake, Rational(1, 1)) == stake
    assert pow_ratio(stake, Rational(2, 1)) == stake * stake
    half = Rational(1, 2)
    assert get_pow_scale_bits(half) == 64
    assert pow_ratio(16, half) == 4 << 64
    assert pow_ratio(2, half) == 26_087_635_650_665_564_424
    assert pow_ratio(0, half) == pow_ratio(0, Rational(1, 3)) == 0


def test_pow_finds_results_that_are_integers() -> None:
    assert pow_ratio(1, Rational(999, 1000)) == ONE_Q128
    assert pow_ratio(16, Rational(1, 4)) == 2 << 128
    assert pow_ratio(2**200, Rational(7, 200)) == 2**7 << 128
    assert pow_ratio(10**18, Rational(7, 3)) == 10**42 << 128
    assert pow_ratio(2**250, Rational(999, 1000)) < 2**250 << 128


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**128), st.integers(0, 2**128), st.sampled_from([*ALPHAS, "1/2", "0", "2"]))
def test_pow_is_monotone(first: int, second: int, text: str) -> None:
    small, large = sorted((first, second))
    alpha = Rational.parse(text)
    assert pow_ratio(small, alpha) <= pow_ratio(large, alpha)


def test_pow_of_neighbours_near_two_to_the_128_is_monotone_and_apart() -> None:
    alpha = Rational(3, 4)
    values = [pow_ratio(2**128 - offset, alpha) for offset in range(64, -64, -1)]
    assert values == sorted(set(values))


def test_pow_refuses_what_is_beyond_its_limits() -> None:
    with pytest.raises(ValueError, match=r"^base -1 is outside 0 to 2\^256$"):
        pow_ratio(-1, Rational(1, 2))
    with pytest.raises(ValueError, match=r"is outside 0 to 2\^256$"):
        pow_ratio(2**256, Rational(1, 2))
    with pytest.raises(
        ValueError, match=r"^exponent 9/2 is above 4 or its denominator above 1000$"
    ):
        pow_ratio(2, Rational(9, 2))
    with pytest.raises(ValueError, match=r"^exponent 1/1001 is above 4 or its denominator"):
        pow_ratio(2, Rational(1, 1001))
