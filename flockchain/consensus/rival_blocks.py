"""How many blocks of one author for one slot are taken from gossip.

An author can seal any number of blocks for a slot it has; each would be executed, stored, forwarded
and would fill the tree of unfinalized blocks for everybody. Two are evidence enough. Further ones
are not forbidden: sync fetches them where votes or children ask for them. Invariant: only blocks
that were imported count, so that nobody uses up another's allowance; what is remembered is bounded.
Source: Substrate `sc_consensus_slots::check_equivocation`; WP II.A.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from runtime.primitives.babe_digest import find_claim
from runtime.primitives.header import Header
from runtime.primitives.scale import DecodeError

RIVALS_MAX: Final = 4
_SLOTS_MAX: Final = 4_096


class RivalBlocks:
    """Counts imported blocks by slot and author."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[int, int], int] = OrderedDict()

    def is_one_too_many(self, header: Header) -> bool:
        """Whether the author's allowance for the slot is used up."""
        place = _place(header)
        return place is not None and self._counts.get(place, 0) >= RIVALS_MAX

    def note(self, header: Header) -> None:
        """A block was checked and imported."""
        place = _place(header)
        if place is None:
            return
        self._counts[place] = self._counts.get(place, 0) + 1
        if len(self._counts) > _SLOTS_MAX:
            self._counts.popitem(last=False)


def _place(header: Header) -> tuple[int, int] | None:
    """Slot and author as claimed; None for blocks without slots and for broken claims."""
    try:
        claim = find_claim(header)
    except DecodeError:
        return None
    return None if claim is None else (claim.slot, claim.authority_index)
