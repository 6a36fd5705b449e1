"""Elections: who acts in the next era, and what stands behind it.

Pure. The most backed candidates are elected: a nominator's stake counts in equal parts for those it
names. Then each nominator's stake is divided anew among those of them that were elected, so that
none of it idles. Of a validator's nominators only the largest count. Ties go to the lower account.
Invariant: no nominator stands behind validators with more than its stake.
Source: WP II.A; this project's choice where Substrate uses sequential Phragmén (deviations.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runtime.pallets.staking.records import BACKERS_MAX, Exposure, IndividualExposure
from runtime.primitives.apportion import apportion
from runtime.primitives.types import AccountId, Balance

Votes = Sequence[tuple[AccountId, Balance, Sequence[AccountId]]]
"""Nominators in account order: who, stake, whom it backs."""


def elect(
    candidates: Mapping[AccountId, Balance], votes: Votes, seats: int
) -> dict[AccountId, Exposure]:
    """The elected with their exposures, in account order; `candidates` have stakes of their own.

    Cost: linear in the votes' targets, and two sorts.
    """
    backing = dict(candidates)
    for _, target, part in _divided(votes, candidates):
        backing[target] += part
    order = sorted(backing, key=lambda who: (-backing[who], who))
    elected = {who: candidates[who] for who in sorted(order[:seats])}
    behind: dict[AccountId, list[IndividualExposure]] = {who: [] for who in elected}
    for nominator, target, part in _divided(votes, elected):
        behind[target].append(IndividualExposure(nominator, part))
    return {who: _exposure(own, behind[who]) for who, own in elected.items()}


def _divided(
    votes: Votes, among: Mapping[AccountId, Balance]
) -> list[tuple[AccountId, AccountId, Balance]]:
    """Nominator, target, part: equal parts for those of its targets that are in `among`."""
    found: list[tuple[AccountId, AccountId, Balance]] = []
    for nominator, stake, targets in votes:
        known = [target for target in targets if target in among]
        if known and stake:
            parts = apportion(stake, [1] * len(known))
            found += [(nominator, t, p) for t, p in zip(known, parts, strict=True) if p]
    return found


def _exposure(own: Balance, behind: list[IndividualExposure]) -> Exposure:
    largest = sorted(behind, key=lambda each: (-each.value, each.who))[:BACKERS_MAX]
    counted = sorted(largest, key=lambda each: each.who)
    return Exposure(own + sum(each.value for each in counted), own, counted)
