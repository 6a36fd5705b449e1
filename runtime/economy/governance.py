"""The rules of the DAO, what a time lock counts, and what proposals may be about.

Every rule that the DAO may change lies within hard bounds. Times are blocks, amounts planck.
Source: WP VII; litepaper (locks that count more the longer they bind). FLock published the lock's
curve; the other defaults are this project's.
"""

from __future__ import annotations

import enum
from dataclasses import field
from typing import Annotated, Final

from runtime.economy.parameters import ParameterOutOfBounds
from runtime.primitives.rational import Rational
from runtime.primitives.scale import Limit, scale_type
from runtime.primitives.types import FML, U32, Balance

FLAT_DAYS: Final = 30  # up to here a locked token counts once
LOCK_DAYS_MAX: Final = 365
_SLOPE: Final = Rational(3, 500)  # 2.19 in 365 days: more for each day beyond
_BLOCKS_MAX: Final = 2_000_000  # of a period: half a year of blocks of 8 s
_REWARD_MAX: Final = 100_000 * FML
_DEPOSIT_MAX: Final = 1_000_000 * FML


class Track(enum.Enum):
    """What a proposal is about: it may make the calls of its track only. Never renumber."""

    PARAMETERS = 0
    TASKS = 1  # created verified, verified, or no longer
    ATTESTATION = 2  # of task creators, and of accounts that count in quadratic votes
    TREASURY = 3
    VALIDATORS = 4  # of the chain: those that are gone for good are replaced
    SLASHES = 5  # of the chain's validators, while they wait
    UPGRADES = 6  # of the release that executes the chain


def lock_weight(tokens: int, days: int) -> int:
    """Votes of `tokens` planck that leave `days` after notice: up to 3.01 times as many; floored.

    From 30 days on each further day adds 2.19/365.
    """
    return tokens + _SLOPE.mul_floor(tokens * max(days - FLAT_DAYS, 0))


@scale_type
class GovernanceParameters:
    """How a proposal goes its way; periods in blocks, amounts in planck.

    `quorum_locked` of all locked and `quorum_issued` of all tokens: the larger must vote.
    `reject_flags` of all locked end a debate, `burn_flags` take the deposit. `reward_days`: between
    two rewards. `quadratic`: tracks where an attested account counts the root of its weight.
    """

    debate: U32 = 43_200
    voting: U32 = 100_800
    timelock: U32 = 28_800
    deposit: Balance = 1_000 * FML
    reward: Balance = 500 * FML
    reward_days: U32 = 7
    quorum_locked: Rational = Rational(1, 5)
    quorum_issued: Rational = Rational(1, 100)
    reject_flags: Rational = Rational(1, 4)
    burn_flags: Rational = Rational(1, 2)
    quadratic: Annotated[list[Track], Limit(len(Track))] = field(default_factory=list)

    def ensure_within_bounds(self) -> None:
        """Raises ParameterOutOfBounds."""
        for name in ("debate", "voting", "timelock"):
            if not 1 <= getattr(self, name) <= _BLOCKS_MAX:
                raise ParameterOutOfBounds(f"{name} is {getattr(self, name)} blocks")
        for name in ("quorum_locked", "quorum_issued", "reject_flags", "burn_flags"):
            share: Rational = getattr(self, name)
            if not share.numerator or not share.is_at_most_one():
                raise ParameterOutOfBounds(f"{name} is {share}, above 0 and at most 1 is allowed")
        if self.burn_flags < self.reject_flags:
            raise ParameterOutOfBounds("a deposit would burn for less than what rejects")
        if not FML <= self.deposit <= _DEPOSIT_MAX or self.reward > _REWARD_MAX:
            raise ParameterOutOfBounds(f"deposit {self.deposit} or reward {self.reward}")
        if self.reward_days < 1:
            raise ParameterOutOfBounds("at most one reward a day is allowed")
        if len(set(self.quadratic)) != len(self.quadratic):
            raise ParameterOutOfBounds("a track is listed twice")

    def quorum(self, locked: int, issued: int) -> int:
        """How many tokens must vote, rounded up."""
        return max(self.quorum_locked.mul_ceil(locked), self.quorum_issued.mul_ceil(issued))
