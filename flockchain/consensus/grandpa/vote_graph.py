"""The part of the block tree that has votes, with the weight behind each block.

Owns the walk up (heaviest subtree, GHOST) and the walk down (highest ancestor with a property).
A vote for a block is a vote for its ancestors, so weight is added along the whole path to the base:
two dictionary updates a block, and no compressed edges to split. Invariant: the weights depend on
the set of votes inserted, never on their order; ties are broken by the lower hash.
Source: GRANDPA paper 2.2 (the function g); GHOST (Sompolinsky and Zohar 2015).
"""

from collections.abc import Callable

from flockchain.consensus.grandpa.chain import Chain, NotDescendant
from flockchain.consensus.grandpa.messages import BlockRef
from flockchain.consensus.grandpa.votes import Phase
from runtime.primitives.types import Hash


class _Node:
    __slots__ = ("block", "children", "parent", "weights")

    def __init__(self, block: BlockRef, parent: "_Node | None") -> None:
        self.block = block
        self.parent = parent
        self.children: list[_Node] = []
        self.weights = [0, 0]


class VoteGraph:
    """Weights by phase on the blocks between `base` and the targets of votes."""

    __slots__ = ("_chain", "_nodes", "base")

    def __init__(self, base: BlockRef, chain: Chain) -> None:
        self._chain = chain
        self.base = base
        self._nodes: dict[Hash, _Node] = {base.hash: _Node(base, None)}

    def insert(self, target: BlockRef, phase: Phase, weight: int) -> None:
        """Add weight to `target` and everything below it.

        Raises: NotDescendant: the target does not build on the base, or its height is another.
            UnknownBlock: the chain does not know the target. Cost: the target's depth.
        """
        self._add(self._node(target), phase, weight)

    def place(self, target: BlockRef) -> None:
        """Take `target` in without a vote. Raises as `insert` does."""
        self._node(target)

    def withdraw(self, target: BlockRef, phase: Phase, weight: int) -> None:
        """Take back weight that `insert` added."""
        self._add(self._nodes[target.hash], phase, -weight)

    def weight(self, block: Hash, phase: Phase) -> int:
        """Weight of the votes for `block` and its descendants; 0 if it has none."""
        node = self._nodes.get(block)
        return node.weights[phase.value] if node is not None else 0

    def heaviest(self, phase: Phase, threshold: int) -> BlockRef | None:
        """The highest block whose subtree weighs `threshold` or more in every step from the base.

        `threshold` may be zero or below when equivocators alone exceed it; a block still needs
        some vote of its own. None if the base itself is too light.
        """
        node = self._nodes[self.base.hash]
        index = phase.value
        if node.weights[index] < threshold:
            return None
        floor = max(threshold, 1)
        while heavy := [child for child in node.children if child.weights[index] >= floor]:
            node = min(heavy, key=lambda child: (-child.weights[index], child.block.hash))
        return node.block

    def highest_ancestor(
        self, head: BlockRef, condition: Callable[[Hash], bool]
    ) -> BlockRef | None:
        """The highest block of the path from `head` to the base that fulfils `condition`."""
        node: _Node | None = self._nodes.get(head.hash)
        while node is not None and not condition(node.block.hash):
            node = node.parent
        return node.block if node is not None else None

    def has_child(self, block: BlockRef, condition: Callable[[Hash], bool]) -> bool:
        """Whether a child of `block` that has had votes fulfils `condition`."""
        children = self._nodes[block.hash].children
        return any(condition(child.block.hash) for child in children)

    def _add(self, node: _Node | None, phase: Phase, weight: int) -> None:
        while node is not None:
            node.weights[phase.value] += weight
            node = node.parent

    def _node(self, target: BlockRef) -> _Node:
        """The node of `target`, made with the missing path below it."""
        known = self._nodes.get(target.hash)
        if known is not None:
            if known.block.number != target.number:
                raise NotDescendant(f"vote for {target}, whose height is {known.block.number}")
            return known
        below = self._chain.ancestry(self.base.hash, target.hash)
        if target.number != self.base.number + len(below) + 1:
            raise NotDescendant(f"vote for {target}, {len(below) + 1} above {self.base}")
        missing = [target.hash]
        for block in below:
            if block in self._nodes:
                break
            missing.append(block)
        anchor = below[len(missing) - 1] if len(missing) <= len(below) else self.base.hash
        node = self._nodes[anchor]
        for block in reversed(missing):
            child = _Node(BlockRef(block, node.block.number + 1), node)
            node.children.append(child)
            self._nodes[block] = node = child
        return node
