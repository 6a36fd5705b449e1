"""Which states are given up when a block becomes final, and their removal.

Owns the passage of a block from fork to final: siblings are dropped, and states older than the
window are pruned, unless someone holds a pin. Invariant: what the written batch removes is
reachable from no state that is kept; what it leaves is reachable from one.

A dropped fork takes with it the nodes that came with it, nothing else. A pruned state takes the
nodes that its final child replaced. A pinned fork keeps its own ancestors and holds pruning below
the block it branched from. Pins live in memory: after a restart the next finality cleans up.

Source: Substrate state-db (non-canonical overlay and pruning window), adapted.
"""

from collections.abc import Container
from itertools import islice, pairwise
from typing import Final

from flockchain.storage.errors import StateConflict
from flockchain.storage.kv import PendingView, WriteBatch
from flockchain.storage.node_store import NODE_PREFIX
from flockchain.storage.state_records import (
    CANONICAL_PREFIX,
    DEATHS_PREFIX,
    LAST_FINAL_KEY,
    BlockState,
    canonical_key,
    encode_last_final,
    find_last_final,
    fork_key,
    root_key,
    split_locations,
)
from flockchain.storage.trie_codec import HASH_BYTES

PRUNED_PER_CALL_MAX: Final = 64
"""Bounds the batch after a long pin; a block finalizes one state, so a backlog still shrinks."""


def find_path(
    forks: dict[bytes, BlockState], last_final: tuple[int, bytes] | None, block_hash: bytes
) -> list[BlockState]:
    """The blocks that become final with `block_hash`, oldest first.

    Raises: StateConflict if the block is unknown or does not descend from the last final one.
    """
    path: list[BlockState] = []
    wanted = block_hash
    while last_final is None or wanted != last_final[1]:
        state = forks.get(wanted)
        if state is None:
            raise StateConflict(
                f"block 0x{block_hash.hex()} cannot become final: 0x{wanted.hex()} is no state "
                f"above final block {last_final and last_final[0]}"
            )
        path.append(state)
        if state.is_rootless:
            break
        wanted = state.parent_hash
    path.reverse()
    return path


def finalize_states(path: list[BlockState], batch: WriteBatch) -> None:
    """Turn the forks of `path` into final states."""
    for state in path:
        batch.delete(fork_key(state.number, state.block_hash))
        batch.put(canonical_key(state.number), state.block_hash + state.root.hash)
    last = path[-1]
    batch.put(LAST_FINAL_KEY, encode_last_final(last.number, last.block_hash))


def drop_forks(
    forks: dict[bytes, BlockState],
    path: list[BlockState],
    pinned_roots: Container[bytes],
    batch: WriteBatch,
) -> tuple[list[BlockState], int | None]:
    """Drop every fork that cannot become final after `path`, but for the pinned.

    Returns what was dropped, and the number of the lowest final state that a pinned fork still
    builds on, if any.
    """
    alive = {path[-1].block_hash}
    final = {state.block_hash for state in path}
    dead: list[BlockState] = []
    for state in sorted(forks.values(), key=lambda state: state.number):
        if state.block_hash in final:
            continue
        if state.parent_hash in alive and not state.is_rootless:
            alive.add(state.block_hash)
        else:
            dead.append(state)
    held: set[bytes] = set()
    dropped: list[BlockState] = []
    floor: int | None = None
    for state in reversed(dead):
        if state.root.hash in pinned_roots or state.block_hash in held:
            held.add(state.parent_hash)
            floor = state.number - 1
        else:
            drop_state(state, batch)
            dropped.append(state)
    return dropped, floor


def prune_window(
    view: PendingView,
    batch: WriteBatch,
    states_max: int,
    pinned_roots: Container[bytes],
    floor: int | None,
) -> None:
    """Give up final states beyond the newest `states_max`, oldest first, up to the first held."""
    last_final = find_last_final(view)
    if last_final is None:
        return
    newest_given_up = last_final[0] - states_max
    if newest_given_up < 0:
        return
    states = pairwise(view.iterate(CANONICAL_PREFIX))
    for (key, value), (_, next_value) in islice(states, PRUNED_PER_CALL_MAX):
        number = int.from_bytes(key[len(CANONICAL_PREFIX) :], "big")
        block_hash, root = value[:HASH_BYTES], value[HASH_BYTES:]
        is_held = root in pinned_roots or (floor is not None and number >= floor)
        if number > newest_given_up or is_held:
            return
        deaths_key = DEATHS_PREFIX + next_value[:HASH_BYTES]
        gone = split_locations(view.get(deaths_key) or b"")
        batch.delete_many(NODE_PREFIX + location for location in gone)
        batch.delete(deaths_key)
        batch.delete(root_key(root, block_hash))
        batch.delete(key)


def drop_state(state: BlockState, batch: WriteBatch) -> None:
    """Remove a fork's state and the nodes that came with it."""
    batch.delete_many(NODE_PREFIX + location for location in state.locations())
    batch.delete(DEATHS_PREFIX + state.block_hash)
    batch.delete(root_key(state.root.hash, state.block_hash))
    batch.delete(fork_key(state.number, state.block_hash))
