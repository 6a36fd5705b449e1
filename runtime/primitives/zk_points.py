"""Points and scalars of BLS12-381 as verifiable aggregation uses them.

Owns what is let in: a commitment is 48 bytes of a point in its one compressed form, in the
subgroup of prime order and not the identity; a scalar is 32 bytes, big endian, below the order.
Decompression with the subgroup check takes 100 us, so the points let in last are kept, each with
its last multiple by a weight: whoever admits a client spares the proof's check both.
Invariant: two different byte strings never become the same point.
Source: zkFL (arXiv 2310.02554) 4; draft-irtf-cfrg-pairing-friendly-curves; WP VI.H.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from operator import add
from typing import Final

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
POINT_BYTES: Final = 48
SECOND_BYTES: Final = 96  # of a point of the second group
SCALAR_BYTES: Final = 32
_KEPT_POINTS_MAX: Final = 16_384  # about 10 MB: five rounds of the largest size


class PointError(ValueError):
    """Bytes that are no point or scalar of the kind that is wanted."""


class KeptPoint:
    """A point that was let in, and its last multiple."""

    __slots__ = ("_multiple", "point")

    def __init__(self, point: G1Point) -> None:
        self.point = point
        self._multiple = (1, point)  # one value, so that no thread ever sees half of it

    def times(self, weight: int) -> G1Point:
        """weight·point; 5 us for a weight of 7 bits that is another one than the last time."""
        last, multiple = self._multiple
        if weight != last:
            multiple = self.point * Scalar(weight)
            self._multiple = (weight, multiple)
        return multiple


def admit(data: bytes) -> G1Point:
    """The point of a commitment or proof. Raises `PointError` on anything but its one form."""
    return admit_to_keep(data).point


@lru_cache(maxsize=_KEPT_POINTS_MAX)
def admit_to_keep(data: bytes) -> KeptPoint:
    """As `admit`, for a point of which multiples are asked for."""
    if len(data) != POINT_BYTES:
        raise PointError(f"a point of {len(data)} bytes, not {POINT_BYTES}")
    try:
        point = G1Point.from_compressed_bytes(data)
    except ValueError as error:
        raise PointError("no point of the subgroup") from error
    if point == G1Point.identity():
        raise PointError("the point at infinity")
    if bytes(point.to_compressed_bytes()) != data:
        raise PointError("a second form of a point")
    return KeptPoint(point)


def admit_second(data: bytes) -> G2Point:
    """A point of the second group, not the identity. Raises `PointError` as `admit` does."""
    if len(data) != SECOND_BYTES:
        raise PointError(f"a point of {len(data)} bytes, not {SECOND_BYTES}")
    try:
        point = G2Point.from_compressed_bytes(data)
    except ValueError as error:
        raise PointError("no point of the second subgroup") from error
    if point == G2Point.identity() or bytes(point.to_compressed_bytes()) != data:
        raise PointError("the point at infinity, or a second form of a point")
    return point


def read_scalar(data: bytes) -> int:
    """A number below the order. Raises `PointError`."""
    number = int.from_bytes(data, "big")
    if len(data) != SCALAR_BYTES or number >= ORDER:
        raise PointError("no canonical scalar")
    return number


def compress(point: G1Point) -> bytes:
    """The 48 bytes of a point."""
    return bytes(point.to_compressed_bytes())


def compress_second(point: G2Point) -> bytes:
    """The 96 bytes of a point of the second group."""
    return bytes(point.to_compressed_bytes())


def combine(points: Sequence[G1Point], factors: Sequence[int]) -> G1Point:
    """Σ factor·point; a factor is from 0 to below the order. Cheaper if all are short."""
    assert len(points) == len(factors), f"{len(points)} points, {len(factors)} factors"
    # From bytes: from numbers takes four to ten times as long.
    scalars = [Scalar.from_le_bytes(factor.to_bytes(SCALAR_BYTES, "little")) for factor in factors]
    return G1Point.multiexp_unchecked(list(points), scalars)


def add_all(points: Iterable[G1Point]) -> G1Point:
    """Σ point, of one at least."""
    return reduce(add, points)


def are_paired(left: G1Point, right: G1Point, power: G2Point) -> bool:
    """Whether e(left, [1]) = e(right, power)."""
    return GT.pairing_check([left, -right], [G2Point(), power])
