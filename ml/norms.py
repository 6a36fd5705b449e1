"""The bound on an update's length, relative to the other updates of its round.

Owns the clipping that comes before the mean, where a task asks for it. Invariant: integers only, so
all voters clip to the same bits; no update is dropped, so an honest one that is long loses only
length.
Source: WP VI.D; a bound on norms is this project's, against updates scaled up (WP VI.F).
"""

from __future__ import annotations

import math
from typing import Final

import torch

CLIP_FACTOR: Final = 2
"""Honest updates differ in length; what is no longer than this many medians is left alone."""
CLIPPED_MIN: Final = 3
"""Of fewer updates the lower median is the shortest."""


def clip_to_median(updates: torch.Tensor) -> torch.Tensor:
    """updates: (models, parameters) int16 -> the same, none longer than `CLIP_FACTOR` times their
    lower median norm. One or two are left alone: the shorter one must not rule over the other.

    A longer update becomes (2·u·bound + norm) // (2·norm); norms are whole, rounded down.
    """
    if len(updates) < CLIPPED_MIN:
        return updates
    norms = norms_of(updates)
    bound = CLIP_FACTOR * sorted(norms)[(len(norms) - 1) // 2]
    clipped = updates.clone()
    for index, norm in enumerate(norms):
        if norm > bound:
            scaled = updates[index].to(torch.int64) * (2 * bound) + norm
            shortened = torch.div(scaled, 2 * norm, rounding_mode="floor")
            clipped[index] = shortened.to(torch.int16)
    return clipped


def norms_of(updates: torch.Tensor) -> list[int]:
    """The Euclidean norm of each row of (models, parameters) int16, rounded down."""
    return [math.isqrt(int(row.to(torch.int64).square().sum())) for row in updates]
