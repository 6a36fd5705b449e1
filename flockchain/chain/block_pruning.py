"""Bodies of old blocks, which a node may let go of: the newest final ones stay, and pinned ones.

Headers, numbers and the proofs of changes of voters stay, so that others still sync by proofs.
Invariant: everything up to `pruned_to` that could go is gone, on disk too, and a block that a
reader has pinned holds up those above it until it is let go.
Source: Substrate `--blocks-pruning`, `sc_client_db` (`prune_blocks`, `PinnedBlocksCache`).
"""

from __future__ import annotations

from typing import Final

from flockchain.chain.backend import Backend
from flockchain.chain.notifications import Finalized
from flockchain.storage.kv import WriteBatch

STEP_MAX: Final = (
    1_024  # blocks that are looked at when one becomes final: a long past goes in parts
)
_META: Final = "pruned"


class BlockPruner:
    """Removes bodies as blocks become final; `kept` final ones stay.

    Listens after everybody who reads the bodies of blocks that become final, so make it last.
    """

    def __init__(self, backend: Backend, kept: int) -> None:
        self._backend = backend
        self._kept = kept
        raw = backend.blocks.meta(_META)
        self.pruned_to = 0 if raw is None else int.from_bytes(raw, "big")
        """The highest block whose body is gone, and all those below."""
        backend.notifications.on_finalized.append(self._on_finalized)
        self.prune()

    def _on_finalized(self, event: Finalized) -> None:
        self.prune()

    def prune(self) -> None:
        """Let go of what is due."""
        backend = self._backend
        limit = backend.finalized.number - self._kept
        backend.bodies_from = max(limit + 1, 1)
        batch, last = WriteBatch(), self.pruned_to
        for number in range(last + 1, min(limit, last + STEP_MAX) + 1):
            block = backend.blocks.hash_at(number)
            header = None if block is None else backend.header(block)
            if block is not None and header is not None:  # else a warp sync left it out
                if backend.state.is_pinned(header.state_root):
                    break
                backend.blocks.remove_body(batch, block)
            last = number
        if last > self.pruned_to:
            backend.blocks.put_meta(batch, _META, last.to_bytes(4, "big"))
            backend.store.write(batch, sync=False)
            self.pruned_to = last
