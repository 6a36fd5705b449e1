"""What trends asks of others.

Source: WP VII (who locks tokens votes).
"""

from __future__ import annotations

from typing import Protocol

from runtime.primitives.types import AccountId


class Power(Protocol):
    """What an account votes with."""

    @property
    def tokens(self) -> int:
        """Planck that are locked."""

    @property
    def weight(self) -> int:
        """What they count."""


class Electorate(Protocol):
    """Who knows locks, and who votes with them."""

    def locked(self) -> int:
        """All tokens that are locked and not on their way out, planck."""

    def keep_snapshot(self, snapshot: int, until: int) -> None:
        """Remember before block `until` what was locked before block `snapshot`, and bind it."""

    def power_at(self, who: AccountId, snapshot: int) -> Power:
        """What an account could vote with before a block that is remembered."""
