"""What governance asks of others.

Source: WP VII (what was decided is executed).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from runtime.economy.governance import Track
from runtime.frame.call import RuntimeCall
from runtime.primitives.types import Hash

TrackFilter: TypeAlias = Callable[[Track, RuntimeCall], bool]
"""Whether proposals on a track may make a call."""


class Preimages(Protocol):
    """Where calls lie until they are made."""

    def note(self, data: bytes) -> Hash:
        """Keep bytes and rely on them once. Raises DispatchError if there are too many."""

    def bytes_of(self, found: Hash) -> bytes | None:
        """The bytes of a hash, if they are there."""

    def request(self, found: Hash) -> None:
        """Rely on bytes once more."""

    def unrequest(self, found: Hash) -> bool:
        """Rely on bytes once less; False if nobody did."""


class Agenda(Protocol):
    """Who makes calls later."""

    def schedule_noted(self, earliest: int, found: Hash, length: int, name: bytes) -> int:
        """Let root make the call whose bytes lie at a hash, in the first block from `earliest`
        whose agenda has a place; that block."""
