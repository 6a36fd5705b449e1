"""Bounds of ln and exp in integers, to any precision.

Owns the series behind `fixed_point`. A fixed-point value at precision p is an integer v that means
v / 2^p; every function returns a pair (low, high) of such integers with low <= exact <= high. A
logarithm's sum is taken twice, with every operation rounded down and then up; an exponential's is
taken once, rounded down, and what that can have lost is added: half the time in the hot path.
Invariant: the pairs are proven bounds, never estimates; a larger p makes them narrower.
Source: Taylor series of exp, 2 * artanh((f - 1) / (f + 1)) = ln f.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

Bounds = tuple[int, int]

_HALVINGS: Final = 8  # exp(u) = exp(u / 2^8)^(2^8): the series then needs a term per 10 bits


def compute_exp_bounds(exponent: Bounds, precision: int) -> tuple[Bounds, int]:
    """Mantissa bounds m at `precision` and a shift k, with e^x = m * 2^k for x in `exponent`."""
    low, high = exponent
    ln2_low, ln2_high = compute_ln2_bounds(precision)
    shift = low // ln2_low
    if low < max(shift * ln2_low, shift * ln2_high):
        shift -= 1  # keeps what is left for the series at zero or above
    products = (shift * ln2_low, shift * ln2_high)
    rest_low, rest_high = low - max(products), high - min(products)
    reduced_low, reduced_high = rest_low >> _HALVINGS, (rest_high >> _HALVINGS) + 1
    mantissa, terms = _exp_series(reduced_low, precision)
    # In units of the last place, for an error e relative to a value of at least 1: a term loses
    # below 2.1, as the one before it hands on less than 2^-8 of its own loss; what follows the
    # last is below 2; a wider exponent adds its width; a squaring doubles e and adds 1. The
    # reserve from 256 to 260 covers the products of errors, at 32 bits and more.
    error = 260 * (3 * terms + 4 + reduced_high - reduced_low)
    return (mantissa, mantissa + (mantissa * error >> precision) + 1), shift


def compute_ln_bounds(value: int, precision: int) -> Bounds:
    """ln of an integer >= 1, at `precision`."""
    binary_exponent = value.bit_length() - 1
    power = 1 << binary_exponent
    ln2_low, ln2_high = compute_ln2_bounds(precision)
    low, high = _double_artanh(value - power, value + power, precision)
    return binary_exponent * ln2_low + low, binary_exponent * ln2_high + high


@lru_cache(maxsize=64)
def compute_ln2_bounds(precision: int) -> Bounds:
    """ln 2 at `precision`; few precisions occur, so the values are kept."""
    return _double_artanh(1, 3, precision)


def _exp_series(reduced: int, precision: int) -> tuple[int, int]:
    """e^(reduced * 2^_HALVINGS), rounded down, and how many terms it took; reduced >= 0."""
    total = term = 1 << precision
    terms = 0
    while term:
        terms += 1
        term = (term * reduced >> precision) // terms
        total += term
    for _ in range(_HALVINGS):
        total = total * total >> precision
    return total, terms


def _double_artanh(numerator: int, denominator: int, precision: int) -> Bounds:
    """2 * artanh(numerator / denominator), for a fraction from 0 to 1/3."""
    ends = []
    for up in (0, 1):
        power = (numerator << precision) // denominator + up
        square = (power * power >> precision) + up
        total = 0
        index = 1
        while True:
            floored = power // index
            if floored == 0:
                break
            total += floored + up
            power = (power * square >> precision) + up
            index += 2
        ends.append(2 * (total + 2 * up))
    return ends[0], ends[1]
