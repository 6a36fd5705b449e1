"""Why a block is not imported.

Source: Substrate `sc_consensus::ImportResult`.
"""

from __future__ import annotations

from runtime.frame.errors import InvalidBlock


class UnknownParent(Exception):
    """The parent is not known: ask for it, or wait."""


class AlreadyKnown(Exception):
    """The block is in the chain."""


class FutureBlock(Exception):
    """The block's slot lies ahead of our clock: hold it until `due_ms`, ms since 1970."""

    def __init__(self, slot: int, now_slot: int, due_ms: int) -> None:
        super().__init__(f"slot {slot} lies ahead of {now_slot}")
        self.slot = slot
        self.due_ms = due_ms


class EarlyBlock(FutureBlock):
    """The slot is too far ahead to wait for: the author's clock is wrong, or ours is.

    Nothing else was checked. The block may be good, so whoever sent it is not to blame for it.
    """


class OtherRelease(FutureBlock):
    """The parent's state names another release: only that one goes on. Nobody is to blame."""

    def __init__(self, reason: str) -> None:
        Exception.__init__(self, reason)
        self.due_ms = 2**62


class BelowFinality(Exception):
    """The block would fork off below the last finalized one."""


__all__ = [
    "AlreadyKnown",
    "BelowFinality",
    "EarlyBlock",
    "FutureBlock",
    "InvalidBlock",
    "OtherRelease",
    "UnknownParent",
]
