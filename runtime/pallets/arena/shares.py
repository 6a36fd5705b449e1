"""Who earns which part: training nodes by rank and stake, task validators by closeness and stake.

Owns the geometric series g_k, the nodes' f_i, the validators' softmax shares f_i, their pay by
the seats drawn, and the cut to the best k_2. All results are integers for `apportion`.
Invariant: a share that is summed over submissions or days is floored to 2^-128 first, so that the
sum does not depend on its order; who has no stake earns nothing, whatever alpha is.
Source: WP V.E (g_k, f_i), WP V.F (the modified softmax), Table I (top k_2).
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.pallets.arena.consensus import ConsensusScore
from runtime.pallets.arena.records import Juror
from runtime.primitives.fixed_point import SCALE_BITS, exp_floor, pow_ratio
from runtime.primitives.rational import Rational


def rank_weights(q: Rational, count: int) -> list[int]:
    """Integers in the ratio of g_1 .. g_count: g_k = (1-q)/(1-q^n) * q^(k-1), or 1/n for q = 1.

    With q = a/b the k-th is a^(k-1) * b^(n-k); their sum is the common denominator.
    Raises: ValueError if q is above 1.
    """
    if not q.is_at_most_one():
        raise ValueError(f"the ratio q = {q} of the ranks is above 1")
    return [q.numerator**k * q.denominator ** (count - 1 - k) for k in range(count)]


def node_weights(stakes: Sequence[int], q: Rational, alpha: Rational) -> list[int]:
    """Integers in the ratio of f_i = g_i * t_i^alpha, for the total stakes in rank order, planck.

    Zero for a node without stake; all zero if nobody has any: then there is nobody to pay.
    """
    return [
        weight * pow_ratio(stake, alpha) if stake else 0
        for weight, stake in zip(rank_weights(q, len(stakes)), stakes, strict=True)
    ]


def floor_shares(weights: Sequence[int]) -> list[int]:
    """Each weight's part of their sum as a multiple of 2^-128, floored; zeros if the sum is 0."""
    total = sum(weights)
    return [(weight << SCALE_BITS) // total if total else 0 for weight in weights]


def validator_shares(
    scores: Sequence[tuple[int, int]],
    consensus: ConsensusScore,
    lambda_: Rational,
    alpha: Rational,
    full_scale: int,
) -> list[int]:
    """f_i of one submission in units of 2^-128 for each (weight, score), 0 for a dropped score.

    `scores` are those that `consensus` was computed from; `full_scale` is the score of distance 1.
    The least distance is subtracted first: the largest exponential is 1 and never vanishes.
    Cost: one exponential (about 16 us) a kept score.
    """
    kept = [pair for pair, is_kept in zip(scores, consensus.kept, strict=True) if is_kept]
    distances = [abs(consensus.numerator - score * consensus.denominator) for _, score in kept]
    least = min(distances)
    scale = lambda_.denominator * consensus.denominator * full_scale
    weights = [
        exp_floor(-lambda_.numerator * (distance - least), scale) * pow_ratio(weight, alpha)
        for (weight, _), distance in zip(kept, distances, strict=True)
    ]
    floored = iter(floor_shares(weights))
    return [next(floored) if is_kept else 0 for is_kept in consensus.kept]


def pay_by_draws(shares: Sequence[int], jurors: Sequence[Juror]) -> list[int]:
    """The jurors' summed shares of a day with committees, times seats drawn over held, floored.

    A share grows with the seats held, which the limit bounds; how many were drawn depends on stake
    alone. Pay by these is the same however a stake is split, and what a validator at its limit
    leaves to others is their work, as far as their own limits go, not their pay.
    """
    pairs = zip(shares, jurors, strict=True)
    return [share * juror.drawn // juror.held if juror.held else 0 for share, juror in pairs]


def keep_best(shares: Sequence[int], k_2: int | None) -> list[int]:
    """The summed shares with all but the k_2 largest set to 0; ties go to the lower index.

    Validators are given in account order, so that ties go by account.
    """
    if k_2 is None:
        return list(shares)
    order = sorted(range(len(shares)), key=lambda index: (-shares[index], index))
    best = frozenset(order[:k_2])
    return [share if index in best else 0 for index, share in enumerate(shares)]
