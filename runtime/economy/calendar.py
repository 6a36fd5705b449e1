"""The arena's day: a number of blocks, cut into windows that are half-open and counted in blocks.

Counting blocks instead of time means that an outage shortens nobody's window.
Invariant: the windows lie in order and fill the day.
Source: WP V.H (the validation day), WP Fig. 3 (submission, validation, consensus, reward).
"""

from __future__ import annotations

import itertools
from typing import Final

from runtime.primitives.scale import scale_type
from runtime.primitives.types import U32

MINTABLE_DAYS: Final = 8  # for so long what a day's emission allotted can still be minted


@scale_type
class Calendar:
    """Ends of the day's windows, each an offset in blocks; the seats are drawn at `reveal_end`.

    Submit [0, submit_end), reveal [.., reveal_end), score commit [.., commit_end), score reveal
    [.., score_reveal_end), alias opening [.., alias_end), settlement [.., day_blocks).
    """

    day_blocks: U32
    submit_end: U32
    reveal_end: U32
    commit_end: U32
    score_reveal_end: U32
    alias_end: U32

    def __post_init__(self) -> None:
        ends = (
            self.submit_end,
            self.reveal_end,
            self.commit_end,
            self.score_reveal_end,
            self.alias_end,
            self.day_blocks,
        )
        if ends[0] < 1 or any(end <= start for start, end in itertools.pairwise(ends)):
            raise ValueError(f"windows of a day must follow one another: {ends}")

    def day_of(self, number: int) -> int:
        """The day of a block."""
        return number // self.day_blocks

    def position_of(self, number: int) -> int:
        """The block's offset in its day."""
        return number % self.day_blocks

    def first_block(self, day: int) -> int:
        """The first block of a day."""
        return day * self.day_blocks
