"""The consensus score of a submission: the weighted mean of its scores, outliers left out.

Owns the weighted lower median and the outlier rule: scores further from the median than
max(kappa * MAD, tolerance) are dropped; MAD is the weighted lower median of the distances.
Invariant: a consensus score is an exact fraction and is compared by cross-multiplication, never
rounded; a dropped score enters no sum.
Source: WP V.E (the aggregation; "outlier scores ... will be ignored" leaves the rule open).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.primitives.rational import Rational


@dataclass(frozen=True, slots=True)
class ConsensusScore:
    """numerator / denominator in score units; the denominator is the weight that was counted.

    `kept` tells for each score given, in order, whether it was counted.
    """

    numerator: int
    denominator: int
    kept: tuple[bool, ...]

    def __lt__(self, other: ConsensusScore) -> bool:
        return self.numerator * other.denominator < other.numerator * self.denominator

    def is_above(self, score: int) -> bool:
        """Whether it exceeds an integer score, such as the baseline."""
        return self.numerator > score * self.denominator


def consensus_score(
    scores: Sequence[tuple[int, int]], kappa: Rational | None, tolerance: int
) -> ConsensusScore | None:
    """The consensus over (weight, score) pairs; None if no pair has weight.

    `tolerance` is in score units; `kappa` None switches the outlier rule off. Weights are stakes
    or seats; a pair of weight zero is never kept. Cost: two sorts.
    Raises: ValueError if a weight, a score or the tolerance is negative.
    """
    if tolerance < 0 or any(weight < 0 or score < 0 for weight, score in scores):
        raise ValueError("weights, scores and the tolerance must not be negative")
    if not any(weight for weight, _ in scores):
        return None
    kept = tuple(weight > 0 for weight, _ in scores)
    if kappa is not None:
        kept = _drop_outliers(scores, kappa, tolerance)
    counted = [pair for pair, is_kept in zip(scores, kept, strict=True) if is_kept]
    numerator = sum(weight * score for weight, score in counted)
    return ConsensusScore(numerator, sum(weight for weight, _ in counted), kept)


def weighted_lower_median(pairs: Sequence[tuple[int, int]]) -> int:
    """The least value of (weight, value) pairs at or below which half of the weight lies.

    Raises: ValueError if no pair has weight.
    """
    total = sum(weight for weight, _ in pairs)
    reached = 0
    for weight, value in sorted(pairs, key=lambda pair: pair[1]):
        reached += weight
        if weight and 2 * reached >= total:
            return value
    raise ValueError(f"no median of {len(pairs)} values without weight")


def _drop_outliers(
    scores: Sequence[tuple[int, int]], kappa: Rational, tolerance: int
) -> tuple[bool, ...]:
    median = weighted_lower_median(scores)
    distances = [(weight, abs(score - median)) for weight, score in scores]
    deviation = weighted_lower_median(distances)
    # distance <= max(kappa * deviation, tolerance), multiplied by kappa's denominator.
    limit = max(kappa.numerator * deviation, kappa.denominator * tolerance)
    return tuple(
        weight > 0 and kappa.denominator * distance <= limit for weight, distance in distances
    )
