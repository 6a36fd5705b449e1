"""The block tree as finality sees it: the backend behind the voter's `Chain`.

Source: Substrate `sc_consensus_grandpa::environment`.
"""

from __future__ import annotations

from flockchain.chain.backend import Backend
from flockchain.chain.release_watch import ends_release
from flockchain.consensus.grandpa.chain import NotDescendant, UnknownBlock
from flockchain.consensus.grandpa.messages import BlockRef
from runtime.primitives.header import Header
from runtime.primitives.types import Hash


class BackendChain:
    """Answers from the tree, and below the finalized block from the number index."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def number(self, block: Hash) -> int | None:
        """Height of `block`, None if it is not imported."""
        header = self._backend.header(block)
        return None if header is None else header.number

    def is_equal_or_descendant(self, base: Hash, block: Hash) -> bool:
        """Whether `block` is `base` or builds on it; False if either is unknown."""
        if base == block:
            return self._backend.header(base) is not None
        tree = self._backend.tree
        if base in tree and block in tree:
            return tree.is_descendant(base, block)
        if not self._backend.is_finalized(base):
            return False
        return block in tree or (
            self._backend.is_finalized(block)
            and self.header(block).number > self.header(base).number
        )

    def ancestry(self, base: Hash, block: Hash) -> list[Hash]:
        """The blocks strictly between `block` and `base`, from `block`'s parent downwards."""
        path = self._backend.tree.path(base, block)
        if path is not None:  # no header is read: a stalled chain is long
            return [node.hash for node in path[1:]]
        bottom, header = self.header(base), self.header(block)
        found: list[Hash] = []
        if block == base:
            return found
        while header.number > bottom.number + 1:
            found.append(header.parent_hash)
            header = self.header(header.parent_hash)
        if header.parent_hash != base:
            raise NotDescendant(f"0x{block.hex()} does not build on 0x{base.hex()}")
        return found

    def best_containing(self, base: Hash) -> BlockRef | None:
        """Head of the best chain that contains `base`, None if `base` is unknown."""
        tree = self._backend.tree
        found = tree.best_containing(base)
        if found is None and self._backend.is_finalized(base):
            found = tree.best()
        return None if found is None else BlockRef(found.hash, found.number)

    def last_votable(self, block: BlockRef) -> BlockRef:
        """`block`, or the lowest unfinalized block below it that changes the authority set."""
        change = self._backend.first_change(block.hash)
        return block if change is None else BlockRef(change.hash, change.number)

    def is_last(self, block: Hash) -> bool:
        """Whether no block comes on top of `block` before it is final: it ends this release."""
        return ends_release(self._backend, block)

    def header(self, block: Hash) -> Header:
        """The header of an imported block. Raises UnknownBlock."""
        header = self._backend.header(block)
        if header is None:
            raise UnknownBlock(block.hex())
        return header
