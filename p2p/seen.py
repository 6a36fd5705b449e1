"""Which gossip messages a node has seen, and which of them were bad.

It owns the content id of a message and two bounded tables. Invariant: a message that the node
ignored is in neither, so that it may come again.
Source: WP II.A (peer-to-peer layer); libp2p gossipsub 1.1
"""

import hashlib
from collections import OrderedDict
from typing import Final

SEEN_MS: Final = 120_000
"""How long an accepted message is not accepted again."""
SEEN_MAX: Final = 65_536
BAD_MAX: Final = 4_096


def message_id(topic: str, data: bytes) -> bytes:
    """The 20-byte id of a message: of its content, so that sequence numbers buy nothing."""
    return hashlib.sha256(topic.encode() + b"\0" + data).digest()[:20]


class SeenMessages:
    """Accepted messages for `SEEN_MS`, rejected ones until the table is full."""

    def __init__(self) -> None:
        self._until_ms: OrderedDict[bytes, int] = OrderedDict()
        self._bad: OrderedDict[bytes, None] = OrderedDict()

    def is_seen(self, identity: bytes, now_ms: int) -> bool:
        """Whether a message was accepted within `SEEN_MS`."""
        return self._until_ms.get(identity, now_ms) > now_ms

    def add(self, identity: bytes, now_ms: int) -> bool:
        """Remember an accepted message; false if it was known."""
        until_ms = self._until_ms
        if until_ms.get(identity, now_ms) > now_ms:
            return False
        until_ms[identity] = now_ms + SEEN_MS
        until_ms.move_to_end(identity)
        oldest = next(iter(until_ms))
        while until_ms[oldest] <= now_ms or len(until_ms) > SEEN_MAX:
            del until_ms[oldest]
            oldest = next(iter(until_ms))
        return True

    def is_bad(self, identity: bytes) -> bool:
        """Whether a message was rejected."""
        return identity in self._bad

    def add_bad(self, identity: bytes) -> None:
        """Remember a rejected message."""
        self._bad[identity] = None
        while len(self._bad) > BAD_MAX:
            self._bad.popitem(last=False)
