"""Read proofs: the nodes that show what a root holds at some keys, and the check of them.

Owns `read_proof` and its verifier, which needs nothing but the root. A proof is a list of distinct
encoded nodes, and of values that their nodes hold by hash. Invariant: whatever the proof's bytes,
the verifier returns what the trie with that root holds, or raises.

Source: Substrate `StorageProof`, JSON-RPC `state_getReadProof`.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from flockchain.storage.errors import ProofError
from flockchain.storage.trie_codec import (
    EMPTY_ROOT,
    HASH_REF_HEAD,
    INDEX_OF_NIBBLE,
    NodeFormatError,
    TrieNode,
    decode_inline,
    decode_node,
    encode_node,
    hash_256,
    is_inline,
)
from flockchain.storage.trie_update import NodeSource, TrieRoot, load_child, load_root

PROOF_NODES_MAX: Final = 65_536
PROOF_BYTES_MAX: Final = 16 * 1024 * 1024
_EMPTY_TRIE_NODE: Final = b"\x00"


def read_proof(source: NodeSource, root: TrieRoot, keys: Iterable[bytes]) -> list[bytes]:
    """The proof of what the trie holds at each of `keys`, present or absent, in walking order.

    Raises: StorageError.
    """
    entries: dict[bytes, None] = {}
    if not root.location:
        entries[_EMPTY_TRIE_NODE] = None
    for key in keys:
        path, depth, is_inlined = key.hex(), 0, False
        node = load_root(source, root)
        while node is not None:
            if not is_inlined:
                entries[encode_node(node)] = None
            if not path.startswith(node.partial, depth):
                break
            depth += len(node.partial)
            if depth == len(path):
                if node.value_hash is not None and node.value is not None:
                    entries[node.value] = None
                break
            index = INDEX_OF_NIBBLE[path[depth]]
            is_inlined = node.refs is not None and is_inline(node.refs[index])
            node = load_child(source, node, index)
            depth += 1
    return list(entries)


def verify_read_proof(
    root: bytes, proof: Sequence[bytes], keys: Iterable[bytes]
) -> dict[bytes, bytes | None]:
    """What the trie with hash `root` holds at each of `keys`, by the proof alone.

    Raises: ProofError if an entry is missing, malformed, given twice or not needed.
    """
    if len(proof) > PROOF_NODES_MAX or sum(map(len, proof)) > PROOF_BYTES_MAX:
        raise ProofError(f"proof of {len(proof)} entries is above the limits")
    entries = {hash_256(entry): entry for entry in proof}
    if len(entries) != len(proof):
        raise ProofError("proof holds an entry twice")
    reader = _ProofReader(entries)
    found = {key: reader.read(root, key) for key in keys}
    if reader.used != entries.keys():
        raise ProofError(f"proof has {len(entries) - len(reader.used)} entries that prove nothing")
    return found


class _ProofReader:
    """Follows keys through the entries of one proof."""

    def __init__(self, entries: dict[bytes, bytes]) -> None:
        self._entries = entries
        self.used: set[bytes] = set()

    def read(self, root: bytes, key: bytes) -> bytes | None:
        if root == EMPTY_ROOT:
            self.used |= self._entries.keys() & {root}
            return None
        path, depth = key.hex(), 0
        node: TrieNode | None = self._decode(root)
        while node is not None and path.startswith(node.partial, depth):
            depth += len(node.partial)
            if depth == len(path):
                return node.value if node.value_hash is None else self._take(node.value_hash)
            ref = node.refs[INDEX_OF_NIBBLE[path[depth]]] if node.refs is not None else b""
            node = self._child(ref) if ref else None
            depth += 1
        return None

    def _child(self, ref: bytes) -> TrieNode:
        if ref[:1] == HASH_REF_HEAD:
            return self._decode(ref[1:])
        try:
            return decode_inline(ref)
        except NodeFormatError as error:
            raise ProofError(f"proof holds a malformed inlined node: {error}") from error

    def _decode(self, digest: bytes) -> TrieNode:
        encoded = self._take(digest)
        try:
            node, end = decode_node(encoded)
        except NodeFormatError as error:
            raise ProofError(f"proof entry 0x{digest.hex()} is no node: {error}") from error
        if end != len(encoded):
            raise ProofError(f"proof entry 0x{digest.hex()} has bytes behind its node")
        return node

    def _take(self, digest: bytes) -> bytes:
        entry = self._entries.get(digest)
        if entry is None:
            raise ProofError(f"proof lacks the entry 0x{digest.hex()}")
        self.used.add(digest)
        return entry
