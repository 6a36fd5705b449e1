"""Roots of whole maps and lists, without a store.

Owns `root_of` (a genesis state) and `ordered_root` (a list under Compact(index) keys: a block's
extrinsics root). Under system version 1, which this chain has, extrinsics roots keep the layout
of state version 0, although the state itself has version 1.

Source: Substrate `sp_trie::trie_root`, `frame_system::extrinsics_root`, Polkadot RFC 42.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from flockchain.storage.errors import StateCorrupted
from flockchain.storage.trie_codec import (
    StateVersion,
    TrieNode,
    encode_compact,
    encode_node,
    hash_256,
)
from flockchain.storage.trie_update import EMPTY_TRIE, STEM_BYTES, TrieUpdate

EXTRINSICS_ROOT_VERSION: Final = StateVersion.V0
"""`RuntimeVersion::extrinsics_root_state_version` of system version 1."""
_STEM: Final = bytes(STEM_BYTES)
_FIRST_PATH: Final = encode_compact(0).hex()


class NoNodes:
    """The source of a trie that starts empty: there is nothing to load."""

    def load(self, location: bytes, ref: bytes) -> TrieNode:
        raise StateCorrupted(f"a trie built from nothing has no node at {location.hex()}")


def root_of(pairs: Mapping[bytes, bytes], version: StateVersion) -> bytes:
    """The root of the trie that holds exactly `pairs`. Raises: KeyTooLong."""
    return TrieUpdate(NoNodes(), version, _STEM).apply(EMPTY_TRIE, pairs).root.hash


def ordered_root(items: Sequence[bytes], version: StateVersion = EXTRINSICS_ROOT_VERSION) -> bytes:
    """The root over Compact(index) -> item; of a block's encoded extrinsics by default."""
    if len(items) == 1 and version is StateVersion.V0:  # an empty block has only its time
        return hash_256(encode_node(TrieNode(_FIRST_PATH, items[0], None)))
    return root_of({encode_compact(i): item for i, item in enumerate(items)}, version)
