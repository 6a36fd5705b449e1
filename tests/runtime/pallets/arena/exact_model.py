"""The whitepaper's formulas in exact fractions and 80-digit reals, written apart from the pallet.

Nothing here is shared with the code under test but its inputs: rounding, medians and divisions
are stated a second time, as formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mpmath import mp, mpf

mp.dps = 80


def real(value: Fraction | int) -> mpf:
    value = Fraction(value)
    return mpf(value.numerator) / mpf(value.denominator)


def median(pairs: Sequence[tuple[int, Fraction]]) -> Fraction:
    """Smallest value v such that the weight of the values up to v is at least half of all."""
    total = sum(weight for weight, _ in pairs)
    return min(
        candidate
        for weight, candidate in pairs
        if weight and sum(w for w, value in pairs if value <= candidate) >= Fraction(total, 2)
    )


def kept_scores(
    scores: Sequence[tuple[int, int]], kappa: Fraction | None, tolerance: int
) -> list[bool]:
    if kappa is None:
        return [weight > 0 for weight, _ in scores]
    middle = median([(weight, Fraction(score)) for weight, score in scores])
    distances = [abs(score - middle) for _, score in scores]
    deviation = median([(scores[j][0], distances[j]) for j in range(len(scores))])
    limit = max(kappa * deviation, Fraction(tolerance))
    return [scores[j][0] > 0 and distances[j] <= limit for j in range(len(scores))]


def mean(scores: Sequence[tuple[int, int]], kept: Sequence[bool]) -> Fraction:
    counted = [scores[j] for j in range(len(scores)) if kept[j]]
    return Fraction(sum(w * s for w, s in counted), sum(w for w, _ in counted))


def softmax(
    scores: Sequence[tuple[int, int]],
    kept: Sequence[bool],
    lambda_: Fraction,
    alpha: Fraction,
    full_scale: int,
) -> list[mpf]:
    """f_i of each validator as the whitepaper writes it, without any subtraction beforehand."""
    consensus = mean(scores, kept)
    terms = [
        mp.exp(-real(lambda_ * abs(consensus - score) / full_scale)) * mpf(weight) ** real(alpha)
        if kept[j]
        else mpf(0)
        for j, (weight, score) in enumerate(scores)
    ]
    return [term / mp.fsum(terms) for term in terms]


def node_shares(stakes: Sequence[int], q: Fraction, alpha: Fraction) -> list[mpf]:
    """f_i from g_k = (1-q)/(1-q^n) q^(k-1), stakes in rank order."""
    n = len(stakes)
    g = [Fraction(1, n) if q == 1 else (1 - q) / (1 - q**n) * q**k for k in range(n)]
    terms = [real(g[k]) * mpf(stakes[k]) ** real(alpha) for k in range(n)]
    return [term / mp.fsum(terms) for term in terms]


def delegation_shares(own: int, delegations: Sequence[int], ratio: Fraction) -> list[Fraction]:
    whole = own + sum(delegations)
    return [
        1 - ratio * Fraction(sum(delegations), whole),
        *(ratio * Fraction(each, whole) for each in delegations),
    ]
