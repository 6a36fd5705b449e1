"""What a duty needs to know of the round in progress, read once on a block.

Source: WP VI.B to VI.E.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flockchain.workers.moment import Moment
from runtime.pallets.fl_alliance.records import Aggregation
from runtime.pallets.fl_alliance.terms import Mode
from runtime.pallets.fl_alliance.views import AllianceInfo, Part, RoundInfo
from runtime.primitives.types import AccountId

LAST_CALL_BLOCKS: Final = 2  # before a window ends one answers with what one has


@dataclass(frozen=True, slots=True)
class RoundView:
    """The moment, the task, one's part, and the round with everybody's part in it.

    `aggregation`: who aggregates it; none in open mode, and before the sum is fixed.
    """

    now: Moment
    info: AllianceInfo
    part: Part
    made: RoundInfo
    aggregation: Aggregation | None = None

    @property
    def task(self) -> int:
        """The task's number."""
        return self.info.task

    @property
    def number(self) -> int:
        """The round's."""
        return self.made.round

    @property
    def participants(self) -> list[AccountId]:
        """Proposers, then voters: the order of the boxes of a sealed update."""
        return [*self.made.record.proposers, *self.made.record.voters]

    @property
    def is_summed(self) -> bool:
        """Whether one participant sums what nobody else sees."""
        return self.info.record.terms.mode is not Mode.OPEN

    @property
    def place(self) -> str:
        """Which aggregator's sum votes are about, one byte in hex; empty in open mode."""
        return "" if self.aggregation is None else f"{self.aggregation.place:02x}"

    @property
    def is_last_call(self) -> bool:
        """Whether an answer that comes later might miss its window."""
        return self.now.next_number + LAST_CALL_BLOCKS >= self.part.until
