"""Algorithm 2: what a round's participants gain and lose, as a pure function.

All amounts come from the balances at the start of the round; with balances that change while the
shares are computed, as the whitepaper's order has it, tokens leak.
Invariant: gains add up to the reward if anybody is good; nobody loses more than its balance.
Source: WP VI.F, Algorithm 2.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.pallets.fl_alliance.stages import Standing
from runtime.primitives.apportion import apportion
from runtime.primitives.rational import Rational


def pool_share(pool: int, rounds: int, round_: int) -> int:
    """⌊pool / (TotalRounds − t)⌋ of the round t, counted from 0; planck."""
    return pool // (rounds - round_)


def divide(
    reward: int,
    balances: Sequence[int],
    standings: Sequence[Standing],
    slash: Rational,
    absence_slash: Rational,
) -> list[int]:
    """What each participant gains if it is good, or loses otherwise; planck.

    Good ones share the reward by balance. In account order: odd units go to the first of equals.
    """
    good = [
        balance if standing is Standing.GOOD else 0
        for balance, standing in zip(balances, standings, strict=True)
    ]
    gains = apportion(reward, good) if any(good) else good
    rates = {Standing.LOSING: slash, Standing.ABSENT: absence_slash}
    return [
        gain if standing is Standing.GOOD else loss(balance, rates.get(standing))
        for gain, balance, standing in zip(gains, balances, standings, strict=True)
    ]


def loss(balance: int, rate: Rational | None) -> int:
    """⌊rate · Bal⌋; 0 without a rate."""
    return 0 if rate is None else rate.mul_floor(balance)
