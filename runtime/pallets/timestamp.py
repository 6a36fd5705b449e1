"""Timestamp: the time of each block, set once by its author.

Invariant: the time rises by at least the minimum period from block to block.

Source: Substrate `pallet_timestamp`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runtime import frame
from runtime.frame.weights import Weight
from runtime.primitives.types import CompactU64, Moment


class AlreadySet(frame.ModuleError, index=0):
    """The block's time was set before in this block."""


class TooEarly(frame.ModuleError, index=1):
    """The time lies less than the minimum period behind the parent's."""


@dataclass(frozen=True)
class Config:
    """`minimum_period` in ms: half a slot, as clients expect it."""

    minimum_period: Moment


class Timestamp(frame.Pallet[Config], index=1):
    now = frame.StorageValue[int](Moment, default=0, docs="Milliseconds since 1970.")
    did_update = frame.StorageValue[bool](bool, default=False, docs="Only inside a block.")

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        on_timestamp_set: Callable[[Moment], None],
    ) -> None:
        super().__init__(ext, config)
        self._on_timestamp_set = on_timestamp_set

    @frame.call(
        0,
        weight=Weight(20_000_000),
        dispatch_class=frame.DispatchClass.MANDATORY,
        pays=frame.Pays.NO,
    )
    def set(self, origin: frame.Origin, now: CompactU64) -> None:
        """Set the block's time, ms since 1970. Inherent: by the author, once a block."""
        frame.ensure_none(origin)
        if self.did_update.get():
            raise AlreadySet
        if now < self.earliest():
            raise TooEarly
        self.now.put(now)
        self.did_update.put(True)
        self._on_timestamp_set(now)

    def earliest(self) -> Moment:
        """The least time that the next block may set, ms; 0 for the first one."""
        before = self.now.get()
        return before + self.config.minimum_period if before else 0

    def now_ms(self) -> Moment:
        """`Clock`: the block's time."""
        return self.now.get()

    def on_finalize(self, number: int) -> None:
        if not self.did_update.get():
            raise frame.InvalidBlock(f"block {number} does not set its time")
        self.did_update.remove()
