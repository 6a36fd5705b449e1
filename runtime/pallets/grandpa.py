"""Grandpa: who finalizes, under which set id, and since which session.

A change is announced in the digest of the block that begins a session. Finality enacts it when that
block is final; the state has it from that block on, so that a node which starts at the block reads
what it votes with. Where voters are gone for good, root says so: those of the next session are then
named by force, and vote without the consent of those before.
Invariant: set ids rise by one with each change.
Source: Substrate `pallet_grandpa`; WP II.A.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Protocol

from runtime import frame
from runtime.frame.weights import Weight
from runtime.primitives.babe_digest import GRANDPA_ENGINE, Authority
from runtime.primitives.grandpa_votes import CONSENSUS_LOG, ForcedChange, ScheduledChange
from runtime.primitives.scale import Limit
from runtime.primitives.types import U32, U64, Bytes4

SETS_KEPT_MAX = 4_096  # sets whose first session is known: a change needs a session


@frame.event(0)
class FinalityStalled:
    """The next session's voters are named by force: they act `delay` blocks later."""

    delay: U32
    best_finalized: U32


DELAY_BLOCKS_MAX: Final = 10_000  # finality stands still for as long


class DelayTooLong(frame.ModuleError, index=1):
    """A forced change waits for at most 10,000 blocks."""


class NotMadeYet(frame.ModuleError, index=0):
    """A block of that height cannot be final: it is not made yet."""


@frame.scale_type
class Stall:
    """What root said of finality: how deep the change has to lie, and what was final."""

    delay: U32
    best_finalized: U32


class Digest(Protocol):
    """What grandpa asks of system."""

    def block_number(self) -> int:
        """The block being executed."""

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
    stalled = frame.StorageValue[Stall](Stall, docs="That the next change is made by force.")

    def __init__(self, ext: frame.Externalities, config: Config, *, block: Digest) -> None:
        super().__init__(ext, config)
        self.block = block

    @frame.call(0, weight=Weight(60_000_000))
    def note_stalled(self, origin: frame.Origin, delay: U32, best_finalized: U32) -> None:
        """Finality cannot go on: name the next session's voters by force. Root.

        `delay` blocks must lie on the change before they vote, so that all nodes see one change;
        up to the height `best_finalized` the voters of before have finalized. Members that are
        gone are disabled first (`session.disable`). Emits FinalityStalled. Raises NotMadeYet,
        DelayTooLong.
        """
        frame.ensure_root(origin)
        if delay > DELAY_BLOCKS_MAX:
            raise DelayTooLong
        if best_finalized >= self.block.block_number():
            raise NotMadeYet
        self.stalled.put(Stall(delay, best_finalized))
        self.deposit_event(FinalityStalled(delay, best_finalized))

    def set_authorities(self, authorities: list[Authority], session: int) -> None:
        """From this block's finality on, these vote. Nothing changes if they do already."""
        stall = self.stalled.find()
        if stall is None and authorities == self.authorities.get():
            return
        self.stalled.remove()
        set_id = self.current_set_id.get() + 1
        self.authorities.put(authorities)
        self.current_set_id.put(set_id)
        self.set_id_session.put(set_id, session)
        if set_id >= SETS_KEPT_MAX:
            self.set_id_session.remove(set_id - SETS_KEPT_MAX)
        change = (
            ScheduledChange(authorities, 0)
            if stall is None
            else ForcedChange(stall.best_finalized, authorities, stall.delay)
        )
        self.block.deposit_consensus_log(GRANDPA_ENGINE, CONSENSUS_LOG.encode(change))

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
