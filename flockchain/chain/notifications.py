"""What a chain tells its listeners: imported blocks, new heads, finality.

Listeners are plain functions, called in order of subscription, in the thread of the chain.

Source: Substrate `sc_client_api::notifications`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flockchain.chain.tree import NO_ROUTE, Route
from runtime.primitives.evidence import BlockEquivocation, VoteEquivocation
from runtime.primitives.header import Header
from runtime.primitives.record import record
from runtime.primitives.types import Hash


@record
class Imported:
    """A block is in the chain. `route` leads from the former head if the head moved."""

    hash: Hash
    header: Header
    is_new_best: bool
    route: Route
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Finalized:
    """A block is final, with all its ancestors; `lost` are the forks that were dropped.

    If the head was on one of them, `route` leads to the new head; `retracted` are the extrinsics
    that were taken back with their block, whose bodies are gone.
    """

    hash: Hash
    header: Header
    finalized: tuple[Hash, ...]
    lost: tuple[Hash, ...]
    route: Route = NO_ROUTE
    retracted: tuple[tuple[Hash, bytes], ...] = ()


Evidence = BlockEquivocation | VoteEquivocation


@dataclass
class Notifications:
    """Who listens."""

    on_imported: list[Callable[[Imported], None]] = field(default_factory=list)
    on_finalized: list[Callable[[Finalized], None]] = field(default_factory=list)
    on_equivocation: list[Callable[[str], None]] = field(default_factory=list)
    on_evidence: list[Callable[[Evidence], None]] = field(default_factory=list)

    def imported(self, event: Imported) -> None:
        """Tell of a block."""
        for listener in list(self.on_imported):
            listener(event)

    def equivocation(self, kind: str) -> None:
        """Tell that an authority signed twice: a `block` for one slot, or a `vote` in a round."""
        for listener in list(self.on_equivocation):
            listener(kind)

    def evidence(self, found: Evidence) -> None:
        """Tell what proves that an authority signed twice."""
        self.equivocation("block" if isinstance(found, BlockEquivocation) else "vote")
        for listener in list(self.on_evidence):
            listener(found)

    def finalized(self, event: Finalized) -> None:
        """Tell of finality."""
        for listener in list(self.on_finalized):
            listener(event)
