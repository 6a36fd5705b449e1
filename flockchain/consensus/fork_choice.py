"""Which leaf of the block tree is best.

Owns the unfinalized tree. The best chain has the most primary slots above the last finalized block:
fallback slots cost nothing to win, so they must not outweigh the lottery; then the most blocks,
then the lowest hash, which everyone sees alike. Invariant: the best block descends from the
finalized one, and what does not is dropped, never to return.
Source: WP II.A; Ouroboros Praos (longest chain); Substrate BABE fork choice.
"""

from typing import Final

from runtime.primitives.types import Hash

BLOCKS_MAX: Final = 65_536
"""Unfinalized blocks held at most: with finality down for that long an operator is needed."""


class ForkChoiceError(ValueError):
    """The block cannot be placed in the tree."""


class UnknownParent(ForkChoiceError):
    """The parent was never imported, or contradicts finality."""


class TooManyBlocks(ForkChoiceError):
    """The unfinalized tree is full."""


class _Node:
    __slots__ = ("children", "hash", "number", "parent", "primaries")

    def __init__(self, block: Hash, number: int, parent: "_Node | None", primaries: int) -> None:
        self.hash = block
        self.number = number
        self.parent = parent
        self.primaries = primaries
        self.children: list[_Node] = []

    def rank(self) -> tuple[int, int, int]:
        """Greater is better."""
        return self.primaries, self.number, -int.from_bytes(self.hash, "big")


class ForkChoice:
    """The blocks above the finalized one. `primaries` count from there, for every fork alike."""

    __slots__ = ("_best", "_blocks_max", "_finalized", "_nodes")

    def __init__(self, finalized: Hash, number: int, blocks_max: int = BLOCKS_MAX) -> None:
        self._finalized = self._best = _Node(finalized, number, None, 0)
        self._nodes: dict[Hash, _Node] = {finalized: self._finalized}
        self._blocks_max = blocks_max

    @property
    def best(self) -> Hash:
        """Head of the best chain."""
        return self._best.hash

    @property
    def finalized(self) -> Hash:
        """The last finalized block."""
        return self._finalized.hash

    def __len__(self) -> int:
        return len(self._nodes) - 1

    def __contains__(self, block: Hash) -> bool:
        return block in self._nodes

    def import_block(self, block: Hash, parent: Hash, *, is_primary: bool) -> bool:
        """Place a block; whether it is the new best. A block already here changes nothing.

        Raises: UnknownParent; TooManyBlocks.
        """
        if block in self._nodes:
            return False
        above = self._nodes.get(parent)
        if above is None:
            raise UnknownParent(f"parent 0x{parent.hex()} of 0x{block.hex()}")
        if len(self) >= self._blocks_max:
            raise TooManyBlocks(f"{len(self)} unfinalized blocks")
        node = _Node(block, above.number + 1, above, above.primaries + is_primary)
        above.children.append(node)
        self._nodes[block] = node
        if node.rank() <= self._best.rank():
            return False
        self._best = node
        return True

    def best_containing(self, base: Hash) -> tuple[Hash, int] | None:
        """Head and height of the best chain through `base`, None if it is not in the tree."""
        root = self._nodes.get(base)
        if root is None:
            return None
        best = max(self._subtree(root), key=_Node.rank)
        return best.hash, best.number

    def finalize(self, block: Hash) -> list[Hash]:
        """Make a block final; gives the blocks that contradict it, now dropped, ascending.

        Raises: UnknownParent: the block is not in the tree, so it reverts finality or is unknown.
        """
        chosen = self._nodes.get(block)
        if chosen is None:
            raise UnknownParent(f"finalized block 0x{block.hex()} is not in the tree")
        kept = self._subtree(chosen)
        survivors = {node.hash: node for node in kept}
        canonical = set()
        node = chosen.parent
        while node is not None:
            canonical.add(node.hash)
            node = node.parent
        dropped = [one for one in self._nodes.values() if one.hash not in survivors]
        pruned = [(one.number, one.hash) for one in dropped if one.hash not in canonical]
        passed = chosen.primaries
        for one in kept:
            one.primaries -= passed
        chosen.parent = None
        self._nodes = survivors
        self._finalized = chosen
        self._best = max(kept, key=_Node.rank)
        return [lost for _, lost in sorted(pruned)]

    def _subtree(self, root: _Node) -> list[_Node]:
        found = [root]
        for node in found:  # grows while it is walked: breadth first without recursion
            found.extend(node.children)
        return found
