"""The group: what libsodium must refuse, what hashing to it gives, frozen."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nacl.exceptions import CryptoError

from runtime.primitives import curve
from tests.runtime.primitives import edwards

ONE = (1).to_bytes(32, "little")
THREE = (3).to_bytes(32, "little")
POINT = curve.hash_to_point(b"a point")
NON_CANONICAL = [
    (curve.FIELD_PRIME + y | sign << 255).to_bytes(32, "little")
    for y in range(19)
    for sign in (0, 1)
]


@pytest.mark.parametrize(
    ("data", "point"),
    [
        (b"", "8ec51170224e5af5871b23f8fd5d27852a0f89ab1a47eed57eea1071a2624858"),
        (b"flock", "77b87052b668edfc1a93f54f57d9100335e7e204e214026cdca3caf0ae312b5b"),
        (bytes(range(256)), "8b7310b7f2f370bf480b14b6c2e3e00865d8c165a7abe4fdd526d1f8826eb390"),
    ],
)
def test_hash_to_point_is_frozen(data: bytes, point: str) -> None:
    assert curve.hash_to_point(data).hex() == point


@settings(max_examples=25)
@given(st.binary(max_size=100))
def test_hashes_are_points_of_the_prime_subgroup(data: bytes) -> None:
    point = edwards.point_of(curve.hash_to_point(data))
    assert point != edwards.ZERO
    assert edwards.multiply((edwards.ORDER, point)) == edwards.ZERO


@settings(max_examples=25)
@given(st.integers(1, curve.GROUP_ORDER - 1), st.integers(1, curve.GROUP_ORDER - 1))
def test_multiplying_and_adding_agree_with_integers(left: int, right: int) -> None:
    point = edwards.point_of(POINT)
    product = curve.point_mul(left.to_bytes(32, "little"), POINT)
    assert product == edwards.encode(edwards.multiply((left, point)))
    total = curve.point_add(curve.base_mul(right.to_bytes(32, "little")), product)
    assert total == edwards.encode(edwards.multiply((right, edwards.BASE), (left, point)))


@pytest.mark.parametrize("torsion", edwards.TORSION, ids=bytes.hex)
def test_small_order_is_refused_alone_and_as_a_part(torsion: bytes) -> None:
    """A point with a part of order two is what older libsodium took (CVE-2025-69277)."""
    mixed = curve.point_add(POINT, torsion)
    assert mixed != POINT
    for scalar in (ONE, THREE, (8).to_bytes(32, "little")):
        for point in (torsion, mixed):
            with pytest.raises(CryptoError):
                curve.point_mul(scalar, point)


@pytest.mark.parametrize("point", NON_CANONICAL, ids=bytes.hex)
def test_second_encodings_are_refused(point: bytes) -> None:
    assert not curve.is_canonical(point)
    with pytest.raises(CryptoError):
        curve.point_mul(THREE, point)


def test_zero_and_products_that_vanish_are_refused() -> None:
    for scalar in (bytes(32), curve.GROUP_ORDER.to_bytes(32, "little")):
        assert not curve.is_scalar(scalar)
        with pytest.raises(CryptoError):
            curve.point_mul(scalar, POINT)
        with pytest.raises(CryptoError):
            curve.base_mul(scalar)


@pytest.mark.parametrize("operation", [curve.point_add, curve.point_sub, curve.point_mul])
@pytest.mark.parametrize("wrong", [b"", ONE[:31], ONE + b"\x00"], ids=len)
def test_libsodium_never_reads_past_what_it_is_given(
    operation: Callable[[bytes, bytes], bytes], wrong: bytes
) -> None:
    for arguments in ((wrong, POINT), (POINT, wrong)):
        with pytest.raises(CryptoError, match=f"{len(wrong)} bytes where points and scalars"):
            operation(*arguments)
    with pytest.raises(CryptoError, match=f"{len(wrong)} bytes where points and scalars"):
        curve.clear_cofactor(wrong)


def test_eight_times_a_point_lies_in_the_subgroup() -> None:
    eight = (8).to_bytes(32, "little")
    assert curve.clear_cofactor(POINT) == curve.point_mul(eight, POINT)
    for torsion in edwards.TORSION:
        assert curve.clear_cofactor(torsion) == curve.IDENTITY
        assert curve.clear_cofactor(curve.point_add(POINT, torsion)) == curve.clear_cofactor(POINT)
    numbers = (y.to_bytes(32, "little") for y in range(2, 20))
    with pytest.raises(CryptoError, match="not on the curve"):
        curve.clear_cofactor(next(y for y in numbers if edwards.decode(y) is None))


@pytest.mark.parametrize("is_form", [curve.is_canonical, curve.is_scalar])
def test_lengths_count(is_form: Callable[[bytes], bool]) -> None:
    assert is_form(ONE)
    assert not is_form(b"")
    assert not is_form(ONE[:31])
    assert not is_form(ONE + b"\x00")


def test_bounds_of_scalars() -> None:
    assert curve.is_scalar((curve.GROUP_ORDER - 1).to_bytes(32, "little"))
    assert not curve.is_scalar((curve.GROUP_ORDER + 1).to_bytes(32, "little"))
    assert not curve.is_scalar((1 + 2**255).to_bytes(32, "little"))  # a bit that libsodium ignores


def test_parts_are_framed() -> None:
    forms = [
        curve.hash_parts(b"ab", b"c"),
        curve.hash_parts(b"a", b"bc"),
        curve.hash_parts(b"abc"),
        curve.hash_parts(b"ab", b"c", b""),
        curve.hash_parts(b"ab", b"", b"c"),
    ]
    assert len(set(forms)) == len(forms)


@given(*(st.integers(1, curve.GROUP_ORDER - 1) for _ in range(3)))
def test_a_commitment_is_what_the_answer_answers(nonce: int, challenge: int, secret: int) -> None:
    u, c, x = (number.to_bytes(32, "little") for number in (nonce, challenge, secret))
    response = curve.answer(u, c, x)
    assume(response != bytes(32))
    assert curve.commitment(response, c, curve.base_mul(x)) == curve.base_mul(u)
    assert curve.commitment(response, c, curve.point_mul(x, POINT), POINT) == curve.point_mul(
        u, POINT
    )
