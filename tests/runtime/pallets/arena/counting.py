"""The draw by counting, as the rule says it; what the pallet does faster is compared with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def reached(stakes: Iterable[tuple[T, int]], target: int) -> T:
    """Whose stake counting up reaches `target` with."""
    for who, stake in stakes:
        if target < stake:
            return who
        target -= stake
    raise AssertionError("beyond all stakes")
