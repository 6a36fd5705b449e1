"""Binary hash trees: one hash for a list, and short proofs that an item stands at a place in it.

Leaves and inner nodes are hashed under different prefixes, so that neither passes for the other; an
odd node moves up as it is. Invariant: `verify_item` gives True or False for bytes of any length.
Source: RFC 6962, section 2.1 (the tree's shape and its prefixes); Substrate `binary_merkle_tree`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import Hash

_LEAF: Final = b"\0"
_NODE: Final = b"\1"


def tree_root(items: Sequence[bytes]) -> Hash:
    """The root over items in their order. Raises ValueError if there are none."""
    if not items:
        raise ValueError("a hash tree of nothing")
    return _levels(items)[-1][0]


def prove_item(items: Sequence[bytes], place: int) -> list[Hash]:
    """The siblings on the way from the item at `place` to the root, lowest first."""
    path: list[Hash] = []
    for level in _levels(items)[:-1]:
        sibling = place ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        place //= 2
    return path


def verify_item(root: Hash, count: int, place: int, item: bytes, path: Sequence[Hash]) -> bool:
    """Whether `item` stands at `place` of the `count` items below `root`."""
    if not 0 <= place < count:
        return False
    node, waiting = blake2b_256(_LEAF + item), list(path)
    while count > 1:
        sibling = place ^ 1
        if sibling < count:
            if not waiting:
                return False
            other = waiting.pop(0)
            pair = other + node if place & 1 else node + other
            node = blake2b_256(_NODE + pair)
        place, count = place // 2, (count + 1) // 2
    return not waiting and node == root


def _levels(items: Sequence[bytes]) -> list[list[Hash]]:
    levels = [[blake2b_256(_LEAF + item) for item in items]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = [below[at : at + 2] for at in range(0, len(below), 2)]
        levels.append([blake2b_256(_NODE + b"".join(p)) if len(p) == 2 else p[0] for p in pairs])
    return levels
