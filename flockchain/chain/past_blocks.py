"""The blocks below the one that a warp sync began at: which is next, and their check.

They come downwards, each named by the hash in the block above it, so the proof of the first is the
proof of all; none is executed. Below what a node keeps nothing is wanted. Invariant: `next_wanted`
is on disk with the blocks above it, and what is stored hashes to what was wanted.
Source: Substrate `sc_client_db` (`BlockGap`).
"""

from __future__ import annotations

from collections.abc import Iterable

from flockchain.chain.backend import Backend
from flockchain.chain.errors import InvalidBlock
from flockchain.storage.kv import WriteBatch
from flockchain.storage.trie_build import ordered_root
from runtime.primitives.header import Header
from runtime.primitives.types import Hash


class PastBlocks:
    """What a chain lacks between its genesis and the block that it began at."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        raw = backend.blocks.meta("history")
        self.next_wanted: Hash | None = None if raw is None else Hash(raw)
        """The highest block whose body is missing; None if nothing is."""

    def settle(self) -> None:
        """Want nothing more once all that the node keeps is here: blocks come downwards, and
        meanwhile the newest ones made those below too old to keep."""
        lowest = self._backend.bodies_from
        if self.next_wanted is None or lowest == 1:
            return
        block = self._backend.blocks.hash_at(lowest)
        if block is None or self._backend.blocks.body(block) is None:
            return
        batch = WriteBatch()
        self._backend.blocks.remove_meta(batch, "history")
        self._backend.store.write(batch, sync=False)
        self.next_wanted = None

    def put(self, blocks: Iterable[tuple[Header, list[bytes]]]) -> int:
        """Check and store blocks from `next_wanted` downwards; how many. Raises InvalidBlock."""
        batch, wanted, count = WriteBatch(), self.next_wanted, 0
        stored = self._backend.blocks
        for header, body in blocks:
            block = header.hash()
            if wanted is None or block != wanted:
                raise InvalidBlock(f"block {header.number} 0x{block.hex()} is not the one wanted")
            root = ordered_root(body)
            if root != header.extrinsics_root:
                raise InvalidBlock(
                    f"extrinsics root 0x{root.hex()} != 0x{header.extrinsics_root.hex()} "
                    f"in block {header.number}"
                )
            count += 1
            if header.number < self._backend.bodies_from:
                wanted = None  # they would be pruned at once
                break
            stored.put_past_block(batch, block, header, body)
            wanted = None if header.parent_hash == self._backend.genesis else header.parent_hash
        if wanted is None:
            stored.remove_meta(batch, "history")
        else:
            stored.put_meta(batch, "history", wanted)
        self._backend.store.write(batch, sync=False)
        self.next_wanted = wanted
        return count
