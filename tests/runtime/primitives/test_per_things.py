"""Perbill and FixedU128: Substrate's rounding and saturation."""

import pytest

from runtime.primitives.per_things import FixedU128, Perbill, PerbillError
from runtime.primitives.scale import DecodeError, codec_of

ONE = FixedU128.from_int(1)


def test_perbill_rounds_as_named() -> None:
    third = Perbill.from_rational(1, 3)
    assert third == Perbill(333_333_333)
    assert third.mul_floor(10) == 3
    assert third.mul_ceil(10) == 4
    assert Perbill.from_percent(75).mul_floor(7) == 5
    assert Perbill.from_percent(75).complement() == Perbill.from_percent(25)


def test_perbill_of_too_much_is_one() -> None:
    assert Perbill.from_rational(2, 1) == Perbill.from_rational(1, 0) == Perbill(10**9)


def test_perbill_above_one_is_refused_by_constructor_and_decoder() -> None:
    with pytest.raises(PerbillError, match=r"^1000000001 is outside of 0 to 10\^9 parts$"):
        Perbill(10**9 + 1)
    with pytest.raises(DecodeError):
        codec_of(Perbill).decode_all((10**9 + 1).to_bytes(4, "little"))
    assert codec_of(Perbill).encode(Perbill(1)) == b"\x01\x00\x00\x00"


def test_fixed_u128_multiplies_and_rounds_down() -> None:
    half = FixedU128.from_rational(1, 2)
    third = FixedU128.from_rational(1, 3)
    assert half.saturating_mul(third).inner == 166_666_666_666_666_666
    assert half.saturating_mul_int(7) == 3
    assert ONE.saturating_mul(third) == third
    assert codec_of(FixedU128).encode(ONE) == (10**18).to_bytes(16, "little")


def test_fixed_u128_saturates_at_both_ends() -> None:
    top = FixedU128(2**128 - 1)
    assert top.saturating_add(ONE) == top.saturating_mul(FixedU128.from_int(2)) == top
    assert ONE.saturating_sub(FixedU128.from_int(2)) == FixedU128(0)
    assert top.saturating_mul_int(2**128 - 1) == 2**128 - 1
    assert FixedU128.from_int(2**128) == top
