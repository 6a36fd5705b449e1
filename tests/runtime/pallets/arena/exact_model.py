"""The whitepaper's formulas in exact fractions and 80-digit reals, written apart from the pallet.

Nothing here is shared with the code under test but its inputs: medians, divisions and the two
roundings that are part of the rules are stated a second time, as formulas. Those two are the root
isqrt(s * 2^128), coarse for stakes of a few planck, and e^x floored to 2^-128, coarse for what is
far from the consensus; all else is as good as exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt

from mpmath import mp, mpf

mp.dps = 80


def real(value: Fraction | int) -> mpf:
    value = Fraction(value)
    return mpf(value.numerator) / mpf(value.denominator)


def power(stake: int, alpha: Fraction) -> mpf:
    """stake^alpha; a root as it is defined for rewards, in units of 2^-64."""
    if alpha == Fraction(1, 2):
        return mpf(isqrt(stake << 128)) / mpf(1 << 64)
    return mpf(stake) ** real(alpha)


def closeness(exponent: Fraction) -> mpf:
    """e^exponent as it is defined for rewards, in units of 2^-128."""
    return mp.floor(mp.exp(real(exponent)) * mpf(1 << 128)) / mpf(1 << 128)


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
    """f_i of each validator; distances count from that of the closest, whose exponential is 1."""
    consensus = mean(scores, kept)
    distances = [abs(consensus - score) / full_scale for _, score in scores]
    least = min(distances[j] for j in range(len(scores)) if kept[j])
    terms = [
        closeness(-lambda_ * (distances[j] - least)) * power(weight, alpha) if kept[j] else mpf(0)
        for j, (weight, _) in enumerate(scores)
    ]
    return [term / mp.fsum(terms) for term in terms]


def node_shares(stakes: Sequence[int], q: Fraction, alpha: Fraction) -> list[mpf]:
    """f_i from g_k = (1-q)/(1-q^n) q^(k-1), stakes in rank order."""
    n = len(stakes)
    g = [Fraction(1, n) if q == 1 else (1 - q) / (1 - q**n) * q**k for k in range(n)]
    terms = [real(g[k]) * power(stakes[k], alpha) for k in range(n)]
    return [term / mp.fsum(terms) for term in terms]


def delegation_shares(own: int, delegations: Sequence[int], ratio: Fraction) -> list[Fraction]:
    whole = own + sum(delegations)
    return [
        1 - ratio * Fraction(sum(delegations), whole),
        *(ratio * Fraction(each, whole) for each in delegations),
    ]
