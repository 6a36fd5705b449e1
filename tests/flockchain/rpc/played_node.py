"""A node whose chain holds the states of a task that was played in memory, block by block."""

from __future__ import annotations

from flockchain.storage.trie_build import ordered_root
from runtime.frame.externalities import DictState
from runtime.primitives.header import Digest, Header
from runtime.primitives.types import Hash
from runtime.version import CODE_KEY, code_stub
from tests.flockchain.economics.delegated_task import PlayedTask
from tests.flockchain.rpc.dev_node import DevNode, build

CODE_ONLY = {CODE_KEY: code_stub("devnet")}


def node_of(played: PlayedTask, changed: dict[int, DictState] | None = None) -> DevNode:
    """All blocks up to the last settlement and one more; blocks without a state repeat the last.

    `changed` replaces the states of some blocks.
    """
    states = {**played.numbers, **(changed or {})}
    node = build(CODE_ONLY)
    before: dict[bytes, bytes] = CODE_ONLY
    for number in range(1, max(states) + 2):
        after = states[number].top if number in states else before
        insert_state(node, before, after)
        before = after
    return node


def insert_state(node: DevNode, before: dict[bytes, bytes], after: dict[bytes, bytes]) -> None:
    """One more block, final at once, after which the state is `after`."""
    backend = node.backend
    parent = backend.header(backend.best.hash)
    assert parent is not None
    changes: dict[bytes, bytes | None] = dict.fromkeys(before.keys() - after.keys())
    changes |= {key: value for key, value in after.items() if before.get(key) != value}
    root, delta = backend.state.compute_root(parent.state_root, changes)
    header = Header(
        parent.hash(), parent.number + 1, Hash(root), Hash(ordered_root([])), Digest([])
    )
    backend.insert(header, [], delta)
    backend.finalize(header.hash())
