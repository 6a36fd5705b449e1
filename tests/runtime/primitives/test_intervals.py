"""Bounds: they hold the exact value at every precision, and they are narrow."""

import random

import mpmath
import pytest

from runtime.primitives.intervals import (
    compute_exp_bounds,
    compute_ln2_bounds,
    compute_ln_bounds,
)


@pytest.mark.parametrize("precision", [16, 64, 192, 256, 1024])
def test_ln2_lies_within_its_bounds(precision: int) -> None:
    low, high = compute_ln2_bounds(precision)
    with mpmath.workprec(precision + 64):
        assert low <= mpmath.ldexp(mpmath.log(2), precision) <= high
    assert high - low < 8 * precision


@pytest.mark.parametrize("precision", [32, 192, 512])
def test_ln_lies_within_its_bounds(precision: int) -> None:
    generator = random.Random(precision)
    for bits in range(1, 130):
        value = generator.randrange(2 ** (bits - 1), 2**bits)
        low, high = compute_ln_bounds(value, precision)
        with mpmath.workprec(precision + 200):
            assert low <= mpmath.ldexp(mpmath.log(value), precision) <= high
        assert high - low < 8 * precision * (bits + 1)


@pytest.mark.parametrize("precision", [32, 192, 512])
def test_exp_lies_within_its_bounds(precision: int) -> None:
    generator = random.Random(precision)
    for _ in range(200):
        exponent = generator.randrange(-90 << precision, 90 << precision)
        (low, high), shift = compute_exp_bounds((exponent, exponent + 1), precision)
        with mpmath.workprec(2 * precision + 200):
            exact = mpmath.ldexp(mpmath.exp(mpmath.ldexp(exponent, -precision)), precision - shift)
            upper = mpmath.ldexp(
                mpmath.exp(mpmath.ldexp(exponent + 1, -precision)), precision - shift
            )
            assert low <= exact < upper <= high
        assert high - low < 2**22
