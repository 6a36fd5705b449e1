"""Reputation of peers and the bans that follow from it.

It owns one bounded table of scores and one of bans, both driven by the time that callers pass.
Invariant: scores stay between `REPUTATION_BANNED` and `REPUTATION_MAX` and drift back to 0.
Source: WP II.A (peer-to-peer layer); Substrate peer reputation
"""

from collections import OrderedDict
from typing import Final

from p2p.interface import BAN_MS, REPUTATION_BANNED, REPUTATION_MAX

RECOVERY_MS: Final = 5_000
"""A score moves one point towards 0 in this many milliseconds."""
ENTRIES_MAX: Final = 4_096
"""Entries of each table; the longest untouched is forgotten first."""


class Reputations:
    """Scores and bans by key: a peer id, or an IP address for bans."""

    def __init__(self) -> None:
        self._scores: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._bans: OrderedDict[str, int] = OrderedDict()

    def score(self, key: str, now_ms: int) -> int:
        """The score at `now_ms`; 0 for the unknown."""
        score, since_ms = self._scores.get(key, (0, now_ms))
        recovered = max(0, now_ms - since_ms) // RECOVERY_MS
        return max(0, score - recovered) if score > 0 else min(0, score + recovered)

    def change(self, key: str, change: int, now_ms: int) -> bool:
        """Add `change`; true when this put the score at the ban threshold and banned the key."""
        score = self.score(key, now_ms) + change
        score = max(REPUTATION_BANNED, min(REPUTATION_MAX, score))
        if score <= REPUTATION_BANNED:
            self._scores.pop(key, None)
            self.ban(key, now_ms)
            return True
        self._scores[key] = (score, now_ms)
        self._scores.move_to_end(key)
        _shrink(self._scores)
        return False

    def ban(self, key: str, now_ms: int) -> None:
        """Refuse `key` for `BAN_MS`."""
        self._bans[key] = now_ms + BAN_MS
        self._bans.move_to_end(key)
        _shrink(self._bans)

    def banned_until_ms(self, key: str, now_ms: int) -> int | None:
        """When the ban of `key` ends, None if it is not banned."""
        until_ms = self._bans.get(key)
        if until_ms is None or until_ms > now_ms:
            return until_ms
        del self._bans[key]
        return None


def _shrink(table: OrderedDict[str, int] | OrderedDict[str, tuple[int, int]]) -> None:
    while len(table) > ENTRIES_MAX:
        table.popitem(last=False)
