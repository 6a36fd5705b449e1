"""The voter's journal in the node's store: a vote is on disk before it is sent.

Source: GRANDPA paper 2.3 (one vote a round); Substrate `sc_consensus_grandpa::aux_schema`.
"""

from __future__ import annotations

from typing import Any, Final

from flockchain.consensus.grandpa.authorities import AuthorityId
from flockchain.consensus.grandpa.journal import Recovered
from flockchain.consensus.grandpa.messages import (
    CATCH_UP,
    CatchUp,
    Precommit,
    Prevote,
    PrimaryPropose,
    VoteMessage,
)
from flockchain.storage.kv import KeyValueStore, WriteBatch
from runtime.primitives.scale import codec_of

_VOTE: Final = b"g/v"  # set id ‖ round (big endian) ‖ kind of vote → vote
_COMPLETED: Final = b"g/c"  # set id → catch-up
_VOTER: Final = b"g/k"  # key → nothing
_VOTE_CODEC: Final = codec_of(VoteMessage)


_ORDER: Final[dict[Any, bytes]] = {
    PrimaryPropose: b"0",
    Prevote: b"1",
    Precommit: b"2",
}  # as they are cast


def _vote_key(set_id: int, round_number: int, kind: bytes = b"") -> bytes:
    place = set_id.to_bytes(8, "big") + round_number.to_bytes(8, "big")
    return _VOTE + place + kind


def key_of_vote(vote: VoteMessage) -> bytes:
    """Where a vote of our own lies in the store."""
    return _vote_key(vote.set_id, vote.round, _ORDER[type(vote.message.message)])


class StoredJournal:
    """Durable memory of a voter."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store
        self._only_sets_from: int | None = None
        """The set when those before the previous one were dropped last."""

    def record(self, vote: VoteMessage) -> None:
        """Keep a vote of our own, synced on return."""
        batch = WriteBatch()
        batch.put(key_of_vote(vote), _VOTE_CODEC.encode(vote))
        batch.put(_VOTER + vote.message.id, b"")
        self._store.write(batch, sync=True)

    def record_completed(self, set_id: int, completed: CatchUp) -> None:
        """Keep a completed round instead of the one before it, and drop votes of earlier ones.

        What the set before this one voted stays: the chain may leave a forced change again.
        """
        batch = WriteBatch()
        batch.put(_COMPLETED + set_id.to_bytes(8, "big"), CATCH_UP.encode(completed))
        if set_id != self._only_sets_from:  # nothing of earlier sets is written meanwhile
            previous = max(set_id - 1, 0).to_bytes(8, "big")
            self._drop(batch, _COMPLETED, _COMPLETED, _COMPLETED + previous)
            self._drop(batch, _VOTE, _VOTE, _VOTE + previous)
        start, end = _vote_key(set_id, 0), _vote_key(set_id, completed.round_number)
        self._drop(batch, _VOTE, start, end)
        self._store.write(batch, sync=True)
        self._only_sets_from = set_id

    def _drop(self, batch: WriteBatch, prefix: bytes, start: bytes, end: bytes) -> None:
        """What lies under a prefix from `start` to below `end`."""
        for key, _ in self._store.iterate(prefix, start):
            if key >= end:
                break
            batch.delete(key)

    def load(self, set_id: int) -> Recovered:
        """What was kept for `set_id`."""
        prefix = _VOTE + set_id.to_bytes(8, "big")
        votes = tuple(_VOTE_CODEC.decode_all(raw) for _, raw in self._store.iterate(prefix))
        raw = self._store.get(_COMPLETED + set_id.to_bytes(8, "big"))
        return Recovered(votes, None if raw is None else CATCH_UP.decode_all(raw))

    def has_voted(self, authority: AuthorityId) -> bool:
        """Whether a vote of this key was ever recorded."""
        return self._store.get(_VOTER + authority) is not None
