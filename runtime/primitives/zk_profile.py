"""Which reference string a chain uses: profile A, Ethereum's, or profile B, one made for it.

Owns what a state says of it, size and digest, and the strings of profile B that this process was
handed, by their digests: megabytes have no place in a state. A string of profile B is the powers
and [τ]₂, one after another; its SHA-256 is its name. What points it has, only the ceremony's
transcript tells: the digest fixes them.
Invariant: a string that is handed out has the size and the digest that the chain names.
Source: WP VI.H; zkFL (arXiv 2310.02554) 4.
"""

from __future__ import annotations

from typing import Final

from runtime.primitives.hashing import sha2_256
from runtime.primitives.scale import scale_type
from runtime.primitives.types import U32, Hash
from runtime.primitives.zk_points import POINT_BYTES, SECOND_BYTES
from runtime.primitives.zk_setup import BLINDERS, Setup, SetupError, ethereum_setup

SETUP_POINTS_MIN: Final = 2 * BLINDERS
SETUP_POINTS_MAX: Final = 1 << 16  # so that a block holds a chunk that somebody disputes


@scale_type(path="flockchain_primitives::ChainSetup")
class ChainSetup:
    """A string of profile B: how many points it has, and its SHA-256."""

    points: U32
    digest: Hash

    @property
    def chunk(self) -> int:
        """How many parameters one commitment has."""
        return self.points - BLINDERS


class SetupMissing(Exception):
    """This process was not handed the string that the chain names: no block can be judged."""


def setup_bytes(setup: Setup) -> bytes:
    """The file of a string of profile B."""
    assert not setup.is_lagrange, "profile A is a part of the package"
    return setup.powers + setup.tau


def parse_setup(data: bytes, declared: ChainSetup) -> Setup:
    """The string in a file. Raises `SetupError` unless it is the one that is declared."""
    if len(data) != POINT_BYTES * declared.points + SECOND_BYTES:
        raise SetupError(f"{len(data)} bytes are no string of {declared.points} points")
    found = sha2_256(data)
    if found != declared.digest:
        raise SetupError(f"the file has the SHA-256 {found.hex()}, not {declared.digest.hex()}")
    powers = data[:-SECOND_BYTES]
    return Setup(powers, powers, data[-SECOND_BYTES:], is_lagrange=False)


def install(setup: Setup) -> None:
    """Keep a string of profile B for as long as the process lives.

    3 s for 2^16 points: they are decompressed here, not when a block needs them.
    """
    assert len(setup.generators) == setup.points
    _INSTALLED[setup.id] = setup


def setup_of(declared: ChainSetup | None) -> Setup:
    """The string of a chain; None is profile A. Raises `SetupMissing`."""
    if declared is None:
        return ethereum_setup()
    found = _INSTALLED.get(declared.digest)
    if found is None:
        raise SetupMissing(f"no reference string of SHA-256 {declared.digest.hex()} was loaded")
    return found


_INSTALLED: Final[dict[bytes, Setup]] = {}
