"""The updates of a round combined by a defence's rule.

Owns which rule is which function. Invariant: the rules of a task on the chain are integer means, so
all voters have the same bits; the others are there to compare with.
Source: WP VI.D; Yin et al. 2018, Blanchard et al. 2017 for the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

import torch

from ml.aggregate import apply_updates, leave_one_out
from ml.byzantine import coordinate_median, krum, multi_krum, trimmed_mean
from ml.norms import clip_to_median

ASSUMED_MALICIOUS: Final = Fraction(2, 5)
"""What Krum and the trimmed mean are told of the proposers."""


class Rule(StrEnum):
    """How updates are combined."""

    MEAN = "mean"
    CLIPPED_MEAN = "clipped mean"
    MEDIAN = "median"
    TRIMMED_MEAN = "trimmed mean"
    KRUM = "krum"
    MULTI_KRUM = "multi-krum"


@dataclass(frozen=True, slots=True, eq=False)
class Combination:
    """model: (parameters,) int32; without: (proposers, parameters), each with one's part out."""

    model: torch.Tensor
    without: torch.Tensor | None


def combine(
    rule: Rule,
    start: torch.Tensor,
    updates: Sequence[torch.Tensor],
    weights: Sequence[int],
    *,
    leave: bool,
) -> Combination:
    """Each update: (parameters,) int16. `leave`: also leave each proposer out, of a mean of two
    and more; without the only one there is the model before, to which votes compare."""
    rows = torch.stack(list(updates))  # (proposers, parameters)
    if rule in (Rule.MEAN, Rule.CLIPPED_MEAN):
        if rule is Rule.CLIPPED_MEAN:
            rows = clip_to_median(rows)
        without = leave_one_out(start, rows, weights) if leave and len(rows) > 1 else None
        return Combination(apply_updates(start, rows, weights), without)
    moved = _robust(rule, rows)
    return Combination(start + moved, None)


def _robust(rule: Rule, updates: torch.Tensor) -> torch.Tensor:
    malicious = int(ASSUMED_MALICIOUS * len(updates))
    # A round can have too few proposals for what a rule assumes.
    malicious = max(0, min(malicious, len(updates) - 3, (len(updates) - 1) // 2))
    if rule is Rule.TRIMMED_MEAN:
        return trimmed_mean(updates, malicious)
    if rule is Rule.KRUM and len(updates) >= malicious + 3:
        return krum(updates, malicious)
    if rule is Rule.MULTI_KRUM and len(updates) >= malicious + 3:
        return multi_krum(updates, malicious, len(updates) - malicious)
    return coordinate_median(updates)
