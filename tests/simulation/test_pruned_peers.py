"""A network of nodes that prune: it goes on over changes of voters, and fresh nodes join it."""

from __future__ import annotations

import pytest

from flockchain.simulation.cluster import Cluster, Member
from flockchain.storage.kv import MemoryStore
from tests.simulation.stake_world import NEWCOMER, join, staked_cluster
from tests.simulation.test_set_changes import (
    ERA_MS,
    HALF_SLOT_MS,
    ensure_agreement,
    finalized,
    running,
    set_id,
)

pytestmark = pytest.mark.usefixtures("sharing")

STATES, BODIES = 16, 8


def restart(cluster: Cluster, member: Member) -> None:
    cluster.kill(member)
    cluster.start(member)


def pruning_cluster(seed: int) -> Cluster:
    """Three authorities and a newcomer who joins them; all prune as hard as they may."""
    cluster = staked_cluster(3, seed, newcomer=True)
    for member in cluster.members:
        member.states_max, member.bodies_kept = STATES, BODIES
        restart(cluster, member)
    cluster.run(5_000)
    join(running(cluster.members[0]), NEWCOMER)
    cluster.run(2 * ERA_MS + HALF_SLOT_MS)
    assert [set_id(node) for node in cluster.nodes()] == [1] * 4
    return cluster


def without_a_past(cluster: Cluster, member: Member) -> None:
    """Its disk is lost, and so is its part as an authority."""
    cluster.kill(member)
    member.key, member.store = None, MemoryStore()


def test_a_fresh_node_warps_from_peers_that_prune(caplog: pytest.LogCaptureFixture) -> None:
    cluster = pruning_cluster(81)
    ensure_agreement(cluster)
    source = running(cluster.members[0])
    early = source.backend.blocks.hash_at(3)
    assert early is not None
    assert source.backend.blocks.body(early) is None
    fresh = cluster.members[2]
    without_a_past(cluster, fresh)
    fresh.wants_warp = True
    node = cluster.start(fresh)
    cluster.run(20_000 + HALF_SLOT_MS)
    assert node.warp is not None
    assert not node.is_warping
    assert set_id(node) == 1
    assert finalized(node) >= finalized(source) - 2
    assert node.history.is_whole, "it keeps no more of the past than the others have"
    # All authorities restart from their pruned disks, and finality goes on.
    for member in (cluster.members[0], cluster.members[1], cluster.members[3]):
        restart(cluster, member)
    before = finalized(node)
    cluster.run(15_000 + HALF_SLOT_MS)
    ensure_agreement(cluster)
    assert finalized(node) > before + 5


def test_a_fresh_node_that_would_execute_the_past_is_told_why_it_cannot(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster = pruning_cluster(82)
    fresh = cluster.members[2]
    without_a_past(cluster, fresh)
    node = cluster.start(fresh)
    cluster.run(15_000)
    assert node.backend.best.number == 0
    told = [text for text in caplog.messages if text.startswith("no peer gives block 1 ")]
    assert told == [
        "no peer gives block 1 (the extrinsics of block 1 are pruned here): a fresh node begins "
        "with --sync warp, others need a peer that keeps all blocks"
    ]
