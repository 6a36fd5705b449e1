"""Splits an amount among weights, to the last unit.

Owns the one rule by which every amount of the chain is divided: the floor of each share, then one
unit more to the largest fractional remainders, ties to the lowest index.
Invariant: the shares sum to the total, and each is within one unit of the exact share.
Source: WP IV.A, V.E and V.F (the divisions), method of largest remainders.
"""

from __future__ import annotations

from collections.abc import Sequence


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """The shares of `total` in the order of `weights`, which may be integers of any size.

    A weight of zero gets nothing. Cost: one division a weight and one sort.
    Raises: ValueError if the total or a weight is negative, or if no weight is positive: then
    there is nobody to pay, and the caller decides what becomes of the amount.
    """
    if total < 0:
        raise ValueError(f"cannot apportion the negative amount {total}")
    if any(weight < 0 for weight in weights):
        raise ValueError("cannot apportion by a negative weight")
    weight_sum = sum(weights)
    if weight_sum == 0:
        raise ValueError(f"cannot apportion {total} among {len(weights)} weights that sum to 0")
    shares: list[int] = []
    remainders: list[int] = []
    for weight in weights:
        share, remainder = divmod(total * weight, weight_sum)
        shares.append(share)
        remainders.append(remainder)
    # The remainders sum to a multiple of weight_sum below len(weights) * weight_sum, so fewer
    # units are left than there are remainders above zero.
    units_left = total - sum(shares)
    if units_left:
        order = sorted(range(len(shares)), key=lambda index: (-remainders[index], index))
        for index in order[:units_left]:
            shares[index] += 1
    return shares
