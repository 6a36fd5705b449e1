"""Updates of tries computed once for all nodes of a process, and carried out by each in its store.

Nodes with the same state put the same changes into tries of the same shape, whose nodes lie at
places of each store's own. So what is shared is a recipe: which nodes are read, and what is written
in terms of those. Each node reads its own, by its own locations, and gets a delta of its own.
Invariant: a delta by a recipe is what `TrieUpdate` would give in that store. Updates in which a
node's children come from several others are made anew.
Source: performance (what a simulated seed may cost); WP II.A.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat
from typing import Final

from flockchain.storage.trie_codec import (
    HASH_REF_HEAD,
    NO_LOCATION,
    StateVersion,
    TrieNode,
)
from flockchain.storage.trie_update import (
    STEM_BYTES,
    NodeSource,
    TrieDelta,
    TrieRoot,
    TrieUpdate,
)
from runtime.primitives.record import record

_ROOT: Final = (-1, 0)
"""Stands for where the old root lies; other places are (number of a read, index of its child)."""
_NO_CHILDREN: Final = [NO_LOCATION] * 16
_GONE: Final = -1

Place = tuple[int, int]
Key = tuple[bytes, StateVersion, frozenset[tuple[bytes, bytes | None]]]


@record
class _Branch:
    """A new node with children: those of the `base`-th read, but for some."""

    node: TrieNode
    head: bytes
    tail: bytes
    base: int | None
    changed: tuple[tuple[int, int], ...]
    """Index of a child, and the number of the new node that it is; `_GONE`: none in the store."""


@record
class _Recipe:
    """What an update reads and writes, in no store's terms."""

    reads: tuple[Place, ...]
    nodes: tuple[_Branch | tuple[TrieNode, bytes], ...]
    """New ones in their order: with children, or whole with their record."""
    removed: tuple[Place, ...]
    hash: bytes
    root: int | None
    """The number of the new root; `_GONE`: the trie is empty; None: it is the old one."""
    suffixes: tuple[bytes, ...]


class SharedTries:
    """Stands for `TrieUpdate` where it is made; at most `count_max` recipes are kept."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self.known: dict[Key, _Recipe] = {}

    def __call__(self, source: NodeSource, version: StateVersion, stem: bytes) -> _SharedUpdate:
        return _SharedUpdate(self, source, version, stem)

    def keep(self, key: Key, recipe: _Recipe) -> None:
        """Remember it; the oldest gives way."""
        self.known[key] = recipe
        if len(self.known) > self._count_max:
            del self.known[next(iter(self.known))]


class _SharedUpdate:
    """One update of one store."""

    def __init__(
        self, tries: SharedTries, source: NodeSource, version: StateVersion, stem: bytes
    ) -> None:
        self._tries = tries
        self._source = source
        self._version = version
        self._stem = stem

    def apply(self, old: TrieRoot, changes: Mapping[bytes, bytes | None]) -> TrieDelta:
        """As `TrieUpdate.apply`."""
        key = (old.hash, self._version, frozenset(changes.items()))
        recipe = self._tries.known.get(key)
        if recipe is not None:
            return _follow(recipe, self._source, self._stem, old)
        reader = _Reader(self._source)
        delta = TrieUpdate(reader, self._version, self._stem).apply(old, changes)
        recipe = _recipe_of(delta, old, reader.found)
        if recipe is not None:
            self._tries.keep(key, recipe)
        return delta


class _Reader:
    """A source that notes what is read."""

    def __init__(self, source: NodeSource) -> None:
        self._source = source
        self.found: list[tuple[bytes, TrieNode]] = []

    def load(self, location: bytes, ref: bytes) -> TrieNode:
        """As the source."""
        node = self._source.load(location, ref)
        self.found.append((location, node))
        return node


def _recipe_of(
    delta: TrieDelta, old: TrieRoot, found: list[tuple[bytes, TrieNode]]
) -> _Recipe | None:
    """What was done, so that it can be done elsewhere; None if it is too special for that."""
    places: dict[bytes, Place] = {}
    for number in reversed(range(len(found))):  # a node may be read twice: the first time counts
        locations = found[number][1].locations
        if locations is not None:
            places.update(zip(locations, zip(repeat(number), range(16), strict=False), strict=True))
    places[old.location] = _ROOT
    fresh = {location: number for number, location in enumerate(delta.locations)}
    nodes: list[_Branch | tuple[TrieNode, bytes]] = []
    for node, encoded in zip(delta.nodes, delta.records, strict=True):
        if node.locations is None:
            nodes.append((node, encoded))
            continue
        branch = _branch_of(node, encoded, places, fresh, found)
        if branch is None:
            return None
        nodes.append(branch)
    root = None
    if delta.root.location != old.location:
        root = fresh.get(delta.root.location, _GONE)
    return _Recipe(
        tuple(places[location] for location, _ in found),
        tuple(nodes),
        tuple(places[location] for location in delta.removed),
        delta.root.hash,
        root,
        tuple(location[STEM_BYTES:] for location in delta.locations),
    )


def _branch_of(
    node: TrieNode,
    encoded: bytes,
    places: dict[bytes, Place],
    fresh: dict[bytes, int],
    found: list[tuple[bytes, TrieNode]],
) -> _Branch | None:
    locations = node.locations or _NO_CHILDREN
    bases = {places[each][0] for each in locations if each and each not in fresh}
    if len(bases) > 1:
        return None
    base = bases.pop() if bases else None
    before = _NO_CHILDREN if base is None else found[base][1].locations or _NO_CHILDREN
    changed = tuple(
        (index, fresh.get(location, _GONE))
        for index, (location, former) in enumerate(zip(locations, before, strict=True))
        if location != former
    )
    if any(number == _GONE and locations[index] for index, number in changed):
        return None  # an old child at another index
    tail = node.value if node.value_hash is not None and node.value is not None else b""
    head = encoded[: len(encoded) - len(tail) - sum(map(len, locations))]
    return _Branch(node, head, tail, base, changed)


def _follow(recipe: _Recipe, source: NodeSource, stem: bytes, old: TrieRoot) -> TrieDelta:
    """The delta in another store. Raises what reading it does."""
    read: list[TrieNode] = []
    for number, index in recipe.reads:
        if number < 0:
            read.append(source.load(old.location, HASH_REF_HEAD + old.hash))
            continue
        above = read[number]
        assert above.locations is not None, "a branch was read"
        assert above.refs is not None, "a branch was read"
        read.append(source.load(above.locations[index], above.refs[index]))
    new = [stem + suffix for suffix in recipe.suffixes]
    nodes: list[TrieNode] = []
    records: list[bytes] = []
    for item in recipe.nodes:
        if isinstance(item, tuple):
            node, encoded = item
        else:
            node, encoded = _build(item, read, new)
        nodes.append(node)
        records.append(encoded)
    removed = [
        old.location if number < 0 else (read[number].locations or _NO_CHILDREN)[index]
        for number, index in recipe.removed
    ]
    root = old
    if recipe.root is not None:
        root = TrieRoot(recipe.hash, NO_LOCATION if recipe.root == _GONE else new[recipe.root])
    return TrieDelta(root, new, nodes, records, removed)


def _build(branch: _Branch, read: list[TrieNode], new: list[bytes]) -> tuple[TrieNode, bytes]:
    """A new node with the children of this store, and its record."""
    base = branch.base
    locations = ((None if base is None else read[base].locations) or _NO_CHILDREN).copy()
    for index, number in branch.changed:
        locations[index] = NO_LOCATION if number == _GONE else new[number]
    like = branch.node
    node = TrieNode(
        like.partial,
        like.value,
        like.value_hash,
        like.bitmap,
        like.refs,
        locations,
        like.frame,
    )
    return node, b"".join((branch.head, *locations, branch.tail))
