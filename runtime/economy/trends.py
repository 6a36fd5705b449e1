"""The rules of seasons: which models are listed for a vote, and what the vote adds to rewards.

Payments of a season rank models by what they burned, each payer counted up to a bound; the holders
of locks then divide their votes over the listed ones. Every rule that the DAO may change lies
within hard bounds. Times are days, amounts planck, multipliers parts per million.
Invariant: a multiplier is at least one, and at most one and its boost.
Source: litepaper, governance (lists of top and trending models adjust future incentives). FLock
published no numbers: the defaults are this project's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runtime.economy.parameters import ParameterOutOfBounds
from runtime.primitives.rational import Rational
from runtime.primitives.scale import scale_type
from runtime.primitives.types import FML, U32, Balance

PPM: Final = 1_000_000
LISTED_MAX: Final = 16  # of the top list and of the trending list each
_DAYS_MAX: Final = 365
_PAYERS_MAX: Final = 1_000
_PAYER_MIN: Final = FML // 1_000  # what a payer's record is worth, at least
_PAYER_MAX: Final = 1_000_000 * FML
_HOST_BOOST_MAX: Final = 4 * PPM
_ROYALTY_BOOST_MAX: Final = PPM  # a royalty at most doubles


@scale_type
class TrendParameters:
    """How long a season and its vote last, who counts, and how much a vote moves.

    A payer counts from a payment on that burned `payer_least`, and at most `payer_most` a model and
    season; a model with fewer than `payers_least` such payers is not listed. `listed`: places of
    each list. `quorum` of all locked tokens must vote. `host_boost` and `royalty_boost`: what a
    model with all votes has more, in parts per million.
    """

    season_days: U32 = 30
    vote_days: U32 = 7
    listed: U32 = 10
    payers_least: U32 = 5
    payer_least: Balance = FML // 100
    payer_most: Balance = 10 * FML
    quorum: Rational = Rational(1, 10)
    host_boost: U32 = PPM
    royalty_boost: U32 = PPM // 2

    def ensure_within_bounds(self) -> None:
        """Raises ParameterOutOfBounds."""
        if not 1 <= self.vote_days <= self.season_days <= _DAYS_MAX:
            raise ParameterOutOfBounds(
                f"a vote of {self.vote_days} days in a season of {self.season_days}, at most 365"
            )
        if not 1 <= self.listed <= LISTED_MAX:
            raise ParameterOutOfBounds(f"listed is {self.listed}, 1 to {LISTED_MAX} are allowed")
        if not 1 <= self.payers_least <= _PAYERS_MAX:
            raise ParameterOutOfBounds(f"payers_least is {self.payers_least}, 1 to 1000 is allowed")
        if not _PAYER_MIN <= self.payer_least <= self.payer_most <= _PAYER_MAX:
            raise ParameterOutOfBounds(
                f"payer_least is {self.payer_least} and payer_most {self.payer_most} planck"
            )
        if not self.quorum.numerator or not self.quorum.is_at_most_one():
            raise ParameterOutOfBounds(f"quorum is {self.quorum}, above 0 and at most 1 is allowed")
        if self.host_boost > _HOST_BOOST_MAX or self.royalty_boost > _ROYALTY_BOOST_MAX:
            raise ParameterOutOfBounds(
                f"host_boost is {self.host_boost}, royalty_boost {self.royalty_boost} ppm"
            )

    def rise(self, counted: int, before: int) -> int:
        """How a season's count compares with the one before, in ppm, floored.

        One full payer is added to what was before, so that nothing is no divisor and little is none
        either.
        """
        return counted * PPM // (before + self.payer_most)


@dataclass(frozen=True, slots=True)
class Multipliers:
    """What a model's host claims and its royalties are multiplied with, in parts per million."""

    host: int = PPM
    royalty: int = PPM


def boosted(boost: int, votes: int, cast: int) -> int:
    """One, and of the boost what the votes are of all that were cast; ppm, floored."""
    return PPM + boost * votes // cast
