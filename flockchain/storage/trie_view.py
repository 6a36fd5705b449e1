"""Read one trie: point look-ups, ordered walks, merkle values.

Owns `TrieView`, a root and the source of its nodes. Invariant: keys come in byte order, each
once; reading changes nothing.

Source: Substrate trie format; JSON-RPC `chainHead_v1_storage` for closest descendants.
"""

from collections.abc import Iterator
from typing import Final

from flockchain.storage.trie_codec import (
    HASH_REF_HEAD,
    INDEX_OF_NIBBLE,
    NIBBLES,
    TrieNode,
)
from flockchain.storage.trie_update import NodeSource, TrieRoot, load_child, load_root

_ITEM_BYTES: Final = 32
"""What the keys of one storage item begin with: one walk to where they part serves them all."""
_ITEM_NIBBLES: Final = 2 * _ITEM_BYTES


class TrieView:
    """The trie with this root. Every method raises StorageError if a node cannot be had."""

    def __init__(self, source: NodeSource, root: TrieRoot) -> None:
        self._source = source
        self._root = root
        self._anchors: dict[bytes, tuple[TrieNode | None, int]] = {}

    def get(self, key: bytes) -> bytes | None:
        """The value at `key`; O(depth), about four nodes for 100,000 accounts."""
        anchor = self._anchors.get(key[:_ITEM_BYTES])
        node, depth = self._find_anchor(key) if anchor is None else anchor
        path, load = key.hex(), self._source.load
        while node is not None and path.startswith(node.partial, depth):
            depth += len(node.partial)
            if depth == len(path):
                return node.value
            if node.refs is None or node.locations is None:
                return None
            index = INDEX_OF_NIBBLE[path[depth]]
            location = node.locations[index]
            if location:
                node = load(location, node.refs[index])
            else:
                node = load_child(self._source, node, index)
            depth += 1
        return None

    def is_empty_item(self, item: bytes) -> bool:
        """Whether the trie has no key that begins with these bytes, a storage item's 32."""
        if len(item) < _ITEM_BYTES:
            return False
        anchor = self._anchors.get(item)
        node, depth = self._find_anchor(item) if anchor is None else anchor
        path = item.hex()
        return node is None or not node.partial.startswith(path[depth:][: len(node.partial)])

    def _find_anchor(self, key: bytes) -> tuple[TrieNode | None, int]:
        """The first node on the way to `key` that not all keys of its item pass, and its depth."""
        path, depth = key.hex(), 0
        node = load_root(self._source, self._root)
        while node is not None and path.startswith(node.partial, depth):
            end = depth + len(node.partial)
            if end >= min(_ITEM_NIBBLES, len(path)):
                break
            node = load_child(self._source, node, INDEX_OF_NIBBLE[path[end]])
            depth = end + 1
        if len(path) >= _ITEM_NIBBLES:
            self._anchors[key[:_ITEM_BYTES]] = node, depth
        return node, depth

    def keys(self, prefix: bytes = b"", after: bytes | None = None) -> Iterator[bytes]:
        """The keys that start with `prefix`, in byte order, those strictly above `after`."""
        return (key for key, _ in self.pairs(prefix, after))

    def pairs(
        self, prefix: bytes = b"", after: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """As `keys`, with the values. Skips what lies below `after` without reading it."""
        prefix_path = prefix.hex()
        after_path = None if after is None else after.hex()
        top, _, path = self._descend(prefix_path)
        # What is still to be visited, the next one last: nodes, and children not yet loaded.
        pending: list[tuple[TrieNode, int, str]] = [] if top is None else [(top, -1, path)]
        while pending:
            node, index, path = pending.pop()
            if index >= 0:
                child = load_child(self._source, node, index)
                assert child is not None, "only present children are put off"
                node, path = child, path + NIBBLES[index] + child.partial
            if after_path is None or path > after_path:
                if node.value is not None:
                    yield bytes.fromhex(path), node.value
            elif not after_path.startswith(path):
                continue  # The whole subtree lies below `after`.
            refs = node.refs or ()
            pending.extend((node, at, path) for at in range(len(refs) - 1, -1, -1) if refs[at])

    def nodes(self, after: str | None = None) -> Iterator[tuple[str, TrieNode]]:
        """The nodes that are not inlined with their paths in nibbles, a node before its children.

        Those strictly behind the path `after` in that order, which is the order of the paths.
        """
        top = load_root(self._source, self._root)
        pending: list[tuple[TrieNode, int, str]] = [] if top is None else [(top, -1, top.partial)]
        while pending:
            node, index, path = pending.pop()
            if index >= 0:
                child = load_child(self._source, node, index)
                assert child is not None, "only present children are put off"
                node, path = child, path + NIBBLES[index] + child.partial
            if after is None or path > after:
                yield path, node
            elif not after.startswith(path):
                continue  # The whole subtree lies before `after`.
            locations = node.locations or ()
            far = (at for at in range(len(locations) - 1, -1, -1) if locations[at])
            pending.extend((node, at, path) for at in far)

    def closest_descendant_merkle_value(self, key: bytes) -> bytes | None:
        """The merkle value of the shallowest node whose path starts with `key`, or None.

        That is the node's hash, or its encoding where that has fewer than 32 bytes.
        """
        node, ref, _ = self._descend(key.hex())
        return None if node is None else ref[1:]

    def _descend(self, path: str) -> tuple[TrieNode | None, bytes, str]:
        """The shallowest node at or below `path`, how its parent names it, and its whole path."""
        node, ref, walked = load_root(self._source, self._root), b"", ""
        ref = HASH_REF_HEAD + self._root.hash
        while node is not None:
            walked += node.partial
            if walked.startswith(path):
                return node, ref, walked
            if not path.startswith(walked):
                break
            index = INDEX_OF_NIBBLE[path[len(walked)]]
            ref = node.refs[index] if node.refs is not None else b""
            node = load_child(self._source, node, index)
            walked += NIBBLES[index]
        return None, b"", ""
