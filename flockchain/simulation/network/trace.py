"""What happened, as one hash: two runs of a plan are the same if their traces are.

Source: WP II.A.
"""

from __future__ import annotations

import hashlib


class Trace:
    """A running SHA-256 of events; each names its time, its node and what it was about."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.events = 0

    def note(self, now_ms: int, who: str, what: str, data: bytes = b"") -> None:
        """Add an event."""
        self.events += 1
        self._hash.update(f"{now_ms} {who} {what} {len(data)}\n".encode())
        self._hash.update(data)

    def digest(self) -> str:
        """The hash so far, in hex."""
        return self._hash.hexdigest()
