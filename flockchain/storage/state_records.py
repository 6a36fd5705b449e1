"""What the state store writes down about each block, and under which keys.

Owns the key layout under `s` and the block's record. Invariant: everything the store must know
after a restart is in these records; memory holds only caches and pins.

| key | value |
|---|---|
| `sn` location | a trie node |
| `sr` root, block hash | the block's record, while its state can be read |
| `sf` number, block hash | the root, while the block is not final |
| `sc` number | block hash and root, once the block is final, while its state is kept |
| `sd` block hash | locations that die when the state before the block is pruned |
| `su` | the next free update number |
| `sl` | number and hash of the last final block |

Source: Substrate state-db (journals, pruning window), adapted.
"""

from struct import Struct
from typing import Final

from flockchain.storage.errors import StoreCorrupted
from flockchain.storage.kv import PendingView
from flockchain.storage.trie_codec import HASH_BYTES, LOCATION_BYTES, NO_LOCATION
from flockchain.storage.trie_update import INDEX_BYTES, STEM_BYTES, TrieRoot
from runtime.primitives.record import record

ROOT_PREFIX: Final = b"sr"
FORK_PREFIX: Final = b"sf"
CANONICAL_PREFIX: Final = b"sc"
DEATHS_PREFIX: Final = b"sd"
NEXT_UPDATE_KEY: Final = b"su"
LAST_FINAL_KEY: Final = b"sl"

_NUMBER_BYTES: Final = 8
_RECORD: Final = Struct(">Q32s8s5sI?")
_NOWHERE: Final = bytes(LOCATION_BYTES)


@record
class BlockState:
    """A block's state: where its trie is, and which nodes came with it."""

    number: int
    block_hash: bytes
    parent_hash: bytes
    root: TrieRoot
    stem: bytes
    nodes: int
    """How many nodes the block inserted: locations `stem` 0 to `nodes` - 1."""
    is_rootless: bool
    """Built from nothing and not from its parent's state: genesis, or a state that was synced."""

    def encode(self) -> bytes:
        location = self.root.location or _NOWHERE
        return _RECORD.pack(
            self.number, self.parent_hash, location, self.stem, self.nodes, self.is_rootless
        )

    def locations(self) -> list[bytes]:
        """Where the nodes that came with this block lie."""
        return [self.stem + i.to_bytes(INDEX_BYTES, "big") for i in range(self.nodes)]


def root_key(root: bytes, block_hash: bytes) -> bytes:
    return ROOT_PREFIX + root + block_hash


def fork_key(number: int, block_hash: bytes) -> bytes:
    return FORK_PREFIX + number.to_bytes(_NUMBER_BYTES, "big") + block_hash


def canonical_key(number: int) -> bytes:
    return CANONICAL_PREFIX + number.to_bytes(_NUMBER_BYTES, "big")


def decode_block_state(key: bytes, record: bytes) -> BlockState:
    """The record stored under a `root_key`. Raises: StoreCorrupted."""
    root, block_hash = key[len(ROOT_PREFIX) : -HASH_BYTES], key[-HASH_BYTES:]
    if len(record) != _RECORD.size or len(root) != HASH_BYTES:
        raise StoreCorrupted(f"state record of {len(record)} bytes for block 0x{block_hash.hex()}")
    number, parent_hash, location, stem, nodes, is_rootless = _RECORD.unpack(record)
    where = NO_LOCATION if location == _NOWHERE else location
    return BlockState(
        number, block_hash, parent_hash, TrieRoot(root, where), stem, nodes, is_rootless
    )


def find_block_state(view: PendingView, root: bytes, block_hash: bytes) -> BlockState | None:
    """The state of a block whose root is known, if it is kept."""
    key = root_key(root, block_hash)
    record = view.get(key)
    return None if record is None else decode_block_state(key, record)


def get_forks(view: PendingView) -> dict[bytes, BlockState]:
    """Every state that is not final, by block hash, lower numbers first.

    Raises: StoreCorrupted.
    """
    forks = {}
    for key, root in view.iterate(FORK_PREFIX):
        block_hash = key[-HASH_BYTES:]
        state = find_block_state(view, root, block_hash)
        if state is None:
            raise StoreCorrupted(f"block 0x{block_hash.hex()} is listed but has no state record")
        forks[block_hash] = state
    return forks


def find_last_final(view: PendingView) -> tuple[int, bytes] | None:
    """Number and hash of the last final block, None in a new store."""
    record = view.get(LAST_FINAL_KEY)
    if record is None:
        return None
    return int.from_bytes(record[:_NUMBER_BYTES], "big"), record[_NUMBER_BYTES:]


def encode_last_final(number: int, block_hash: bytes) -> bytes:
    return number.to_bytes(_NUMBER_BYTES, "big") + block_hash


def decode_update_number(record: bytes | None) -> int:
    """The next free update number; 1 in a new store, so that no location is all zeros."""
    return 1 if record is None else int.from_bytes(record, "big")


def encode_stem(update_number: int) -> bytes:
    return update_number.to_bytes(STEM_BYTES, "big")


def split_locations(record: bytes) -> list[bytes]:
    return [record[i : i + LOCATION_BYTES] for i in range(0, len(record), LOCATION_BYTES)]
