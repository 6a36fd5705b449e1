"""The votes of one kind in one round, each authority's weight counted once.

Owns who voted for what and who contradicted itself. Invariant: `weight` is the sum over distinct
voters, whatever they sent; at most two votes of a voter are kept, the proof of its equivocation.
Source: GRANDPA paper 2.2; Substrate `sp_consensus_grandpa::Equivocation`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from flockchain.consensus.grandpa.authorities import AuthorityId, AuthoritySet
from flockchain.consensus.grandpa.messages import SignedMessage


class Phase(Enum):
    """The kind of vote that counts towards a block."""

    PREVOTE = 0
    PRECOMMIT = 1


class Counted(Enum):
    """What a vote changed."""

    FIRST = "first"
    """The voter's first vote: its weight counts towards the target and everything below."""
    DUPLICATE = "duplicate"
    """The same vote once more."""
    EQUIVOCATION = "equivocation"
    """A second, different vote: from now on the voter counts towards every block."""
    REDUNDANT = "redundant"
    """A third different vote proves nothing new."""


@dataclass(frozen=True, slots=True)
class Equivocation:
    """Two votes of one authority, of one kind, in one round: proof of an offence."""

    set_id: int
    round_number: int
    authority: AuthorityId
    first: SignedMessage
    second: SignedMessage


class Tally:
    """Votes by authority, in the order in which they came."""

    __slots__ = ("_authorities", "_votes", "equivocating_weight", "weight")

    def __init__(self, authorities: AuthoritySet) -> None:
        self._authorities = authorities
        self._votes: dict[AuthorityId, tuple[SignedMessage, ...]] = {}
        self.weight = 0
        self.equivocating_weight = 0

    def add(self, signed: SignedMessage) -> Counted:
        """Count a vote whose signature and membership the caller has checked."""
        held = self._votes.get(signed.id, ())
        if any(vote.message == signed.message for vote in held):
            return Counted.DUPLICATE
        if len(held) == 2:
            return Counted.REDUNDANT
        self._votes[signed.id] = (*held, signed)
        weight = self._authorities.weight(signed.id)
        if held:
            self.equivocating_weight += weight
            return Counted.EQUIVOCATION
        self.weight += weight
        return Counted.FIRST

    def of(self, authority: AuthorityId) -> tuple[SignedMessage, ...]:
        """The authority's votes: none, one, or the two that contradict each other."""
        return self._votes.get(authority, ())

    def by_authority(self) -> Iterator[tuple[AuthorityId, tuple[SignedMessage, ...]]]:
        """Every voter with its one or two votes."""
        return iter(self._votes.items())

    def __iter__(self) -> Iterator[SignedMessage]:
        for votes in self._votes.values():
            yield from votes
