"""The structured reference string: points of powers of a number τ that nobody knows.

A setup of N points commits to chunks of N − 4 parameters and four blinders. Profile A is the string
of the Ethereum KZG ceremony: N = 4096, the Lagrange basis over the 4096th roots of unity in
bit-reversed order, as its clients use it. One honest contributor among its 141,416 makes it safe.
Invariant: the vendored bytes have the digest of the file that Ethereum's clients ship.
Source: WP VI.H; Ethereum consensus-specs, deneb/polynomial-commitments; EIP-4844.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from py_arkworks_bls12381 import G1Point, G2Point

from runtime.primitives.hashing import sha2_256
from runtime.primitives.types import Hash
from runtime.primitives.zk_points import ORDER, POINT_BYTES, are_paired, combine, compress

BLINDERS: Final = 4  # so that three different proofs over the same commitments tell nothing
G2_BYTES: Final = 96
ETHEREUM_POINTS: Final = 4096
_ETHEREUM_POWERS: Final = 65  # of τ in the second group; one is used here
ETHEREUM_SHA256: Final = bytes.fromhex(
    "d39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7"
)
"""Of `trusted_setup.txt`, as the ceremony's clients ship it."""


class SetupError(ValueError):
    """A reference string that has not the structure that it should have."""


@dataclass(frozen=True)
class Setup:
    """A reference string. `basis`: compressed points, one after another, that chunks are committed
    to; `powers`: the points of 1, τ, τ² ... below N; `tau`: the point of τ in the second group.

    `is_lagrange`: whether a chunk's numbers are values at roots of unity, or else coefficients.
    """

    basis: bytes
    powers: bytes
    tau: bytes
    is_lagrange: bool

    @cached_property
    def points(self) -> int:
        """N."""
        return len(self.basis) // POINT_BYTES

    @cached_property
    def chunk(self) -> int:
        """How many parameters one commitment has."""
        return self.points - BLINDERS

    @cached_property
    def id(self) -> Hash:
        """The digest by which transcripts name it; a basis that is the powers is in it once."""
        basis = self.basis if self.is_lagrange else b""
        return sha2_256(basis + self.powers + self.tau)

    @cached_property
    def power(self) -> G2Point:
        """[τ]₂."""
        return G2Point.from_compressed_bytes(self.tau)

    @cached_property
    def generators(self) -> tuple[G1Point, ...]:
        """The points of `basis`, unchecked: `ensure_structure` is the check. 0.2 s for 4096."""
        return _decompress(self.basis)

    @cached_property
    def domain(self) -> tuple[int, ...]:
        """The roots of unity at which a chunk's numbers are values, in their order; none else."""
        return roots_of_unity(self.points) if self.is_lagrange else ()

    def chunks_of(self, parameters: int) -> int:
        """How many commitments a model of so many parameters has."""
        return -(-parameters // self.chunk)


def commit_chunk(setup: Setup, numbers: Sequence[int], blinders: Sequence[int]) -> bytes:
    """The commitment to one chunk; 14 ms for numbers below 2^16."""
    generators = setup.generators
    short = combine(generators[: len(numbers)], numbers)  # apart: long numbers slow down short ones
    return compress(short + combine(generators[setup.chunk :], blinders))


def ensure_structure(setup: Setup) -> None:
    """Check that the points are successive powers of τ, and the basis theirs. Raises `SetupError`.

    Batched with factors that depend on all points; about a second for 4096 points.
    """
    factors = [_factor(setup.id, place) for place in range(setup.points)]
    powers = _decompress(setup.powers)
    if len(powers) != setup.points or powers[0] != G1Point():
        raise SetupError("the powers do not begin with the generator")
    others = setup.generators if setup.is_lagrange else ()
    if not all(point.is_in_subgroup() for point in (*powers, *others)):
        raise SetupError("a point is outside the subgroup")
    right = combine(powers[:-1], factors[:-1])
    if not are_paired(combine(powers[1:], factors[:-1]), right, setup.power):
        raise SetupError("a point is not τ times the one before it")
    if setup.is_lagrange:
        values = _values_at_roots_of_unity(factors)
        is_same = combine(powers, factors) == combine(setup.generators, values)
    else:
        is_same = setup.basis == setup.powers
    if not is_same:
        raise SetupError("the basis is not that of the powers")


@lru_cache(maxsize=1)
def ethereum_setup() -> Setup:
    """Profile A, from the package's own bytes. Raises `SetupError` if they were altered."""
    found = pkgutil.get_data("runtime.primitives", "ethereum_kzg_4096.bin")
    assert found is not None, "the package has the file"
    split = ETHEREUM_POINTS * POINT_BYTES
    end = split + _ETHEREUM_POWERS * G2_BYTES
    lagrange, seconds, powers = found[:split], found[split:end], found[end:]
    if sha2_256(_as_text(lagrange, seconds, powers)) != ETHEREUM_SHA256:
        raise SetupError("the ceremony's file was altered")
    points = [lagrange[at : at + POINT_BYTES] for at in range(0, split, POINT_BYTES)]
    basis = b"".join(points[_reversed(place, 12)] for place in range(ETHEREUM_POINTS))
    return Setup(basis, powers, seconds[G2_BYTES : 2 * G2_BYTES], is_lagrange=True)


def roots_of_unity(count: int) -> tuple[int, ...]:
    """The roots of unity of a power of two, in bit-reversed order."""
    root, bits, powers = _root(count), count.bit_length() - 1, [1]
    for _ in range(count - 1):
        powers.append(powers[-1] * root % ORDER)
    return tuple(powers[_reversed(place, bits)] for place in range(count))


def _as_text(lagrange: bytes, seconds: bytes, powers: bytes) -> bytes:
    """The ceremony's file, of which the package has the bytes without the hexadecimal."""
    lines = [str(ETHEREUM_POINTS), str(_ETHEREUM_POWERS)]
    for data, size in ((lagrange, POINT_BYTES), (seconds, G2_BYTES), (powers, POINT_BYTES)):
        lines += [data[at : at + size].hex() for at in range(0, len(data), size)]
    return "\n".join([*lines, ""]).encode()


def _values_at_roots_of_unity(coefficients: list[int]) -> list[int]:
    """A polynomial's values at the roots of unity, in the order of a basis."""
    count = len(coefficients)
    root, bits = _root(count), count.bit_length() - 1
    values = [coefficients[_reversed(place, bits)] for place in range(count)]
    width = 1
    while width < count:
        step = pow(root, count // (2 * width), ORDER)
        for start in range(0, count, 2 * width):
            twiddle = 1
            for at in range(start, start + width):
                low, high = values[at], values[at + width] * twiddle % ORDER
                values[at], values[at + width] = (low + high) % ORDER, (low - high) % ORDER
                twiddle = twiddle * step % ORDER
        width *= 2
    return [values[_reversed(place, bits)] for place in range(count)]


def _factor(seed: bytes, place: int) -> int:
    return int.from_bytes(sha2_256(seed + place.to_bytes(4, "little"))[:16], "little")


def _decompress(data: bytes) -> tuple[G1Point, ...]:
    step = POINT_BYTES
    pieces = (data[at : at + step] for at in range(0, len(data), step))
    return tuple(G1Point.from_compressed_bytes_unchecked(piece) for piece in pieces)


def _root(count: int) -> int:
    return pow(7, (ORDER - 1) // count, ORDER)


def _reversed(place: int, bits: int) -> int:
    return int(f"{place:0{bits}b}"[::-1], 2)
