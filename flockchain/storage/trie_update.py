"""Change many keys of a trie at once: one walk from the root over the dirty paths only.

Owns `TrieUpdate`, which sorts the dirty keys, walks each shared path once, and re-encodes and
re-hashes each touched node once. The old root stays readable: nothing is overwritten; the result
is a `TrieDelta` of records to insert and locations that the new root no longer reaches.
Invariant: the same pairs give the same root, whatever the order and batches they arrived in.

Source: Substrate trie format, Polkadot Host specification 2.4.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from flockchain.storage.errors import KeyTooLong
from flockchain.storage.trie_codec import (
    EMPTY_ROOT,
    HASH_BYTES,
    HASH_REF_HEAD,
    INDEX_OF_NIBBLE,
    KEY_BYTES_MAX,
    NEW_HASH,
    NIBBLES,
    NO_LOCATION,
    NO_REF,
    VALUE_BYTES_INLINE_MAX,
    StateVersion,
    TrieNode,
    decode_inline,
    encode_compact,
    encode_node,
    hash_256,
    remember_inline,
)
from runtime.primitives.record import record

STEM_BYTES: Final = 5
"""What the locations of one update begin with; the rest counts its nodes."""
INDEX_BYTES: Final = 3
_NO_REFS: Final = [NO_REF] * 16
_NO_LOCATIONS: Final = [NO_LOCATION] * 16
_INDICES: Final = tuple(index.to_bytes(INDEX_BYTES, "big") for index in range(1_024))
_INDICES_MAX: Final = len(_INDICES)


class NodeSource(Protocol):
    """Where the nodes of existing tries are read from."""

    def load(self, location: bytes, ref: bytes) -> TrieNode:
        """The node at `location`, which a parent names `ref`. Raises: StorageError."""
        ...


@record
class TrieRoot:
    """A trie as a whole: its hash, and where its root node lies (empty for the empty trie)."""

    hash: bytes
    location: bytes


EMPTY_TRIE: Final = TrieRoot(EMPTY_ROOT, NO_LOCATION)


@record
class TrieDelta:
    """What turns one trie into another."""

    root: TrieRoot
    locations: list[bytes]
    """Where the inserted nodes lie: the stem, then 0, 1, 2 and so on."""
    nodes: list[TrieNode]
    records: list[bytes]
    """The inserted nodes as the store keeps them, in the same order."""
    removed: list[bytes]
    """Locations that the old root reaches and the new one does not."""


def load_child(source: NodeSource, node: TrieNode, index: int) -> TrieNode | None:
    """Child `index` of a node, from its inlined encoding or the source."""
    refs = node.refs
    if refs is None:
        return None
    ref = refs[index]
    if not ref:
        return None
    location = node.locations[index] if node.locations is not None else NO_LOCATION
    return source.load(location, ref) if location else decode_inline(ref)


def load_root(source: NodeSource, root: TrieRoot) -> TrieNode | None:
    """The root node, or None for the empty trie."""
    return source.load(root.location, HASH_REF_HEAD + root.hash) if root.location else None


class TrieUpdate:
    """One use: construct, `apply`, throw away.

    `stem`, 5 bytes, begins the locations of this update's nodes and must be new to the store:
    locations are never used twice, which spares the store every reference count, also when a
    value goes A, B, A or two forks insert equal nodes.
    """

    def __init__(self, source: NodeSource, version: StateVersion, stem: bytes) -> None:
        self._source = source
        self._load = source.load
        self._hashes_values = version == StateVersion.V1
        self._stem = stem
        self._paths: list[str] = []
        self._values: list[bytes | None] = []
        self._locations: list[bytes] = []
        self._nodes: list[TrieNode] = []
        self._records: list[bytes] = []
        self._removed: list[bytes] = []

    def apply(self, old: TrieRoot, changes: Mapping[bytes, bytes | None]) -> TrieDelta:
        """Put each key's value, or delete the key where it is None.

        Raises: KeyTooLong, StorageError.
        """
        longest = max(map(len, changes), default=0)
        if longest > KEY_BYTES_MAX:
            raise KeyTooLong(f"state key of {longest} bytes, at most {KEY_BYTES_MAX}")
        items = sorted(changes.items())
        self._paths = [key.hex() for key, _ in items]
        self._values = [value for _, value in items]
        root_node = load_root(self._source, old)
        new_node = self._update(root_node, 0, len(items), 0) if items else root_node
        root = old if new_node is root_node else self._finish_root(old, new_node)
        return TrieDelta(root, self._locations, self._nodes, self._records, self._removed)

    def _finish_root(self, old: TrieRoot, node: TrieNode | None) -> TrieRoot:
        if old.location:
            self._removed.append(old.location)
        return EMPTY_TRIE if node is None else TrieRoot(*self._insert(node, encode_node(node)))

    def _update(self, node: TrieNode | None, low: int, high: int, depth: int) -> TrieNode | None:
        """Apply the changes low to high, which all share their first `depth` nibbles.

        Returns `node` itself if nothing changed. One frame a level: the trie may be deep.
        """
        paths, values = self._paths, self._values
        if node is None:
            while values[low] is None:
                low += 1
                if low == high:
                    return None
            node = self._leaf(paths[low][depth:], values[low])
            low += 1
            if low == high:
                return node
        partial, first = node.partial, paths[low]
        children: dict[int, TrieNode | None] = {}
        branch = node
        if not (first.startswith(partial, depth) and paths[high - 1].startswith(partial, depth)):
            branch = self._split(node, first, paths[high - 1], depth, children)
        end = depth + len(branch.partial)
        value, is_changed = branch.value, False
        if len(first) == end:
            is_changed = values[low] != value
            value = values[low]
            low += 1
        while low < high:
            digit = paths[low][end]
            after = low + 1
            while after < high and paths[after][end] == digit:
                after += 1
            index = INDEX_OF_NIBBLE[digit]
            if index in children:
                old = children[index]
            elif branch.locations is not None and branch.refs is not None:
                # As `load_child`, in the innermost loop.
                location, ref = branch.locations[index], branch.refs[index]
                old = self._load(location, ref) if location else decode_inline(ref) if ref else None
            else:
                old = None
            if (
                old is not None
                and old.refs is None
                and after - low == 1
                and paths[low][end + 1 :] == old.partial
            ):  # the commonest case by far: an account's leaf gets a new value
                new = self._exchange(old, values[low])
            else:
                new = self._update(old, low, after, end + 1)
            if new is not old:
                children[index] = new
                is_changed = True
            low = after
        return self._rebuild(branch, value, children) if is_changed else node

    def _exchange(self, leaf: TrieNode, value: bytes | None) -> TrieNode | None:
        """A leaf with another value; itself if it is the same, None if there is none."""
        if value is None or value == leaf.value:
            return None if value is None else leaf
        value_hash = None
        if len(value) > VALUE_BYTES_INLINE_MAX and self._hashes_values:
            value_hash = hash_256(value)
        frame = leaf.frame if (value_hash is None) is (leaf.value_hash is None) else None
        return TrieNode(leaf.partial, value, value_hash, 0, None, None, frame)

    def _split(
        self,
        node: TrieNode,
        first: str,
        last: str,
        depth: int,
        children: dict[int, TrieNode | None],
    ) -> TrieNode:
        """A branch where `node`'s path and the changed ones part, with `node` as its child."""
        partial = node.partial
        common = min(_count_common(partial, first, depth), _count_common(partial, last, depth))
        children[INDEX_OF_NIBBLE[partial[common]]] = TrieNode(
            partial[common + 1 :],
            node.value,
            node.value_hash,
            node.bitmap,
            node.refs,
            node.locations,
        )
        return TrieNode(partial[:common], None, None)

    def _rebuild(
        self, branch: TrieNode, value: bytes | None, children: dict[int, TrieNode | None]
    ) -> TrieNode | None:
        """`branch` with these children exchanged, in the one shape its content allows."""
        refs, locations = branch.refs, branch.locations
        if value is not branch.value or refs is None or locations is None:
            return self._reshape(branch, value, children)
        for index, child in children.items():
            if child is None or not refs[index]:
                return self._reshape(branch, value, children)
        # Mostly the same children are there with other contents.
        refs, locations = refs.copy(), locations.copy()
        removed, finish = self._removed, self._finish
        for index, child in children.items():
            if locations[index]:
                removed.append(locations[index])
            assert child is not None, "no bit went"
            refs[index], locations[index] = finish(child)
        return TrieNode(
            branch.partial, value, branch.value_hash, branch.bitmap, refs, locations, branch.frame
        )

    def _reshape(
        self,
        branch: TrieNode,
        value: bytes | None,
        children: dict[int, TrieNode | None],
    ) -> TrieNode | None:
        """As `_rebuild`, where the value or which children there are changes."""
        bitmap = branch.bitmap
        for index, child in children.items():
            bitmap = bitmap & ~(1 << index) if child is None else bitmap | 1 << index
        refs = (branch.refs or _NO_REFS).copy()
        locations = (branch.locations or _NO_LOCATIONS).copy()
        is_branch = bitmap & (bitmap - 1) != 0 or (bitmap != 0 and value is not None)
        for index, child in children.items():
            if locations[index]:
                self._removed.append(locations[index])
            if child is None:
                refs[index], locations[index] = NO_REF, NO_LOCATION
            elif is_branch:
                refs[index], locations[index] = self._finish(child)
        if is_branch:
            value_hash = branch.value_hash if value is branch.value else self._hash_of(value)
            return TrieNode(branch.partial, value, value_hash, bitmap, refs, locations)
        if bitmap:
            return self._merge(branch, bitmap.bit_length() - 1, children)
        return None if value is None else self._leaf(branch.partial, value)

    def _merge(
        self, branch: TrieNode, index: int, children: dict[int, TrieNode | None]
    ) -> TrieNode:
        """The only child left, with the path of the branch that is no more."""
        child = children.get(index)
        if child is None:
            child = load_child(self._source, branch, index)
            assert child is not None, "a reference names a child"
            if branch.locations is not None and branch.locations[index]:
                self._removed.append(branch.locations[index])
        partial = branch.partial + NIBBLES[index] + child.partial
        return TrieNode(
            partial, child.value, child.value_hash, child.bitmap, child.refs, child.locations
        )

    def _finish(self, node: TrieNode) -> tuple[bytes, bytes]:
        """Encode a child for good: how its parent names it and where it lies."""
        encoded = encode_node(node)
        if len(encoded) < HASH_BYTES:
            ref = encode_compact(len(encoded)) + encoded
            remember_inline(ref, node)
            return ref, NO_LOCATION
        digest, location = self._insert(node, encoded)
        return HASH_REF_HEAD + digest, location

    def _insert(self, node: TrieNode, encoded: bytes) -> tuple[bytes, bytes]:
        """Note the node and its record: encoding, children's locations, hashed value.

        The encoding's hash, and where the record will lie.
        """
        state = NEW_HASH()  # as `hash_256`, for most of a block's hashes
        state.update(encoded)
        digest = state.digest()
        if node.locations is not None:
            encoded += b"".join(node.locations)
        if node.value_hash is not None and node.value is not None:
            encoded += node.value
        records = self._records
        count = len(records)
        index = _INDICES[count] if count < _INDICES_MAX else count.to_bytes(INDEX_BYTES, "big")
        location = self._stem + index
        self._locations.append(location)
        self._nodes.append(node)
        records.append(encoded)
        return digest, location

    def _leaf(self, partial: str, value: bytes | None) -> TrieNode:
        return TrieNode(partial, value, self._hash_of(value))

    def _hash_of(self, value: bytes | None) -> bytes | None:
        if value is None or len(value) <= VALUE_BYTES_INLINE_MAX or not self._hashes_values:
            return None
        return hash_256(value)


def _count_common(partial: str, path: str, depth: int) -> int:
    """How many nibbles `partial` and `path` from `depth` on have in common at their start."""
    count = 0
    for ours, theirs in zip(partial, path[depth : depth + len(partial)], strict=False):
        if ours != theirs:
            break
        count += 1
    return count
