"""Whole nodes on a virtual clock: they agree, survive crashes and partitions, and replay."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from flockchain.node import Node
from flockchain.simulation.cluster import Cluster, Member
from flockchain.storage.kv import MemoryStore
from flockchain.storage.trie_build import root_of
from flockchain.storage.trie_codec import StateVersion
from runtime.constants import DEVNET
from runtime.frame.externalities import Externalities
from runtime.primitives.types import FML, AccountId, Hash
from runtime.runtime import Runtime
from tests.simulation.world import devnet_genesis, key_of, keys_of, make_cluster, transfer

HALF_SLOT_MS = 500


@pytest.fixture(autouse=True)
def calm(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No test may see a warning: no equivocation, no conflict, no false block."""
    caplog.set_level(logging.WARNING)
    yield
    assert [record.getMessage() for record in caplog.get_records("call")] == []


def head(node: Node) -> tuple[int, Hash]:
    return node.backend.best.number, node.backend.best.hash


def finalized(node: Node) -> int:
    return node.backend.finalized.number


def running(member: Member) -> Node:
    assert member.node is not None
    return member.node


def ensure_agreement(cluster: Cluster) -> None:
    """No two nodes have different final blocks at one height, nor different states there."""
    shared = min(finalized(node) for node in cluster.nodes())
    for number in range(1, shared + 1):
        assert len({node.backend.blocks.hash_at(number) for node in cluster.nodes()}) == 1
    assert len({state_of(node, shared) for node in cluster.nodes()}) == 1


def state_of(node: Node, number: int) -> bytes:
    """The recomputed root of every pair of the state behind a final block."""
    block = node.backend.blocks.hash_at(number)
    assert block is not None
    return root_of(dict(node.backend.state_at(block).pairs()), StateVersion.V1)


def free_of(node: Node, account: AccountId) -> int:
    """The account's free planck in the finalized state."""
    state = node.backend.state_at(node.backend.finalized.hash)
    return Runtime(Externalities(state), DEVNET).balances.free(account)


def test_sixty_slots_finalize_on_every_node() -> None:
    cluster = make_cluster(4, seed=1)
    cluster.run(60_000 + HALF_SLOT_MS)
    heads = {head(node) for node in cluster.nodes()}
    assert len(heads) == 1
    number = heads.pop()[0]
    assert number >= 55
    for node in cluster.nodes():
        assert number - finalized(node) <= 5
    ensure_agreement(cluster)


def test_a_killed_node_comes_back_and_votes_again() -> None:
    cluster = make_cluster(4, seed=2)
    cluster.run(15_000)
    victim = cluster.members[1]
    cluster.kill(victim)
    before = max(finalized(node) for node in cluster.nodes())
    cluster.run(15_000)
    assert min(finalized(node) for node in cluster.nodes()) >= before + 5
    back = cluster.start(victim)
    cluster.run(5_000 + HALF_SLOT_MS)
    assert head(back) == head(running(cluster.members[0]))
    cluster.kill(cluster.members[2])  # three of four are left, so each vote is needed
    before = max(finalized(node) for node in cluster.nodes())
    cluster.run(20_000)
    assert min(finalized(node) for node in cluster.nodes()) >= before + 5
    assert back.finality is not None
    assert back.finality.stopped_because is None
    ensure_agreement(cluster)


def test_halves_finalize_nothing_and_heal_to_one_head() -> None:
    cluster = make_cluster(4, seed=3)
    cluster.run(10_000)
    peers = [member.peer for member in cluster.members]
    cluster.hub.partition([peers[:2], peers[2:]])
    cluster.run(5_000)
    before = [finalized(node) for node in cluster.nodes()]
    cluster.run(25_000 + HALF_SLOT_MS)
    assert [finalized(node) for node in cluster.nodes()] == before
    halves = {head(node) for node in cluster.nodes()}
    assert len(halves) == 2
    cluster.hub.heal()
    cluster.run(20_000)
    assert len({head(node) for node in cluster.nodes()}) == 1
    assert all(head(node)[0] - finalized(node) <= 5 for node in cluster.nodes())
    ensure_agreement(cluster)


def test_the_same_seed_gives_the_same_chain() -> None:
    ends: list[list[dict[bytes, bytes]]] = []
    for _ in range(2):
        cluster = make_cluster(3, seed=4)
        cluster.run(12_000)
        cluster.kill(cluster.members[0])
        cluster.run(4_000)
        cluster.start(cluster.members[0])
        cluster.run(8_000)
        assert min(finalized(node) for node in cluster.nodes()) >= 15
        ends.append([dict(member.store.iterate(b"")) for member in cluster.members])
    assert ends[0] == ends[1]


def test_extrinsics_of_one_node_are_final_on_all() -> None:
    cluster = make_cluster(3, seed=6, watching=1)
    cluster.run(3_000)
    watcher = running(cluster.members[3])
    sender, dest = keys_of(1)[0], key_of("dest").account
    for nonce in range(3):
        watcher.submit(transfer(sender, dest, 5 * FML, nonce, watcher.backend.genesis))
    cluster.run(12_000)
    assert [free_of(node, dest) for node in cluster.nodes()] == [15 * FML] * 4
    assert len(watcher.pool) == 0


def test_a_node_of_another_chain_is_refused() -> None:
    cluster = make_cluster(3, seed=7, watching=1)
    stranger, genesis = cluster.members[3], cluster.genesis
    cluster.kill(stranger)
    stranger.store = MemoryStore()
    cluster.genesis = devnet_genesis(keys_of(3), endowed=1)
    foreign = cluster.start(stranger)
    cluster.genesis = genesis
    cluster.run(10_000)
    assert foreign.peers == {}
    assert foreign.backend.best.number == 0
    for member in cluster.members[:3]:
        assert stranger.peer not in running(member).peers
        assert finalized(running(member)) >= 5
