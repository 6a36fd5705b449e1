"""What a voter must find again after a crash: its votes, and the round before the one it is in.

Owns the `Journal` interface and the journal in memory. Invariant: what `record` and
`record_completed` were given is durable when they return, in the order of the calls; a vote is
recorded before the effect that sends it exists.
Source: GRANDPA paper 2.3 (one vote a round); Substrate `sc_consensus_grandpa` auxiliary storage.
"""

from dataclasses import dataclass
from typing import Protocol

from flockchain.consensus.grandpa.authorities import AuthorityId
from flockchain.consensus.grandpa.messages import CatchUp, VoteMessage


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a journal holds for one authority set."""

    votes: tuple[VoteMessage, ...] = ()
    """Own votes, oldest first; those of rounds before the completed one may be gone."""
    completed: CatchUp | None = None
    """The last completed round."""


class Journal(Protocol):
    """Durable memory of a voter."""

    def record(self, vote: VoteMessage) -> None:
        """Keep a vote of our own, synced on return. Raises: StorageError: it is not kept."""

    def record_completed(self, set_id: int, completed: CatchUp) -> None:
        """Keep a completed round instead of the one before it; synced on return.

        Own votes of earlier rounds may be dropped, and all of sets before the previous one: to
        that one a node returns when its chain leaves a forced change again. Raises: StorageError:
        it is not kept.
        """

    def load(self, set_id: int) -> Recovered:
        """What was kept for `set_id`; empty for a set that was never voted in."""

    def has_voted(self, authority: AuthorityId) -> bool:
        """Whether a vote of this key was ever recorded, in whatever set."""


class MemoryJournal:
    """A journal that lives as long as its object: for observers, which sign nothing, and tests."""

    def __init__(self) -> None:
        self._sets: dict[int, Recovered] = {}
        self._voted: set[AuthorityId] = set()

    def record(self, vote: VoteMessage) -> None:
        """Keep a vote."""
        self._voted.add(vote.message.id)
        held = self.load(vote.set_id)
        self._sets[vote.set_id] = Recovered((*held.votes, vote), held.completed)

    def record_completed(self, set_id: int, completed: CatchUp) -> None:
        """Keep a completed round and the votes since."""
        votes = self.load(set_id).votes
        kept = tuple(vote for vote in votes if vote.round >= completed.round_number)
        self._sets = {one: held for one, held in self._sets.items() if one >= set_id - 1}
        self._sets[set_id] = Recovered(kept, completed)

    def load(self, set_id: int) -> Recovered:
        """What was kept for `set_id`."""
        return self._sets.get(set_id, Recovered())

    def has_voted(self, authority: AuthorityId) -> bool:
        """Whether a vote of this key was ever recorded."""
        return authority in self._voted
