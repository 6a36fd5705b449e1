"""What trends tells, and why it refuses.

Source: litepaper, governance.
"""

from __future__ import annotations

from runtime import frame
from runtime.economy.tasks import ContentDigest
from runtime.economy.trends import TrendParameters
from runtime.primitives.types import U32, U64, AccountId, Balance, BlockNumber


@frame.event(0)
class SeasonBegun:
    """A season counts payments before block `until`."""

    season: U32
    until: BlockNumber


@frame.event(1)
class PollOpened:
    """So many models of a season are voted on before block `until`; `quorum` tokens must vote."""

    season: U32
    candidates: U32
    quorum: Balance
    until: BlockNumber


@frame.event(2)
class ModelsVoted:
    """An account divided its votes over so many models; they count `weight`."""

    season: U32
    who: AccountId
    models: U32
    weight: Balance


@frame.event(3)
class PollClosed:
    """A vote is over. Below the quorum all multipliers are one."""

    season: U32
    turnout: Balance
    quorum: Balance
    has_quorum: bool


@frame.event(4)
class ModelBoosted:
    """A model's multipliers until the next vote is over, in parts per million."""

    model: ContentDigest
    host: U64
    royalty: U64


@frame.event(5)
class ParametersChanged:
    """The DAO changed the rules of the seasons that begin from now on."""

    parameters: TrendParameters


class NoPoll(frame.ModuleError, index=0):
    """No vote on models is open now. One opens when a season ends that listed a model."""


class NotACandidate(frame.ModuleError, index=1):
    """A model of the ballot is on neither list."""


class BadShares(frame.ModuleError, index=2):
    """A ballot names a model twice or with nothing, or gives away more than the whole."""


class NoVotes(frame.ModuleError, index=3):
    """The account has no votes here: its lock is younger than the vote, or another has them."""


class ParametersOutOfBounds(frame.ModuleError, index=4):
    """A parameter lies outside of its hard bounds."""
