"""The genesis hash of a raw chain specification, ours or any public Substrate network's.

Owns how the genesis header follows from the genesis storage: number 0, no parent, no extrinsics,
an empty digest. Invariant: the hash depends on the raw storage alone, so a node can check a
specification against a published hash without executing anything.

Source: Substrate `construct_genesis_block`, Polkadot Host specification (chain specification).
"""

from collections.abc import Mapping
from typing import Final

from flockchain.storage.trie_build import ordered_root, root_of
from flockchain.storage.trie_codec import StateVersion
from runtime.primitives.header import Digest, Header
from runtime.primitives.types import BlockNumber, Hash

CHILD_STORAGE_PREFIX: Final = b":child_storage:default:"
_NO_PARENT: Final = Hash(bytes(32))


def genesis_state_root(
    top: Mapping[bytes, bytes],
    state_version: int,
    children: Mapping[bytes, Mapping[bytes, bytes]] | None = None,
) -> Hash:
    """The root over `top` and the default child tries; an empty child trie leaves no root.

    Raises: ValueError for an unknown state version, KeyTooLong.
    """
    version = StateVersion(state_version)
    roots = {
        CHILD_STORAGE_PREFIX + child_id: root_of(pairs, version)
        for child_id, pairs in (children or {}).items()
        if pairs
    }
    return Hash(root_of({**top, **roots}, version))


def genesis_hash(
    top: Mapping[bytes, bytes],
    state_version: int,
    children: Mapping[bytes, Mapping[bytes, bytes]] | None = None,
) -> tuple[Hash, Hash]:
    """The hash of block 0 and its state root, from a raw specification's storage.

    Raises: ValueError for an unknown state version, KeyTooLong.
    """
    state_root = genesis_state_root(top, state_version, children)
    # The root over no extrinsics is the empty trie's, which both state versions share.
    header = Header(_NO_PARENT, BlockNumber(0), state_root, Hash(ordered_root([])), Digest([]))
    return header.hash(), state_root
