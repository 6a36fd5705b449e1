"""The tree of blocks above the last finalized one, in memory: ancestry, routes, leaves, best.

Bounded by what is not final; everything below lies in the store along one chain. The best chain has
the most primary slots above the last finalized block: fallback slots cost nothing to win, so they
must not outweigh the lottery; then the most blocks, then the lowest hash, which everyone sees
alike. Invariant: the best block descends from the finalized one, and what does not is dropped.

Source: WP II.A; Ouroboros Praos (longest chain); Substrate BABE fork choice,
`sc_client_db::leaves`, `sp_blockchain::tree_route`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from runtime.primitives.record import record
from runtime.primitives.types import Hash

_INVERTED: Final = bytes(255 - byte for byte in range(256))
BLOCKS_MAX: Final = 65_536  # unfinalized blocks held at most


@record
class TreeBlock:
    """A block of the tree. `primaries` counts primary slots above the finalized block."""

    hash: Hash
    parent: Hash
    number: int
    primaries: int

    def order(self) -> tuple[int, int, bytes]:
        """The best leaf has the greatest: primary slots, then length, then the lower hash."""
        return self.primaries, self.number, self.hash.translate(_INVERTED)


@record
class Route:
    """From one head to another: blocks to take back, newest first, then to enact, oldest first."""

    retracted: tuple[TreeBlock, ...]
    enacted: tuple[TreeBlock, ...]


NO_ROUTE: Final = Route((), ())


class BlockTree:
    """Blocks that descend from the finalized root, the root included."""

    def __init__(self, root: Hash, number: int) -> None:
        self.root = TreeBlock(root, Hash(bytes(32)), number, 0)
        self._blocks: dict[Hash, TreeBlock] = {root: self.root}
        self._children: dict[Hash, list[Hash]] = {}
        self._best = self.root

    def __contains__(self, block: object) -> bool:
        return block in self._blocks

    def __len__(self) -> int:
        return len(self._blocks)

    def get(self, block: Hash) -> TreeBlock | None:
        """The block, or None if it is not in the tree."""
        return self._blocks.get(block)

    def is_full(self) -> bool:
        """Whether finality has been down for so long that an operator is needed."""
        return len(self._blocks) > BLOCKS_MAX

    def insert(self, block: Hash, parent: Hash, number: int, *, is_primary: bool) -> TreeBlock:
        """Add a child of a block in the tree; a block that is there already stays as it is.

        Raises KeyError if the parent is not in the tree.
        """
        known = self._blocks.get(block)
        if known is not None:
            return known
        above = self._blocks[parent]
        node = TreeBlock(block, parent, number, above.primaries + is_primary)
        self._blocks[block] = node
        self._children.setdefault(parent, []).append(block)
        if node.order() > self._best.order():
            self._best = node
        return node

    def children(self, block: Hash) -> list[Hash]:
        """The known children of a block."""
        return list(self._children.get(block, ()))

    def leaves(self) -> list[TreeBlock]:
        """Blocks without children, the best first."""
        ends = [node for node in self._blocks.values() if not self._children.get(node.hash)]
        return sorted(ends, key=TreeBlock.order, reverse=True)

    def best(self) -> TreeBlock:
        """The head of the best chain. Kept up to date by `insert`: O(1)."""
        return self._best

    def best_containing(self, block: Hash) -> TreeBlock | None:
        """The best block that is `block` or descends from it; None if it is not in the tree."""
        if block not in self._blocks:
            return None
        return max(self.descendants(block), key=TreeBlock.order)

    def descendants(self, block: Hash) -> Iterator[TreeBlock]:
        """`block` and everything above it."""
        waiting = [block]
        while waiting:
            current = waiting.pop()
            yield self._blocks[current]
            waiting.extend(self._children.get(current, ()))

    def is_descendant(self, base: Hash, block: Hash) -> bool:
        """Whether `block` is `base` or descends from it."""
        target, node = self._blocks.get(base), self._blocks.get(block)
        if target is None:
            return False
        while node is not None and node.number > target.number:
            node = self._blocks.get(node.parent)
        return node is not None and node.hash == base

    def path(self, base: Hash, block: Hash) -> list[TreeBlock] | None:
        """The blocks above `base` up to `block`, newest first; None if it does not descend."""
        found, node = [], self._blocks.get(block)
        while node is not None and node.hash != base:
            found.append(node)
            node = self._blocks.get(node.parent) if node is not self.root else None
        return None if node is None else found

    def route(self, start: Hash, end: Hash) -> Route:
        """How to move the head from `start` to `end`. Raises KeyError for unknown blocks."""
        old, new = self._blocks[start], self._blocks[end]
        retracted: list[TreeBlock] = []
        enacted: list[TreeBlock] = []
        while old.hash != new.hash:
            if old.number >= new.number:
                retracted.append(old)
                old = self._blocks[old.parent]
            else:
                enacted.append(new)
                new = self._blocks[new.parent]
        return Route(tuple(retracted), tuple(reversed(enacted)))

    def finalize(self, block: Hash) -> tuple[list[TreeBlock], list[TreeBlock]]:
        """Move the root up: (blocks that became final, oldest first; blocks that lost).

        Raises KeyError if the block is not in the tree.
        """
        if block not in self._blocks:
            raise KeyError(block.hex())
        final = list(reversed(self.path(self.root.hash, block) or []))
        kept = {node.hash for node in self.descendants(block)}
        gone = {node.hash for node in final} | {self.root.hash}
        lost = [node for node in self._blocks.values() if node.hash not in kept | gone]
        base = self._blocks[block].primaries
        nodes = {
            node.hash: TreeBlock(node.hash, node.parent, node.number, node.primaries - base)
            for node in self._blocks.values()
            if node.hash in kept
        }
        self._children = {key: kids for key, kids in self._children.items() if key in kept}
        self._blocks = nodes
        self.root = nodes[block]
        self._best = max(nodes.values(), key=TreeBlock.order)
        return final, lost
