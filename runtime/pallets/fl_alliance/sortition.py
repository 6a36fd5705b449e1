"""Who proposes and who votes in a round: a pure function of the members' VRF outputs.

Invariant: roles depend on outputs alone; a member that posts none is a drawn voter, so that looking
at one's output first gives no choice. The number of voters is odd unless none of them is present.
Source: WP VI.B (random role selection), WP VI.H (VRF), Algorithm 2 (participantsDistributionRate).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from runtime.pallets.fl_alliance.terms import PARTICIPANTS_MAX
from runtime.primitives.rational import Rational

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Roles(Generic[T]):
    """Proposers and voters, the lowest output first; `dropped` would have been the last voter."""

    proposers: tuple[T, ...]
    voters: tuple[T, ...]
    dropped: tuple[T, ...]


def participants_of(members: int, participation: Rational) -> int:
    """⌈ρ_part·N⌉, at most 256."""
    return min(participation.mul_ceil(members), PARTICIPANTS_MAX)


def proposers_of(participants: int, proposing: Rational) -> int:
    """⌈ρ_prop·n⌉, at least one if anybody takes part."""
    return min(max(proposing.mul_ceil(participants), 1), participants)


def assign_roles(drawn: Sequence[T], absent: int, proposing: Rational) -> Roles[T]:
    """Roles of the participants, given by ascending output, next to so many absent voters.

    Of an even number of voters the present one with the highest output is dropped: an absent one
    must not escape.
    """
    count = proposers_of(len(drawn), proposing)
    proposers, voters = tuple(drawn[:count]), tuple(drawn[count:])
    if voters and (len(voters) + absent) % 2 == 0:
        return Roles(proposers, voters[:-1], voters[-1:])
    return Roles(proposers, voters, ())


def draw(
    outputs: Sequence[tuple[bytes, T]],
    members: int,
    participation: Rational,
    proposing: Rational,
) -> Roles[T]:
    """Roles from all posted (output, who) of so many members; the others are absent voters."""
    lowest = sorted(outputs, key=lambda each: each[0])[: participants_of(members, participation)]
    return assign_roles([who for _, who in lowest], members - len(outputs), proposing)


def voters_among(members: int, participation: Rational, proposing: Rational) -> int:
    """How many voters a round of so many members has if all post a proof; never fewer if not."""
    participants = participants_of(members, participation)
    voters = participants - proposers_of(participants, proposing)
    return voters if voters % 2 else max(voters - 1, 0)


def members_needed(
    least: tuple[int, int], participation: Rational, proposing: Rational, members_max: int
) -> int | None:
    """The fewest members that give so many proposers and voters; None if `members_max` do not."""
    proposers_min, voters_min = least

    def is_enough(members: int) -> bool:
        proposers = proposers_of(participants_of(members, participation), proposing)
        voters = voters_among(members, participation, proposing)
        return proposers >= proposers_min and voters >= voters_min

    low, high = 1, members_max
    if not is_enough(high):
        return None
    while low < high:  # neither become fewer as members become more
        middle = (low + high) // 2
        if is_enough(middle):
            high = middle
        else:
            low = middle + 1
    return low
