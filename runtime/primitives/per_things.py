"""Substrate's two fixed-point records: `Perbill` (parts of 10^9) and `FixedU128` (18 decimals).

Owns what the fee multiplier and Substrate-shaped constants need of them; parameters of our own
are `Rational`. Invariant: every rounding is named or stated, and a result that does not fit is
clamped only by the functions that say `saturating`.
Source: Substrate `sp_arithmetic::{per_things, fixed_point}`.
"""

from __future__ import annotations

from typing import Final

from runtime.primitives.scale import DecodeError, scale_type
from runtime.primitives.types import U32, U128

PERBILL_PARTS: Final = 10**9
FIXED_U128_DIVISOR: Final = 10**18
_U128_MAX: Final = 2**128 - 1


class PerbillError(DecodeError):
    """More than 10^9 parts; a DecodeError, because records are built from foreign bytes too."""


@scale_type(path="sp_arithmetic::per_things::Perbill")
class Perbill:
    """A share of 0 to 1 in parts of 10^9. Raises: PerbillError for more parts."""

    parts: U32

    def __post_init__(self) -> None:
        if not 0 <= self.parts <= PERBILL_PARTS:
            raise PerbillError(f"{self.parts} is outside of 0 to 10^9 parts")

    @classmethod
    def from_percent(cls, percent: int) -> Perbill:
        """Whole percents, 0 to 100."""
        return cls(percent * (PERBILL_PARTS // 100))

    @classmethod
    def from_rational(cls, numerator: int, denominator: int) -> Perbill:
        """numerator / denominator rounded down, at most 1; a denominator of zero gives 1."""
        if denominator <= 0 or numerator >= denominator:
            return cls(PERBILL_PARTS)
        return cls(numerator * PERBILL_PARTS // denominator)

    def mul_floor(self, amount: int) -> int:
        """Floor of amount * self."""
        return amount * self.parts // PERBILL_PARTS

    def mul_ceil(self, amount: int) -> int:
        """Ceiling of amount * self."""
        return -(-amount * self.parts // PERBILL_PARTS)

    def complement(self) -> Perbill:
        """1 - self."""
        return Perbill(PERBILL_PARTS - self.parts)


@scale_type(path="sp_arithmetic::fixed_point::FixedU128")
class FixedU128:
    """inner / 10^18, from 0 to about 3.4 * 10^20; operations round down and saturate."""

    inner: U128

    @classmethod
    def from_int(cls, value: int) -> FixedU128:
        """A whole number, at most the largest value."""
        return cls.saturating(value * FIXED_U128_DIVISOR)

    @classmethod
    def from_rational(cls, numerator: int, denominator: int) -> FixedU128:
        """numerator / denominator rounded down. Raises: ZeroDivisionError for a zero divisor."""
        return cls.saturating(numerator * FIXED_U128_DIVISOR // denominator)

    @classmethod
    def saturating(cls, inner: int) -> FixedU128:
        """The value of an inner integer, clamped into 0 to 2^128 - 1."""
        return cls(min(max(inner, 0), _U128_MAX))

    def saturating_add(self, other: FixedU128) -> FixedU128:
        """self + other, at most the largest value."""
        return FixedU128.saturating(self.inner + other.inner)

    def saturating_sub(self, other: FixedU128) -> FixedU128:
        """self - other, at least zero."""
        return FixedU128.saturating(self.inner - other.inner)

    def saturating_mul(self, other: FixedU128) -> FixedU128:
        """self * other rounded down, at most the largest value."""
        return FixedU128.saturating(self.inner * other.inner // FIXED_U128_DIVISOR)

    def saturating_mul_int(self, value: int) -> int:
        """self * value rounded down to an integer, at most 2^128 - 1: a fee in planck."""
        return min(self.inner * value // FIXED_U128_DIVISOR, _U128_MAX)
