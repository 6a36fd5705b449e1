"""The arithmetic of a round of the FL Alliance, shared by the chain, workers and simulations.

Owns the rule by which a voter judges an aggregate and the weights of proposers in it. Scores are
integers in [0, 10^9], higher is better; everything is compared exactly.
Invariant: a voter accepts no model that it scores below (1 − 2ε) of the best one it ever had.
Source: WP VI.D (weighted averaging), WP VI.E (the vote); the second bound of the vote and the cap
of weights are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtime.economy.parameters import SCORE_MAX
from runtime.primitives.rational import Rational

WEIGHT_CAP: Final = 2  # times the lower median of the round's proposers


def is_good_enough(score: int, previous: int, best: int, tolerance: Rational) -> bool:
    """Whether a voter accepts: s^t >= max((1 − ε)·s^(t−1), (1 − 2ε)·s^best).

    The scores are the voter's own, of the aggregate, of the model before it and of the best model
    so far, all measured now on its own test split. Raises ValueError for a score out of range.
    """
    for name, value in (("score", score), ("previous", previous), ("best", best)):
        if not 0 <= value <= SCORE_MAX:
            raise ValueError(f"{name} {value} lies outside of 0 to {SCORE_MAX}")
    part, whole = tolerance.numerator, tolerance.denominator
    return score * whole >= max((whole - part) * previous, (whole - 2 * part) * best)


def capped_weights(units: Sequence[int]) -> list[int]:
    """a_p of proposers with so many units of samples each: at most twice their lower median."""
    if not units:
        return []
    cap = WEIGHT_CAP * lower_median(units)
    return [min(each, cap) for each in units]


def lower_median(values: Sequence[int]) -> int:
    """The middle value, or the lower of the two in the middle. There is at least one."""
    return sorted(values)[(len(values) - 1) // 2]
