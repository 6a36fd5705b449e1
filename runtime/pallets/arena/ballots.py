"""What the ballots on a submission say: scores, and the weight of those that gave none.

Source: WP V.D (validation), WP V.E (aggregation).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtime.pallets.arena.records import Ballot, Fingerprinted, NoData, Score, WrongData
from runtime.primitives.types import AccountId

SCORED: Final = (Score, Fingerprinted)
_UNSCORED: Final = (NoData, WrongData)


def scores_of(ballots: Sequence[Ballot]) -> list[tuple[AccountId, int, int]]:
    """(validator, weight, score) of the ballots with a score, by validator."""
    return [
        (each.validator, each.weight, each.verdict.value)
        for each in sorted(ballots, key=lambda ballot: ballot.validator)
        if isinstance(each.verdict, SCORED)
    ]


def unscored_weight(ballots: Sequence[Ballot]) -> int:
    """The weight of those who could not score: no model, or no data set."""
    return sum(each.weight for each in ballots if isinstance(each.verdict, _UNSCORED))
