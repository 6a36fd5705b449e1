"""The state of trends: every item, its constants.

Owns the items; `counting` and `polls` work on them.
Source: litepaper, governance.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime import frame
from runtime.economy.calendar import Calendar
from runtime.economy.tasks import ContentDigest
from runtime.economy.trends import TrendParameters
from runtime.frame.traits import BlockInfo
from runtime.pallets.trends.needs import Electorate
from runtime.pallets.trends.records import (
    Ballot,
    Boost,
    Listed,
    Lists,
    Payer,
    Poll,
    Season,
    Tally,
)
from runtime.primitives.types import U32, AccountId, Balance


@dataclass(frozen=True)
class Config:
    """What a day is."""

    calendar: Calendar


class Trends(frame.Pallet[Config], index=40):
    """Storage and neighbours."""

    parameters = frame.StorageValue[TrendParameters](
        TrendParameters, default=TrendParameters(), docs="The rules of the next season."
    )
    season = frame.StorageValue[Season](
        Season, default=Season(0, 0, TrendParameters()), docs="The season, and its rules."
    )
    payers = frame.StorageDoubleMap[tuple[int, Payer], int](
        U32, Payer, Balance, docs="What accounts burned for models, by season, planck."
    )
    tallies = frame.StorageDoubleMap[tuple[int, bytes], Tally](
        U32,
        ContentDigest,
        Tally,
        default=Tally(0, 0),
        docs="What counts of it, by season and model.",
    )
    top = frame.StorageValue[list[Listed]](
        Lists, default=[], docs="The season's models that count most."
    )
    trending = frame.StorageValue[list[Listed]](
        Lists, default=[], docs="The season's models that rose most."
    )
    poll = frame.StorageValue[Poll](Poll, docs="The vote on the last season's lists.")
    ballots = frame.StorageDoubleMap[tuple[int, AccountId], Ballot](
        U32, AccountId, Ballot, docs="How accounts divide their votes, by season."
    )
    boosts = frame.StorageMap[bytes, Boost](
        ContentDigest, Boost, docs="Multipliers that are not one, by model."
    )
    swept = frame.StorageValue[int](
        U32, default=0, docs="Nothing is kept of seasons before this one."
    )

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        block: BlockInfo,
        electorate: Electorate,
    ) -> None:
        super().__init__(ext, config)
        self.block, self.electorate = block, electorate
