"""Extrinsics of this node's own users on their way to the peers, many in one message.

What a message costs each node, it costs for all in it together: so they leave every `EVERY_MS`, or
every `FULL_EVERY_MS` while what waits fills a message. Owns what waits, at most `BYTES_MAX`; the
oldest are dropped first, which have waited so long that an own block has most of them.

Source: Substrate `sc_network_transactions`; this project's batches.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from flockchain.sync.messages import EXTRINSICS_PER_MESSAGE_MAX

EVERY_MS: Final = 400
FULL_EVERY_MS: Final = 100
MESSAGE_BYTES_MAX: Final = 120 * 1024
"""Of a batch; a larger extrinsic waits for an own block."""
BYTES_MAX: Final = 4 * 1024 * 1024
_OVERHEAD_BYTES: Final = 8  # of an extrinsic in its message, at most


class Outbox:
    """What is to be sent, first in first out."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._sent_ms = 0
        self.due_ms: int | None = None
        """When the next batch leaves; None while nothing waits."""

    def put(self, data: bytes, now_ms: int) -> None:
        """Let an extrinsic wait for the next batch."""
        size = len(data) + _OVERHEAD_BYTES
        if size > MESSAGE_BYTES_MAX:
            return
        self._waiting.append(data)
        self._bytes += size
        while self._bytes > BYTES_MAX:
            self._bytes -= len(self._waiting.popleft()) + _OVERHEAD_BYTES
        if self.due_ms is None:
            self.due_ms = max(now_ms, self._sent_ms + EVERY_MS)
        elif self._is_full():
            self.due_ms = min(self.due_ms, max(now_ms, self._sent_ms + FULL_EVERY_MS))

    def take(self, now_ms: int) -> list[bytes]:
        """The next batch if it is due, else nothing."""
        if self.due_ms is None or now_ms < self.due_ms:
            return []
        batch: list[bytes] = []
        size = 0
        while self._waiting and len(batch) < EXTRINSICS_PER_MESSAGE_MAX:
            size += len(self._waiting[0]) + _OVERHEAD_BYTES
            if size > MESSAGE_BYTES_MAX:
                break
            batch.append(self._waiting.popleft())
            self._bytes -= len(batch[-1]) + _OVERHEAD_BYTES
        self._sent_ms = now_ms
        wait_ms = FULL_EVERY_MS if self._is_full() else EVERY_MS
        self.due_ms = now_ms + wait_ms if self._waiting else None
        return batch

    def _is_full(self) -> bool:
        """Whether what waits fills a message."""
        return self._bytes >= MESSAGE_BYTES_MAX or len(self) >= EXTRINSICS_PER_MESSAGE_MAX

    def __len__(self) -> int:
        return len(self._waiting)
