"""The reward rules that the DAO may change, each within hard bounds.

Daily splits follow a change from the next day; Reward B keeps the `VestingRules` of the day on
which its task was created.
Source: WP V.E (q, alpha_t), V.F (lambda_v, alpha_v), V.H (delta), Table I (k_1, k_2), IV.A (the
creator's slice). FLock published delta = 0.1, q = 0.85 and the 50/50 split; the other defaults are
this project's.
"""

from __future__ import annotations

from typing import Final

from runtime.primitives.rational import Rational
from runtime.primitives.scale import scale_type
from runtime.primitives.types import U32

SCORE_MAX: Final = 10**9  # full scale: scores are integers in [0, 10^9], higher is better
_ALPHA_MAX: Final = Rational(4, 1)
_ALPHA_PARTS_MAX: Final = 1000
_LAMBDA_MAX: Final = Rational(10**6, 1)
_KAPPA_MAX: Final = Rational(100, 1)
_PARTS_MAX: Final = 10**6  # of ratios that are raised to powers or multiplied with scores
_DECAY_MONTHS_MAX: Final = 120


class ParameterOutOfBounds(ValueError):
    """A parameter lies outside of its hard bounds; the message names it and its value."""


@scale_type
class VestingRules:
    """What Reward B is split by, fixed when the task is created. `ranked_max` is k_1."""

    rank_ratio: Rational = Rational(17, 20)
    node_alpha: Rational = Rational(1, 1)
    ranked_max: U32 | None = None
    paid_daily: Rational = Rational(1, 10)


@scale_type
class ShareRatioRules:
    """What operators may give their delegators: `usual` if they do not choose, and its bounds."""

    usual: Rational = Rational(1, 2)
    least: Rational = Rational(0, 1)
    most: Rational = Rational(1, 1)


@scale_type
class ArenaParameters:
    """One day's rules.

    `vesting`: q, alpha_t, k_1, delta. `distance_lambda`, `validator_alpha`, `paid_validators_max`:
    lambda_v, alpha_v, k_2. `gamma`: the fixed part of nodes and validators each. `outlier_kappa`
    (None: rule off) and `outlier_tolerance` (score units) of the outlier rule. `*_slash`: parts of
    the stake at stake. `creator_share` * `creator_decay`^month of a verified task goes to its
    creator.
    """

    vesting: VestingRules = VestingRules()
    distance_lambda: Rational = Rational(10, 1)
    validator_alpha: Rational = Rational(1, 1)
    paid_validators_max: U32 | None = None
    gamma: Rational = Rational(1, 2)
    outlier_kappa: Rational | None = Rational(3, 1)
    outlier_tolerance: U32 = SCORE_MAX // 100
    no_reveal_slash: Rational = Rational(1, 100)
    no_commit_slash: Rational = Rational(1, 200)
    creator_share: Rational = Rational(1, 50)
    creator_decay: Rational = Rational(9, 10)
    share_ratio: ShareRatioRules = ShareRatioRules()

    def ensure_within_bounds(self) -> None:
        """Raises ParameterOutOfBounds."""
        shares = {
            "rank_ratio": self.vesting.rank_ratio,
            "paid_daily": self.vesting.paid_daily,
            "gamma": self.gamma,
            "no_reveal_slash": self.no_reveal_slash,
            "no_commit_slash": self.no_commit_slash,
            "creator_share": self.creator_share,
            "creator_decay": self.creator_decay,
            "share_ratio.most": self.share_ratio.most,
        }
        for name, share in shares.items():
            if not share.is_at_most_one():
                raise ParameterOutOfBounds(f"{name} is {share}, at most 1 is allowed")
        for name, alpha in (
            ("node_alpha", self.vesting.node_alpha),
            ("validator_alpha", self.validator_alpha),
        ):
            if alpha > _ALPHA_MAX or alpha.denominator > _ALPHA_PARTS_MAX:
                raise ParameterOutOfBounds(f"{name} is {alpha}, at most 4 in 1/1000ths is allowed")
        if self.distance_lambda > _LAMBDA_MAX:
            raise ParameterOutOfBounds(f"distance_lambda is {self.distance_lambda}, at most 10^6")
        if self.vesting.rank_ratio.denominator > _PARTS_MAX:
            raise ParameterOutOfBounds(f"rank_ratio is {self.vesting.rank_ratio}, not in 10^-6ths")
        kappa = self.outlier_kappa
        if kappa is not None and (kappa > _KAPPA_MAX or kappa.denominator > _PARTS_MAX):
            raise ParameterOutOfBounds(f"outlier_kappa is {kappa}, at most 100 in 10^-6ths")
        ratios = self.share_ratio
        if ratios.usual < ratios.least or ratios.most < ratios.usual:
            raise ParameterOutOfBounds(f"the usual share ratio {ratios.usual} is out of its bounds")
        if self.outlier_tolerance > SCORE_MAX:
            raise ParameterOutOfBounds(f"outlier_tolerance is {self.outlier_tolerance}")
        if 0 in (self.vesting.ranked_max, self.paid_validators_max):
            raise ParameterOutOfBounds("a cut to the best 0 would pay nobody")

    def creator_share_in(self, month: int) -> Rational:
        """kappa_c(month), floored to 10^-36; 0 after ten years: phased out."""
        if month > _DECAY_MONTHS_MAX:
            return Rational(0, 1)
        decay = self.creator_decay
        numerator = self.creator_share.numerator * decay.numerator**month
        denominator = self.creator_share.denominator * decay.denominator**month
        scale = 10**36
        if denominator <= scale:
            return Rational.reduced(numerator, denominator)
        return Rational.reduced(numerator * scale // denominator, scale)
