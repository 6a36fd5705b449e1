"""Grandpa: who finalizes, under which set id, and since which session.

A change is announced in the digest of the block that begins a session. Finality enacts it when that
block is final; the state has it from that block on, so that a node which starts at the block reads
what it votes with. Invariant: set ids rise by one with each change.
Source: Substrate `pallet_grandpa`; WP II.A.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Protocol

from runtime import frame
from runtime.primitives.babe_digest import GRANDPA_ENGINE, Authority
from runtime.primitives.grandpa_votes import CONSENSUS_LOG, ScheduledChange
from runtime.primitives.scale import Limit
from runtime.primitives.types import U32, U64, Bytes4

SETS_KEPT_MAX = 4_096  # sets whose first session is known: a change needs a session


class Digest(Protocol):
    """What grandpa asks of system."""

    def deposit_consensus_log(self, engine: Bytes4, data: bytes) -> None:
        """Announce to the engine."""


@dataclass(frozen=True)
class Config:
    """`max_authorities` bounds the voters."""

    max_authorities: U32 = 1_000


class Grandpa(frame.Pallet[Config], index=3):
    authorities = frame.StorageValue[list[Authority]](
        Annotated[list[Authority], Limit(1_000)], default=[], docs="Who votes, with weights."
    )
    current_set_id = frame.StorageValue[int](U64, default=0)
    set_id_session = frame.StorageMap[int, int](
        U64, U32, hasher=frame.Hasher.TWOX_64_CONCAT, docs="The first session of a set."
    )

    def __init__(self, ext: frame.Externalities, config: Config, *, block: Digest) -> None:
        super().__init__(ext, config)
        self.block = block

    def set_authorities(self, authorities: list[Authority], session: int) -> None:
        """From this block's finality on, these vote. Nothing changes if they do already."""
        if authorities == self.authorities.get():
            return
        set_id = self.current_set_id.get() + 1
        self.authorities.put(authorities)
        self.current_set_id.put(set_id)
        self.set_id_session.put(set_id, session)
        if set_id >= SETS_KEPT_MAX:
            self.set_id_session.remove(set_id - SETS_KEPT_MAX)
        self.block.deposit_consensus_log(
            GRANDPA_ENGINE, CONSENSUS_LOG.encode(ScheduledChange(authorities, 0))
        )

    def sessions_of_set(self, set_id: int) -> tuple[int, int | None] | None:
        """First session of a set, and first one after it; None if the set is not known."""
        first = self.set_id_session.find(set_id)
        return None if first is None else (first, self.set_id_session.find(set_id + 1))

    def genesis_build(self, authorities: list[Authority]) -> None:
        """Set the first voters. Raises ValueError if there are none."""
        if not authorities:
            raise ValueError("grandpa: no authorities")
        self.authorities.put(authorities)
        self.set_id_session.put(0, 0)
