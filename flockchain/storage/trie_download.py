"""A state from peers, node by node: checked as it comes, stored as it is checked.

Peers send the nodes of a trie in walking order, a node before its children, and behind a node the
value of which it holds the hash. So the next node is always one whose hash is known: a lie shows at
its first byte. A node is written once all below it is, because its record holds where its children
lie; until then it is open. Owns the walk and the open nodes, which are all that a restart needs.
Invariant: what is written hangs together and hashes to the root; memory holds one path of the trie.
Source: Substrate `sc_client_api::TrieNodeDownload`, `state_request_handler`, adapted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from flockchain.storage.errors import ProofError, StoreCorrupted
from flockchain.storage.kv import KeyValueStore, WriteBatch
from flockchain.storage.node_store import NODE_PREFIX
from flockchain.storage.trie_codec import (
    EMPTY_ROOT,
    HASH_BYTES,
    KEY_BYTES_MAX,
    LOCATION_BYTES,
    NIBBLES,
    NO_LOCATION,
    NodeFormatError,
    TrieNode,
    children_of,
    decode_node,
    hash_256,
)
from flockchain.storage.trie_update import INDEX_BYTES, TrieRoot
from runtime.primitives.scale import DecodeError, Limit, codec_of

NODES_DROPPED_AT_ONCE: Final = 4_096
_OPEN = tuple[str, bytes, bytes, Annotated[list[bytes], Limit(16)]]
_RECORD: Final = codec_of(tuple[str, Annotated[list[_OPEN], Limit(2 * KEY_BYTES_MAX + 1)]])
"""The cursor, and the open nodes from the root down."""


@dataclass(slots=True)
class _Open:
    """A node of which children are still to come. `locations` are those of the first ones."""

    path: str
    encoded: bytes
    value: bytes
    node: TrieNode
    locations: list[bytes]

    def is_whole(self) -> bool:
        return len(self.locations) == len(_far_children(self.node))

    def next_child(self) -> tuple[str, bytes]:
        """The path up to the next child, and its hash."""
        index = _far_children(self.node)[len(self.locations)]
        assert self.node.refs is not None, "who has children has references"
        return self.path + NIBBLES[index], self.node.refs[index][1:]


class TrieDownload:
    """The trie with hash `root` on its way."""

    def __init__(self, root: bytes) -> None:
        self._hash = root
        self._open: list[_Open] = []
        self.root: TrieRoot | None = TrieRoot(root, NO_LOCATION) if root == EMPTY_ROOT else None
        """The whole trie; None while nodes are missing."""
        self.cursor: str | None = None
        """The path of the last node taken, in nibbles: peers go on behind it. None at first."""

    def take(self, entries: Sequence[bytes], stem: bytes, batch: WriteBatch) -> None:
        """Check a peer's answer and put what is whole into `batch`, at locations after `stem`.

        Raises ProofError; then the download must be read anew from what was written.
        """
        if not entries:
            raise ProofError("no node where some are missing")
        rest, written = iter(entries), 0
        for entry in rest:
            if self.root is not None:
                raise ProofError("the answer goes on behind the last node")
            self._take_node(entry, rest)
            written = self._close(stem, written, batch)

    def _take_node(self, entry: bytes, rest: Iterator[bytes]) -> None:
        path, digest = self._open[-1].next_child() if self._open else ("", self._hash)
        if hash_256(entry) != digest:
            raise ProofError(f"a node below {path or 'the root'} does not hash to its name")
        try:
            node, end = decode_node(entry)
        except NodeFormatError as error:
            raise ProofError(f"a node below {path or 'the root'}: {error}") from error
        if end != len(entry):
            raise ProofError(f"{len(entry) - end} bytes behind a node")
        path += node.partial
        if len(path) > 2 * KEY_BYTES_MAX:
            raise ProofError(f"a path of {len(path)} nibbles")
        value = b""
        if node.value_hash is not None:
            value = next(rest, b"")
            if hash_256(value) != node.value_hash:
                raise ProofError(f"the value at {path} does not hash to what its node says")
        self._open.append(_Open(path, entry, value, node, []))
        self.cursor = path

    def _close(self, stem: bytes, written: int, batch: WriteBatch) -> int:
        """Write the nodes below which nothing is missing any more; how many the stem has now."""
        while self._open and self._open[-1].is_whole():
            done = self._open.pop()
            location = stem + written.to_bytes(INDEX_BYTES, "big")
            written += 1
            record = done.encoded + b"".join(done.locations) + done.value
            batch.put(NODE_PREFIX + location, record)
            if self._open:
                self._open[-1].locations.append(location)
            else:
                self.root = TrieRoot(self._hash, location)
        return written

    # -- across restarts

    def encode(self) -> bytes:
        """The open nodes, so that `resume` goes on from here."""
        listed = [(one.path, one.encoded, one.value, one.locations) for one in self._open]
        return _RECORD.encode((self.cursor or "", listed))

    @classmethod
    def resume(cls, root: bytes, record: bytes) -> TrieDownload:
        """A download as it was written. Raises StoreCorrupted."""
        download = cls(root)
        try:
            cursor, listed = _RECORD.decode_all(record)
            for path, encoded, value, locations in listed:
                node, _ = decode_node(encoded)
                download._open.append(_Open(path, encoded, value, node, list(locations)))
        except (DecodeError, NodeFormatError) as error:
            raise StoreCorrupted(f"the record of a state on its way is damaged: {error}") from error
        download.cursor = cursor if listed else None
        return download


def _far_children(node: TrieNode) -> list[int]:
    """The children that are not inlined."""
    refs = node.refs
    if refs is None:
        return []
    return [index for index in children_of(node.bitmap) if len(refs[index]) > HASH_BYTES]


def drop_nodes(store: KeyValueStore, first_stem: bytes, end_stem: bytes) -> None:
    """Remove the nodes that a given-up download wrote, from the first stem to below the end."""
    end = NODE_PREFIX + end_stem.ljust(LOCATION_BYTES, b"\x00")
    start = NODE_PREFIX + first_stem.ljust(LOCATION_BYTES, b"\x00")
    batch = WriteBatch()
    for key, _ in store.iterate(NODE_PREFIX, start):
        if key >= end:
            break
        batch.delete(key)
        if len(batch) >= NODES_DROPPED_AT_ONCE:
            store.write(batch, sync=False)
            batch = WriteBatch()
    store.write(batch)
