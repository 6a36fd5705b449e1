"""How many seats a task validator may take, submissions a node and free calls a caller make, a day.

Owns the concave limit L(s) = min(L_max, floor(L_0 * sqrt(s / s_min))), 0 below s_min.
Invariant: integers only. Splitting a stake among identities raises the sum of their limits: of a
validator's it raises the work and not the pay (`shares.pay_by_draws`); a node's fee and minimum
stake make it expensive.
Source: WP V.D, Fig. 4 (rate limiting for validation frequency), WP III.B.2 (of calls).
"""

from __future__ import annotations

from math import isqrt


def rate_limit(stake: int, stake_min: int, base: int, limit_max: int | None) -> int:
    """L(stake), with `base` = L_0 at the minimum stake; both stakes in one unit.

    Raises: ValueError if the minimum stake is not positive or another argument is negative.
    """
    if stake_min <= 0 or stake < 0 or base < 0 or (limit_max is not None and limit_max < 0):
        raise ValueError(f"no limit for stake {stake}, minimum {stake_min}, base {base}")
    if stake < stake_min:
        return 0
    # floor(L_0 * sqrt(x)) = isqrt(floor(L_0^2 * x))
    limit = isqrt(base * base * stake // stake_min)
    return limit if limit_max is None else min(limit_max, limit)
