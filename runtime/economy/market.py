"""The marketplace's rules: what a call costs, and who gets what of it.

Every rule that the DAO may change lies within hard bounds. Amounts are planck, times blocks.
Invariant: what is burned, the royalty and the host's part of a payment are the payment.
Source: WP II.C, III.B.2 (free calls by stake, then a price; hosts stake). FLock published no
numbers: the defaults are this project's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runtime.economy.parameters import SCORE_MAX, ParameterOutOfBounds
from runtime.economy.quota import rate_limit
from runtime.economy.trends import PPM
from runtime.primitives.rational import Rational
from runtime.primitives.scale import scale_type
from runtime.primitives.types import FML, U32, AccountId, Balance

BLOCKS_MAX: Final = 2_000_000  # of any period: half a year of blocks of 8 s
STAKE_MAX: Final = 1_000_000 * FML
FREE_CALLS_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class HostClaim:
    """What a host may get of a day's emission: a part by `weight`, at most `most` planck."""

    host: AccountId
    weight: int
    most: int


@dataclass(frozen=True, slots=True)
class PaymentSplit:
    """What becomes of a payment, planck."""

    burned: int
    royalty: int
    host: int


@scale_type
class JuryRules:
    """Five validators decide whether an answer is wrong, or what a data set added.

    Who opens a case holds `juror_fee` for each of them, and for a challenge `bond`. They are drawn
    after `draw_blocks`, seal for `verdict_blocks`, open for `opening_blocks`. A host loses
    `host_slash` of its stake. Who measured further than `tolerance` score units away is not paid.
    """

    bond: Balance = 100 * FML
    juror_fee: Balance = 10 * FML
    draw_blocks: U32 = 10
    verdict_blocks: U32 = 600
    opening_blocks: U32 = 100
    host_slash: Rational = Rational(1, 5)
    tolerance: U32 = SCORE_MAX // 100

    def ensure_within_bounds(self) -> None:
        """Raises ParameterOutOfBounds."""
        for name in ("bond", "juror_fee"):
            if not FML // 100 <= getattr(self, name) <= STAKE_MAX:
                raise ParameterOutOfBounds(f"jury.{name} is {getattr(self, name)} planck")
        for name in ("draw_blocks", "verdict_blocks", "opening_blocks"):
            if not 1 <= getattr(self, name) <= BLOCKS_MAX:
                raise ParameterOutOfBounds(f"jury.{name} is {getattr(self, name)} blocks")
        if not self.host_slash.is_at_most_one():
            raise ParameterOutOfBounds(f"jury.host_slash is {self.host_slash}, at most 1")
        if self.tolerance > SCORE_MAX:
            raise ParameterOutOfBounds(f"jury.tolerance is {self.tolerance}")


@scale_type
class MarketParameters:
    """Shares of a payment, stakes, and how many calls a day a stake makes free.

    `burn_rate` and `royalty` of a payment are burned and go to the model's contributors.
    `host_stake` is the least of a host. A host's quality begins at `start_quality` of full scale;
    a day's ratings make up `rating_weight` of it. From `free_stake` on a caller has `free_base`
    calls a day of a host's model, up to `free_max`. `request_blocks`: for so long a request waits
    for a host.
    """

    burn_rate: Rational = Rational(3, 10)
    royalty: Rational = Rational(1, 10)
    host_stake: Balance = 5_000 * FML
    start_quality: Rational = Rational(1, 2)
    rating_weight: Rational = Rational(1, 4)
    free_stake: Balance = 1_000 * FML
    free_base: U32 = 4
    free_max: U32 = 100
    request_blocks: U32 = 600
    jury: JuryRules = JuryRules()

    def ensure_within_bounds(self) -> None:
        """Raises ParameterOutOfBounds."""
        for name in ("burn_rate", "royalty", "start_quality", "rating_weight"):
            share: Rational = getattr(self, name)
            if not share.is_at_most_one():
                raise ParameterOutOfBounds(f"{name} is {share}, at most 1 is allowed")
        if self.burn_rate.complement() < self.royalty:
            raise ParameterOutOfBounds("burn_rate and royalty are more than a payment")
        for name in ("host_stake", "free_stake"):
            if not FML <= getattr(self, name) <= STAKE_MAX:
                raise ParameterOutOfBounds(f"{name} is {getattr(self, name)} planck")
        if max(self.free_base, self.free_max) > FREE_CALLS_MAX:
            raise ParameterOutOfBounds(f"free_base or free_max is above {FREE_CALLS_MAX}")
        if not 1 <= self.request_blocks <= BLOCKS_MAX:
            raise ParameterOutOfBounds(f"request_blocks is {self.request_blocks} blocks")
        self.jury.ensure_within_bounds()

    def split(self, payment: int, multiplier: int = PPM) -> PaymentSplit:
        """Burned and royalty floored, the rest is the host's.

        The royalty is multiplied with so many parts per million, and never more than what does not
        burn.
        """
        burned, rate = self.burn_rate.mul_floor(payment), self.royalty
        wanted = payment * rate.numerator * multiplier // (rate.denominator * PPM)
        royalty = min(wanted, payment - burned)
        return PaymentSplit(burned, royalty, payment - burned - royalty)

    def free_calls(self, stake: int) -> int:
        """L(stake): calls a day of one host's model that cost nothing."""
        return rate_limit(stake, self.free_stake, self.free_base, self.free_max)
