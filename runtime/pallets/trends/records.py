"""What trends keeps: seasons, who paid for what, lists, polls, ballots, multipliers.

A model is named by its content digest. Amounts are planck, shares and multipliers ppm.
Source: litepaper, governance (top and trending models).
"""

from __future__ import annotations

from typing import Annotated, Final

from runtime import frame
from runtime.economy.tasks import ContentDigest
from runtime.economy.trends import LISTED_MAX, TrendParameters
from runtime.primitives.scale import Limit
from runtime.primitives.types import U32, U64, U128, AccountId, Balance, BlockNumber

CANDIDATES_MAX: Final = 2 * LISTED_MAX
PARTS_MAX: Final = 8  # models of one ballot
SWEPT_MAX: Final = 32  # old entries that a block drops


@frame.scale_type
class Season:
    """A season counts payments before block `until`, all by the rules that it began with."""

    number: U32
    until: BlockNumber
    rules: TrendParameters


@frame.scale_type
class Payer:
    """An account that paid for a model."""

    model: ContentDigest
    who: AccountId


@frame.scale_type
class Tally:
    """What a model's payers burned in a season, each up to the bound, and how many they are."""

    counted: Balance
    payers: U32


@frame.scale_type
class Listed:
    """A place in a list. `rise` compares `counted` with the season before, in ppm."""

    model: ContentDigest
    counted: Balance
    payers: U32
    rise: U128

    def top_key(self) -> tuple[int, int, bytes]:
        """The order of the top list."""
        return (-self.counted, -self.payers, self.model)

    def rise_key(self) -> tuple[int, int, bytes]:
        """The order of the trending list."""
        return (-self.rise, -self.counted, self.model)


@frame.scale_type
class Candidate:
    """A listed model, and the weight that ballots give it."""

    model: ContentDigest
    is_top: bool
    is_trending: bool
    counted: Balance
    payers: U32
    votes: Balance = 0


Lists = Annotated[list[Listed], Limit(LISTED_MAX)]
Candidates = Annotated[list[Candidate], Limit(CANDIDATES_MAX)]


@frame.scale_type
class Poll:
    """The vote on the lists of a season, open before block `until`.

    Weights are those before block `snapshot`. `quorum` and `turnout` are tokens, `cast` the weight
    of all ballots, also of what they leave to no model.
    """

    season: U32
    snapshot: BlockNumber
    until: BlockNumber
    rules: TrendParameters
    quorum: Balance
    candidates: Candidates
    turnout: Balance = 0
    cast: Balance = 0
    is_open: bool = True


@frame.scale_type
class Part:
    """What of a ballot a model has, in parts per million."""

    model: ContentDigest
    share: U32


Parts = Annotated[list[Part], Limit(PARTS_MAX)]


@frame.scale_type
class Ballot:
    """How an account divides its votes in a poll, and what they count."""

    parts: Parts
    tokens: Balance
    weight: Balance


@frame.scale_type
class Boost:
    """What a model's host claims and royalties are multiplied with until the next vote, in ppm."""

    host: U64
    royalty: U64
