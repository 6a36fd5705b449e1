"""Peers of a memory hub that only answer requests, and the hub's time as a clock."""

from __future__ import annotations

from collections.abc import Callable

from p2p.interface import Handlers, PeerId, Verdict
from p2p.memory import MemoryHub


class HubClock:
    """The hub's virtual time."""

    def __init__(self, hub: MemoryHub) -> None:
        self.now_ms = lambda: hub.now_ms


def answering(answer: Callable[[PeerId, str, bytes], bytes]) -> Handlers:
    """A peer that answers requests with `answer`, and does nothing else."""
    return Handlers(
        on_gossip=lambda *_: Verdict.IGNORE,
        on_request=answer,
        on_peer_connected=lambda *_: None,
        on_peer_disconnected=lambda *_: None,
        status=lambda: b"",
        check_status=lambda *_: None,
    )
