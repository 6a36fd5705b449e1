"""How malicious voters judge: blindly, for their friends, against the others, or not at all.

Invariant: a policy changes a voter's own judgement and nothing else.
Source: WP VI.E, VI.F (the vote); lazy and colluding voters are what the reward of the majority
invites.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a voter says of a round: whether it accepts, and which proposals it marks as harmful."""

    accepts: bool
    marks: tuple[bool, ...]


VotePolicy: TypeAlias = Callable[[Judgement, Sequence[bool]], Judgement | None]
"""From the honest judgement, and which proposals are of friends, to what is said; None: nothing."""


def vote_honestly(honest: Judgement, friends: Sequence[bool]) -> Judgement:
    """What the voter measured."""
    return honest


def vote_lazily(honest: Judgement, friends: Sequence[bool]) -> Judgement:
    """Accept whatever it is, without a look."""
    return Judgement(True, (False,) * len(honest.marks))


def vote_for_friends(honest: Judgement, friends: Sequence[bool]) -> Judgement:
    """Accept if a friend's proposal is in it, else reject; mark all but the friends."""
    return Judgement(any(friends), tuple(not friend for friend in friends))


def vote_within_half(honest: Judgement, friends: Sequence[bool]) -> Judgement:
    """Accept as for friends, but mark no more strangers than cost nothing, half of the proposals:
    those first that it finds harmful itself, as other voters may too."""
    strangers = [at for at, friend in enumerate(friends) if not friend]
    strangers.sort(key=lambda at: not honest.marks[at])
    chosen = frozenset(strangers[: len(friends) // 2])
    return Judgement(any(friends), tuple(at in chosen for at in range(len(friends))))


def vote_for_nobody(honest: Judgement, friends: Sequence[bool]) -> None:
    """Stay away from a vote that the voter was drawn for."""
