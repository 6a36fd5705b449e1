"""What a client sends to the aggregator, as whoever holds it needs to know it.

Source: WP VI.C, VI.H; zkFL (arXiv 2310.02554) 4; the format is this project's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runtime.primitives.zk_delivery import NUMBER_BYTES, Delivery
from runtime.primitives.zk_points import SCALAR_BYTES
from runtime.primitives.zk_setup import BLINDERS, Setup

_TAG_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Sent:
    """A client's commitments, what it posted of what it sends, the point that it shares with the
    receiver, and the encrypted chunks. `number_bytes`: of each number in them."""

    points: tuple[bytes, ...]
    delivery: Delivery
    shared: bytes
    pieces: tuple[bytes, ...]
    number_bytes: int = NUMBER_BYTES


def numbers_of_chunks(parameters: int, setup: Setup) -> list[int]:
    """How many numbers each chunk has."""
    return [min(setup.chunk, parameters - at) for at in range(0, parameters, setup.chunk)]


def piece_sizes(parameters: int, setup: Setup, number_bytes: int = NUMBER_BYTES) -> list[int]:
    """How many bytes each encrypted chunk has."""
    fixed = BLINDERS * SCALAR_BYTES + _TAG_BYTES
    return [number_bytes * count + fixed for count in numbers_of_chunks(parameters, setup)]
