"""An extrinsic in the pool, and what becomes of it.

Source: Substrate `sc_transaction_pool::graph::base_pool::Transaction`, `TransactionStatus`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from runtime.primitives.types import Hash


@dataclass(frozen=True, slots=True)
class Entry:
    """A validated extrinsic. Tags order it; `arrived` breaks ties, `dies_at` is a block number."""

    hash: Hash
    data: bytes
    priority: int
    requires: tuple[bytes, ...]
    provides: tuple[bytes, ...]
    dies_at: int
    arrived: int
    propagate: bool

    @property
    def sender(self) -> bytes:
        """Whose limits apply: the account in the first tag, or the tag itself when unsigned."""
        return self.provides[0][:32] if self.provides else self.hash


class Status(enum.Enum):
    """What is told to those who watch an extrinsic."""

    FUTURE = "future"
    READY = "ready"
    BROADCAST = "broadcast"
    IN_BLOCK = "inBlock"
    RETRACTED = "retracted"
    FINALITY_TIMEOUT = "finalityTimeout"
    FINALIZED = "finalized"
    USURPED = "usurped"
    DROPPED = "dropped"
    INVALID = "invalid"

    def is_last(self) -> bool:
        """Whether nothing more will be told."""
        return self in _LAST


_LAST = frozenset(
    {Status.FINALITY_TIMEOUT, Status.FINALIZED, Status.USURPED, Status.DROPPED, Status.INVALID}
)

# (extrinsic, status, block or usurper or None)
StatusListener = Callable[[Hash, Status, Hash | None], None]
