"""What the stake ledger asks of others.

Source: litepaper (gmFLOCK: locks count for the minimums of nodes and creators).
"""

from __future__ import annotations

from typing import Protocol

from runtime.primitives.types import AccountId, Balance


class Locks(Protocol):
    """Who keeps locked tokens, and what they count by their notice."""

    def spare(self, who: AccountId) -> Balance:
        """What an account's lock counts and no minimum needs yet, planck."""

    def cover(self, who: AccountId, amount: Balance) -> None:
        """Let a part of that, not more, stand in for stake until it is given back."""

    def uncover(self, who: AccountId, amount: Balance) -> None:
        """Give a part back."""
