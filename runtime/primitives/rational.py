"""Non-negative rationals in lowest terms: how parameters such as 0.85 or 1/3 are stored.

Owns `Rational` and the two divisions of products, with the rounding in their names.
Invariant: one value, one form; the denominator is positive, both parts are coprime and below
2^128, and every constructor checks it, the decoder's included.
Source: WP V.E, V.H (q, delta, alpha as parameters); the arithmetic of the chain is integers only.
"""

from __future__ import annotations

import re
from math import gcd
from typing import Final

from runtime.primitives.scale import DecodeError, scale_type
from runtime.primitives.types import U128

PART_MAX: Final = 2**128 - 1

_FRACTION: Final = re.compile(r"([0-9]{1,39})/([0-9]{1,39})", re.ASCII)
_DECIMAL: Final = re.compile(r"([0-9]{1,39})(?:\.([0-9]{1,38}))?", re.ASCII)


class RationalError(DecodeError):
    """The parts or the text are no rational in canonical form.

    A DecodeError, because the record is also built from bytes that others send.
    """


def mul_div_floor(amount: int, numerator: int, denominator: int) -> int:
    """Floor of amount * numerator / denominator. Raises: ValueError if denominator <= 0."""
    if denominator <= 0:
        raise ValueError(f"denominator {denominator} is not positive")
    return amount * numerator // denominator


def mul_div_ceil(amount: int, numerator: int, denominator: int) -> int:
    """Ceiling of amount * numerator / denominator. Raises: ValueError if denominator <= 0."""
    if denominator <= 0:
        raise ValueError(f"denominator {denominator} is not positive")
    return -(-amount * numerator // denominator)


@scale_type
class Rational:
    """numerator / denominator >= 0 in lowest terms; zero is 0/1.

    Raises: RationalError unless the parts are canonical; `reduced` brings them into that form.
    """

    numerator: U128
    denominator: U128

    def __post_init__(self) -> None:
        if not 0 <= self.numerator <= PART_MAX or not 0 < self.denominator <= PART_MAX:
            raise RationalError(f"{self} has a part outside of 0 to 2^128 - 1 or divides by 0")
        if gcd(self.numerator, self.denominator) != 1:
            raise RationalError(f"{self} is not in lowest terms")

    @classmethod
    def reduced(cls, numerator: int, denominator: int) -> Rational:
        """The rational of any two parts, brought to lowest terms."""
        if numerator < 0 or denominator <= 0:
            raise RationalError(f"{numerator}/{denominator} is negative or divides by 0")
        divisor = gcd(numerator, denominator)
        return cls(numerator // divisor, denominator // divisor)

    @classmethod
    def parse(cls, text: str) -> Rational:
        """From "17/20" or "0.85"; "34/40" is refused, decimals are reduced.

        Raises: RationalError, also for signs, exponents, spaces and digits outside of ASCII.
        """
        if match := _FRACTION.fullmatch(text):
            return cls(int(match[1]), int(match[2]))
        if match := _DECIMAL.fullmatch(text):
            decimals = match[2] or ""
            return cls.reduced(int(match[1] + decimals), 10 ** len(decimals))
        raise RationalError(f"{text[:80]!r} is neither a fraction a/b nor a decimal")

    def mul_floor(self, amount: int) -> int:
        """Floor of amount * self."""
        return amount * self.numerator // self.denominator

    def mul_ceil(self, amount: int) -> int:
        """Ceiling of amount * self."""
        return -(-amount * self.numerator // self.denominator)

    def complement(self) -> Rational:
        """1 - self. Raises: RationalError if self is above 1."""
        return Rational.reduced(self.denominator - self.numerator, self.denominator)

    def is_at_most_one(self) -> bool:
        """Whether it can be a share."""
        return self.numerator <= self.denominator

    def __lt__(self, other: Rational) -> bool:
        return self.numerator * other.denominator < other.numerator * self.denominator

    def __le__(self, other: Rational) -> bool:
        return self.numerator * other.denominator <= other.numerator * self.denominator

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"
