"""Reference strings: the vendored one is the ceremony's, and altered ones are found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from runtime.primitives.zk_points import PointError, add_all, combine, compress, read_scalar
from runtime.primitives.zk_setup import SetupError, ensure_structure, ethereum_setup
from tests.zk_world import small_setup


def test_the_ceremony_of_ethereum() -> None:
    setup = ethereum_setup()
    assert (setup.points, setup.chunk, setup.is_lagrange) == (4096, 4092, True)
    assert setup.chunks_of(1_000_000) == 245
    assert [setup.chunks_of(count) for count in (1, 4092, 4093)] == [1, 1, 2]
    ensure_structure(setup)


@pytest.mark.parametrize("is_lagrange", [True, False])
def test_an_altered_setup_is_refused(is_lagrange: bool) -> None:
    setup = small_setup(is_lagrange=is_lagrange)
    ensure_structure(setup)
    stranger = compress(G1Point() * Scalar(77))
    wrong_power = setup.powers[:96] + stranger + setup.powers[144:]
    with pytest.raises(SetupError, match=r"^a point is not τ times the one before it$"):
        ensure_structure(replace(setup, powers=wrong_power))
    with pytest.raises(SetupError, match=r"^the powers do not begin with the generator$"):
        ensure_structure(replace(setup, powers=stranger + setup.powers[48:]))
    other = bytes((G2Point() * Scalar(78)).to_compressed_bytes())
    with pytest.raises(SetupError, match=r"^a point is not τ times the one before it$"):
        ensure_structure(replace(setup, tau=other))
    for place in range(8):
        at = 48 * place
        basis = setup.basis[:at] + stranger + setup.basis[at + 48 :]
        with pytest.raises(SetupError, match=r"^the basis is not that of the powers$"):
            ensure_structure(replace(setup, basis=basis))


def test_sums_of_points() -> None:
    points = [G1Point() * Scalar(factor) for factor in (2, 3, 5)]
    assert combine(points, [7, 11, 13]) == G1Point() * Scalar(14 + 33 + 65)
    assert add_all(iter(points)) == G1Point() * Scalar(10)
    with pytest.raises(PointError, match=r"^no canonical scalar$"):
        read_scalar(bytes(31))
