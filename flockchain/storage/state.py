"""The states of all blocks that are kept: forks, the final window, and what is pinned.

Owns `StateStore`: commit a block's changes, make a block final, read any kept state. All writes
go into the caller's batch, so that block, header, state and metadata become durable together; the
store itself never writes. Invariants: memory holds nothing that a dropped batch could falsify
(caches of nodes whose locations are used once, pins, and a counter that only grows), so a crash
or a dropped batch leaves the last written state; reading gives the state asked for or an error.

One thread at a time: the node's event loop.

Source: WP II.A (state and ledger), Substrate state-db, adapted.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Final

from flockchain.storage.errors import (
    PinLimitReached,
    StateConflict,
    StateCorrupted,
    StateDiscarded,
    StorageError,
)
from flockchain.storage.kv import KeyValueStore, PendingView, WriteBatch
from flockchain.storage.node_cache import NodeCache
from flockchain.storage.node_store import NodeStore
from flockchain.storage.state_pruning import (
    drop_forks,
    drop_state,
    finalize_states,
    find_path,
    prune_window,
)
from flockchain.storage.state_reader import StateReader
from flockchain.storage.state_records import (
    DEATHS_PREFIX,
    NEXT_UPDATE_KEY,
    ROOT_PREFIX,
    BlockState,
    canonical_key,
    decode_block_state,
    decode_update_number,
    encode_stem,
    find_block_state,
    find_last_final,
    fork_key,
    get_forks,
    root_key,
)
from flockchain.storage.trie_codec import EMPTY_ROOT, HASH_BYTES, StateVersion
from flockchain.storage.trie_update import EMPTY_TRIE, STEM_BYTES, TrieDelta, TrieRoot, TrieUpdate
from flockchain.storage.value_cache import ValueCache

STATES_MAX: Final = 256
"""Final states kept by default, the newest among them."""
PINS_MAX: Final = 4096
ROOTS_REMEMBERED_MAX: Final = 1024


@dataclass(slots=True)
class StateDelta:
    """A state computed but not committed: what `changes` make of the state `parent`."""

    parent: TrieRoot
    changes: Mapping[bytes, bytes | None]
    trie: TrieDelta = field(repr=False)
    stem: bytes
    is_committed: bool = False

    @property
    def root(self) -> bytes:
        return self.trie.root.hash


class StateStore:
    """States in `store`; `states_max` final ones are kept, all of them if it is None (archive)."""

    def __init__(
        self,
        store: KeyValueStore,
        *,
        version: StateVersion = StateVersion.V1,
        states_max: int | None = STATES_MAX,
        cache: NodeCache | None = None,
        pins_max: int = PINS_MAX,
    ) -> None:
        if states_max is not None and states_max < 1:
            raise ValueError(f"states_max is {states_max}, the newest final state must be kept")
        self._store = store
        self._version = version
        self._states_max = states_max
        self._cache = NodeCache() if cache is None else cache
        self._values = ValueCache()
        self._found: dict[bytes, tuple[bytes, bytes, TrieRoot]] = {}
        self._pins: dict[bytes, int] = {}
        self._pins_max = pins_max
        self._next_update = decode_update_number(store.get(NEXT_UPDATE_KEY))

    def reader(self, root: bytes) -> StateReader:
        """The state with this root. Raises: StateDiscarded."""
        nodes = self._nodes(self._store, root)
        return StateReader(nodes, self._get_root(root), self._values.of(root))

    def has_state(self, root: bytes) -> bool:
        """Whether the state with this root is kept; the empty one always is."""
        return self._find_root(root) is not None

    def pin(self, root: bytes) -> None:
        """Keep this state until `unpin`, whatever becomes final. Pins count.

        Raises: StateDiscarded, PinLimitReached.
        """
        self._get_root(root)
        if root not in self._pins and len(self._pins) >= self._pins_max:
            raise PinLimitReached(f"{len(self._pins)} states are pinned, the most allowed")
        self._pins[root] = self._pins.get(root, 0) + 1

    def is_pinned(self, root: bytes) -> bool:
        """Whether somebody keeps this state."""
        return root in self._pins

    def unpin(self, root: bytes) -> None:
        """Take one pin back; the state goes, if it is due, when the next block becomes final."""
        count = self._pins.get(root, 0)
        assert count > 0, f"root 0x{root.hex()} is not pinned"
        if count > 1:
            self._pins[root] = count - 1
        else:
            del self._pins[root]

    def compute_root(
        self, parent_root: bytes, changes: Mapping[bytes, bytes | None]
    ) -> tuple[bytes, StateDelta]:
        """The root that `changes` (None deletes) lead to, and the delta to commit later.

        Writes nothing. `changes` must not be altered before the delta is committed.
        Raises: StateDiscarded, KeyTooLong.
        """
        delta = self._compute(self._get_root(parent_root), changes, self._store)
        return delta.root, delta

    def commit(
        self,
        parent_root: bytes,
        changes: Mapping[bytes, bytes | None],
        block_hash: bytes,
        parent_hash: bytes,
        number: int,
        batch: WriteBatch,
    ) -> bytes:
        """Put the state of a new block into `batch`; returns its root.

        A state may be built from nothing: `parent_root` is `EMPTY_ROOT` and no state is kept for
        the parent. That is genesis, or a synced state; it must become final in the same batch.
        Raises: StateDiscarded, StateConflict, KeyTooLong.
        """
        view = PendingView(self._store, batch)
        parent = self._get_parent(view, parent_root, parent_hash, number)
        root = EMPTY_TRIE if parent is None else parent.root
        delta = self._compute(root, changes, view)
        return self._insert(delta, parent, (block_hash, parent_hash, number), batch)

    def commit_delta(
        self,
        delta: StateDelta,
        block_hash: bytes,
        parent_hash: bytes,
        number: int,
        batch: WriteBatch,
    ) -> bytes:
        """As `commit`, with what `compute_root` gave; nothing is computed again.

        Unless the delta was committed before, or computed on the equal state of another block:
        then its nodes belong to that block, and this one needs its own.
        """
        view = PendingView(self._store, batch)
        parent = self._get_parent(view, delta.parent.hash, parent_hash, number)
        root = EMPTY_TRIE if parent is None else parent.root
        if delta.is_committed or root != delta.parent:
            delta = self._compute(root, delta.changes, view)
        return self._insert(delta, parent, (block_hash, parent_hash, number), batch)

    def take_stem(self, batch: WriteBatch) -> bytes:
        """A stem that nobody had, for nodes that come from elsewhere."""
        stem = encode_stem(self._next_update)
        self._next_update += 1
        batch.put(NEXT_UPDATE_KEY, self._next_update.to_bytes(STEM_BYTES, "big"))
        return stem

    def adopt(
        self, root: TrieRoot, block_hash: bytes, parent_hash: bytes, number: int, batch: WriteBatch
    ) -> None:
        """Take in the state of a block whose nodes are written already, and make it final.

        What was final before is replaced, and pruned as any older state. Raises StateConflict.
        """
        self._get_parent(PendingView(self._store, batch), EMPTY_ROOT, parent_hash, number)
        state = BlockState(
            number, block_hash, parent_hash, root, encode_stem(0), 0, is_rootless=True
        )
        batch.put(root_key(root.hash, block_hash), state.encode())
        batch.put(fork_key(number, block_hash), root.hash)
        batch.put(DEATHS_PREFIX + block_hash, b"")
        self.canonicalize(block_hash, batch)

    def canonicalize(self, block_hash: bytes, batch: WriteBatch) -> None:
        """Make the block and its ancestors final: drop what conflicts, prune what is too old.

        The block may have been committed in the same batch; nothing happens if it is the last
        final block already. Raises: StateConflict.
        """
        view = PendingView(self._store, batch)
        forks, last_final = get_forks(view), find_last_final(view)
        path = find_path(forks, last_final, block_hash)
        if not path:
            return
        if path[0].is_rootless and last_final is not None:
            self._replace_all(path[0], view, batch)
        finalize_states(path, batch)
        dropped, floor = drop_forks(forks, path, self._pins, batch)
        for state in dropped:
            self._cache.retire(state.locations())
        if self._states_max is not None:
            prune_window(view, batch, self._states_max, self._pins, floor)

    def discard_all_but(self, kept: Container[bytes], batch: WriteBatch) -> None:
        """Drop every state that is not final, but those of these blocks."""
        for block, state in get_forks(PendingView(self._store, batch)).items():
            if block not in kept:
                drop_state(state, batch)

    def last_final(self) -> tuple[int, bytes] | None:
        """Number and hash of the last block made final, None in a new store."""
        return find_last_final(PendingView(self._store, WriteBatch()))

    def _compute(
        self,
        parent: TrieRoot,
        changes: Mapping[bytes, bytes | None],
        source: KeyValueStore | PendingView,
    ) -> StateDelta:
        stem = encode_stem(self._next_update)
        self._next_update += 1
        update = TrieUpdate(self._nodes(source, parent.hash), self._version, stem)
        real = self._values.leave_out_same(parent.hash, changes)
        return StateDelta(parent, changes, update.apply(parent, real), stem)

    def _get_parent(
        self, view: PendingView, root: bytes, parent_hash: bytes, number: int
    ) -> BlockState | None:
        """The state the new block builds on; None if it is built from nothing."""
        last_final = find_last_final(view)
        if last_final is not None and number <= last_final[0]:
            raise StateConflict(f"block {number} is not above final block {last_final[0]}")
        parent = find_block_state(view, root, parent_hash)
        if parent is None and root != EMPTY_ROOT:
            raise StateDiscarded(
                f"no state 0x{root.hex()} is kept for block 0x{parent_hash.hex()}, parent of a "
                f"block {number}"
            )
        if parent is not None and parent.number + 1 != number:
            raise StateConflict(f"block {number} has a parent with number {parent.number}")
        return parent

    def _insert(
        self,
        delta: StateDelta,
        parent: BlockState | None,
        block: tuple[bytes, bytes, int],
        batch: WriteBatch,
    ) -> bytes:
        block_hash, parent_hash, number = block
        trie = delta.trie
        state = BlockState(
            number,
            block_hash,
            parent_hash,
            trie.root,
            delta.stem,
            len(trie.records),
            is_rootless=parent is None,
        )
        view = PendingView(self._store, batch)
        if view.get(fork_key(number, block_hash)) is not None:
            raise StateConflict(f"block {number} 0x{block_hash.hex()} has a state already")
        self._nodes(self._store, trie.root.hash).insert(trie, batch)
        key, record = root_key(trie.root.hash, block_hash), state.encode()
        batch.put(key, record)
        self._remember_root(key, record, trie.root)
        batch.put(fork_key(number, block_hash), trie.root.hash)
        batch.put(DEATHS_PREFIX + block_hash, b"".join(trie.removed))
        batch.put(NEXT_UPDATE_KEY, self._next_update.to_bytes(STEM_BYTES, "big"))
        delta.is_committed = True
        self._values.derive(delta.parent.hash, trie.root.hash, delta.changes)
        return trie.root.hash

    def _replace_all(self, state: BlockState, view: PendingView, batch: WriteBatch) -> None:
        """Let a state built from nothing inherit: all nodes of the last final state die with it."""
        last_final = find_last_final(view)
        assert last_final is not None, "there is a final state to replace"
        value = view.get(canonical_key(last_final[0]))
        old = None if value is None else find_block_state(view, value[HASH_BYTES:], last_final[1])
        assert old is not None, "the last final state is always kept"
        reachable = self._nodes(view, old.root.hash).reachable(old.root)
        batch.put(DEATHS_PREFIX + state.block_hash, b"".join(reachable))

    def _find_root(self, root: bytes) -> TrieRoot | None:
        if root == EMPTY_ROOT:
            return EMPTY_TRIE
        # Several blocks may have one root; which of them was found is remembered to be looked up
        # by its key, since a walk costs much more.
        known = self._found.get(root)
        if known is not None and self._store.get(known[0]) == known[1]:
            return known[2]
        pair = next(self._store.iterate(ROOT_PREFIX + root), None)
        if pair is None:
            return None
        return self._remember_root(*pair, decode_block_state(*pair).root)

    def _remember_root(self, key: bytes, record: bytes, root: TrieRoot) -> TrieRoot:
        if len(self._found) >= ROOTS_REMEMBERED_MAX:
            self._found.clear()
        self._found[root.hash] = key, record, root
        return root

    def _get_root(self, root: bytes) -> TrieRoot:
        found = self._find_root(root)
        if found is None:
            raise StateDiscarded(f"no state is kept for root 0x{root.hex()}")
        return found

    def _nodes(self, source: KeyValueStore | PendingView, root: bytes) -> NodeStore:
        return NodeStore(source, self._cache, self._explain_missing(root))

    def _explain_missing(self, root: bytes) -> Callable[[bytes], StorageError]:
        def explain(location: bytes) -> StorageError:
            if self.has_state(root):
                return StateCorrupted(
                    f"state 0x{root.hex()} lacks its node {location.hex()}: the database is "
                    "damaged; put back a backup, or remove it and let the node sync again"
                )
            return StateDiscarded(f"state 0x{root.hex()} was discarded while it was read")

        return explain
