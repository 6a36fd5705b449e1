"""Two cuts in py-libp2p's work per gossip message; nothing else changes.

It owns the patches of the window update and of the signed peer record. Invariant: a peer still
has at least 240 KiB of receive window, and a record is verified whenever its bytes change.
Source: WP II.A (peer-to-peer layer); yamux specification, py-libp2p 0.8.1
"""

from collections import OrderedDict
from typing import Any, Final

import libp2p.pubsub.gossipsub as gossipsub
import libp2p.pubsub.pubsub as pubsub
import libp2p.stream_muxer.yamux.yamux as yamux
import trio
from libp2p.peer.peerstore import env_to_send_in_RPC as make_record
from libp2p.pubsub.utils import maybe_consume_signed_record as consume_record

WINDOW_OWED_MAX: Final = 16 * 1024
"""Bytes read that need no window update yet; the library sends one for every read."""
VERIFIED_RECORD_S: Final = 600.0
VERIFIED_RECORDS_MAX: Final = 1_024


class _Records:
    """Our own record as bytes and the last verified record of each peer."""

    def __init__(self) -> None:
        self._own: OrderedDict[int, tuple[Any, bytes]] = OrderedDict()
        self._verified: OrderedDict[tuple[int, Any], tuple[float, bytes]] = OrderedDict()

    def make(self, host: Any) -> tuple[bytes, bool]:
        """Stands in for the library's function that compares our addresses for each message.

        The library replaces the stored record when our addresses change, so its identity tells;
        an outdated record would make peers drop the message that carries it.
        """
        stored = host.get_peerstore().get_local_record()
        known = self._own.get(id(host))
        if stored is None or known is None or known[0] is not stored:
            record, _ = make_record(host)
            known = (host.get_peerstore().get_local_record(), record)
            _remember(self._own, id(host), known)
        return known[1], False

    def consume(self, message: Any, host: Any, peer: Any) -> bool:
        """Stands in for the library's function that verifies the record of each message."""
        if not message.HasField("senderRecord"):
            return True
        now = trio.current_time()
        known = self._verified.get((id(host), peer))
        if known and known[1] == message.senderRecord and now - known[0] < VERIFIED_RECORD_S:
            return True
        if not consume_record(message, host, peer):
            return False
        _remember(self._verified, (id(host), peer), (now, message.senderRecord))
        return True


def _remember(table: OrderedDict[Any, Any], key: Any, entry: Any) -> None:
    table[key] = entry
    table.move_to_end(key)
    if len(table) > VERIFIED_RECORDS_MAX:
        table.popitem(last=False)


def install_speed_patches() -> None:
    """Patch the library once for the process; a second call changes nothing."""
    if getattr(yamux.YamuxStream, "_flock_patched", False):
        return
    send_update = yamux.YamuxStream._auto_tune_and_send_window_update

    async def send_update_when_due(self: Any, *, bytes_read: int = 0) -> None:
        buffered = len(self.conn.stream_buffers.get(self.stream_id, b""))
        if self.target_recv_window - (self.recv_window + buffered) >= WINDOW_OWED_MAX:
            await send_update(self, bytes_read=bytes_read)

    yamux.YamuxStream._auto_tune_and_send_window_update = send_update_when_due  # type: ignore[method-assign]
    yamux.YamuxStream._flock_patched = True  # type: ignore[attr-defined]
    records = _Records()
    for module in (gossipsub, pubsub):
        module.env_to_send_in_RPC = records.make  # type: ignore[attr-defined]
        module.maybe_consume_signed_record = records.consume  # type: ignore[attr-defined]
