"""Exact integer exponentials, logarithms and powers, for rewards that every node must agree on.

Owns `exp_floor`, `ln_floor` and `pow_ratio`. Each result is the floor of the exact real number at
the stated scale: the bounds of `intervals` are narrowed until both ends have one floor, so the
answer depends on no precision, library or processor (libm's exp differs between platforms).
Invariant: monotone in the argument, since the floor of a monotone function is.
Source: WP V.E (stake^alpha), WP V.F (e^(-lambda * distance)), WP IV.A (stake^p).
"""

from __future__ import annotations

from math import isqrt
from typing import Final

from runtime.primitives.intervals import (
    Bounds,
    compute_exp_bounds,
    compute_ln_bounds,
)
from runtime.primitives.rational import Rational

SCALE_BITS: Final = 128
ONE_Q128: Final = 1 << SCALE_BITS
SQRT_SCALE_BITS: Final = 64
ALPHA_MAX: Final = 4
ALPHA_DENOMINATOR_MAX: Final = 1000
POW_BASE_BITS_MAX: Final = 256

_GUARD_BITS: Final = 64
_VANISHING_EXPONENT: Final = 89  # 2^128 * e^-89 < 1
_HALF: Final = Rational(1, 2)


def exp_floor(numerator: int, denominator: int = 1) -> int:
    """Floor of 2^128 * e^(numerator / denominator), for an exponent of zero or below.

    1 maps to 2^128 and everything at or below about -88.7 to 0. About 16 us.
    Raises: ValueError if the denominator is not positive or the exponent is positive.
    """
    if denominator <= 0:
        raise ValueError(f"denominator {denominator} is not positive")
    if numerator > 0:
        raise ValueError(f"exponent {numerator}/{denominator} is positive")
    if numerator == 0:
        return ONE_Q128
    if numerator <= -_VANISHING_EXPONENT * denominator:
        return 0
    # e^x is irrational for a rational x != 0, so the floor is settled at some precision.
    precision = SCALE_BITS + _GUARD_BITS
    while True:
        exponent = _scale(numerator, denominator, precision)
        low, high = _floors(exponent, precision)
        if low == high:
            return low
        precision *= 2


def ln_floor(value: int) -> int:
    """Floor of 2^128 * ln(value), for an integer >= 1.

    Raises: ValueError if the value is below 1.
    """
    if value < 1:
        raise ValueError(f"no logarithm of {value}")
    if value == 1:
        return 0
    precision = SCALE_BITS + _GUARD_BITS
    while True:  # ln of an integer above 1 is irrational
        low, high = (end >> precision - SCALE_BITS for end in compute_ln_bounds(value, precision))
        if low == high:
            return low
        precision *= 2


def get_pow_scale_bits(alpha: Rational) -> int:
    """The scale of `pow_ratio` for this alpha: results are s^alpha * 2^(these bits), floored."""
    if alpha.denominator == 1:
        return 0
    return SQRT_SCALE_BITS if alpha == _HALF else SCALE_BITS


def pow_ratio(base: int, alpha: Rational) -> int:
    """Floor of base^alpha * 2^scale, a weight comparable with every other of the same alpha.

    The scale is 2^0 for an integer alpha (exact; 0^0 is 1), 2^64 for one half (isqrt(base * 2^128))
    and 2^128 for all other exponents. About 100 us in the last case, below 1 us otherwise.
    Raises: ValueError if the base is negative or above 2^256, or alpha above 4 or with a
    denominator above 1000: limits on work, far from any parameter in use.
    """
    if base < 0 or base.bit_length() > POW_BASE_BITS_MAX:
        raise ValueError(f"base {base} is outside 0 to 2^{POW_BASE_BITS_MAX}")
    if alpha.denominator > ALPHA_DENOMINATOR_MAX or alpha.numerator > ALPHA_MAX * alpha.denominator:
        raise ValueError(
            f"exponent {alpha} is above {ALPHA_MAX} or its denominator above"
            f" {ALPHA_DENOMINATOR_MAX}"
        )
    if alpha.denominator == 1:
        return int(base**alpha.numerator)
    if base == 0:
        return 0
    if alpha == _HALF:
        return isqrt(base << 2 * SQRT_SCALE_BITS)
    return _pow_by_logarithm(base, alpha)


def _pow_by_logarithm(base: int, alpha: Rational) -> int:
    result_bits = base.bit_length() * alpha.numerator // alpha.denominator + 1
    # Whole steps of 64 bits, so that ln 2 is computed for a few precisions only.
    precision = (result_bits + SCALE_BITS + _GUARD_BITS + 63) // 64 * 64
    while True:
        low, high = compute_ln_bounds(base, precision)
        exponent = (
            low * alpha.numerator // alpha.denominator,
            -(-high * alpha.numerator // alpha.denominator),
        )
        floor_low, floor_high = _floors(exponent, precision)
        if floor_low == floor_high:
            return floor_low
        if _is_exact_power(base, alpha, floor_high):
            return floor_high  # no precision settles a result that is an integer itself
        precision *= 2


def _is_exact_power(base: int, alpha: Rational, result: int) -> bool:
    """Whether result / 2^128 is base^alpha exactly; numbers of up to 400,000 bits."""
    shifted_power = base**alpha.numerator << SCALE_BITS * alpha.denominator
    return bool(result**alpha.denominator == shifted_power)


def _scale(numerator: int, denominator: int, precision: int) -> Bounds:
    floored = (numerator << precision) // denominator
    return floored, floored + 1


def _floors(exponent: Bounds, precision: int) -> Bounds:
    """Floor of 2^128 * e^x at both ends of the bounds of x."""
    (low, high), shift = compute_exp_bounds(exponent, precision)
    drop = precision - SCALE_BITS - shift
    return low >> drop, high >> drop
