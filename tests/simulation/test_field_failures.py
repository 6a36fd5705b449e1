"""What has brought live networks down: silence over epochs, absence over eras, forks given up."""

from __future__ import annotations

import pytest

from flockchain.node import Node
from flockchain.simulation.cluster import Cluster
from runtime.primitives.types import Hash
from tests.simulation.stake_world import NEWCOMER, join, runtime_of, staked_cluster
from tests.simulation.test_set_changes import (
    ERA_MS,
    HALF_SLOT_MS,
    ensure_agreement,
    finalized,
    running,
    set_id,
)

pytestmark = pytest.mark.usefixtures("sharing")

SESSION_MS = 10_000


def best(node: Node) -> int:
    return node.backend.best.number


def head(node: Node) -> Hash:
    return node.backend.best.hash


def silence(cluster: Cluster, duration_ms: int) -> None:
    """All nodes are down for a while."""
    for member in cluster.members:
        cluster.kill(member)
    cluster.run(duration_ms)
    for member in cluster.members:
        cluster.start(member)


def test_a_set_changes_after_epochs_without_a_block() -> None:
    cluster = staked_cluster(3, seed=81, newcomer=True)
    cluster.run(2_000)
    join(running(cluster.members[0]), NEWCOMER)
    cluster.run(6_000)
    node = running(cluster.members[0])
    epoch = runtime_of(node).babe.current_epoch.get()
    height = best(node)
    silence(cluster, 5 * SESSION_MS)
    cluster.run(8_000)
    node = running(cluster.members[0])
    assert runtime_of(node).babe.current_epoch.get() >= epoch + 5
    assert best(node) > height
    ensure_agreement(cluster)  # blocks and finality are back though the announced epochs were empty
    cluster.run(2 * ERA_MS + HALF_SLOT_MS)
    ensure_agreement(cluster)
    assert NEWCOMER.account in runtime_of(running(cluster.members[0])).session.validators.get()
    assert {set_id(each) for each in cluster.nodes()} == {1}


def test_a_set_is_announced_and_then_epochs_pass_without_a_block() -> None:
    cluster = staked_cluster(3, seed=82, newcomer=True)
    cluster.run(2_000)
    join(running(cluster.members[0]), NEWCOMER)
    while running(cluster.members[0]).backend.first_change(head(cluster.nodes()[0])) is None:
        cluster.run(100)
        assert cluster.hub.now_ms < 70_000, "the newcomer is elected for the second era"
    assert {set_id(each) for each in cluster.nodes()} == {0}
    silence(cluster, 3 * SESSION_MS)
    cluster.run(15_000 + HALF_SLOT_MS)
    ensure_agreement(cluster)
    assert {set_id(each) for each in cluster.nodes()} == {1}


def test_two_of_four_die_at_a_change_and_come_back_after_three_eras() -> None:
    """No quorum, so nothing is final; authors go on, eras change, and all is made good later."""
    cluster = staked_cluster(4, seed=83, newcomer=True)
    cluster.run(2_000)
    join(running(cluster.members[0]), NEWCOMER)
    while running(cluster.members[0]).backend.first_change(head(cluster.nodes()[0])) is None:
        cluster.run(100)
    dead = cluster.members[:2]
    for member in dead:
        cluster.kill(member)
    stalled = max(finalized(node) for node in cluster.nodes())
    era = runtime_of(running(cluster.members[2])).staking.active_era.get().index
    cluster.run(3 * ERA_MS)
    alive = [running(member) for member in cluster.members[2:]]
    assert max(finalized(node) for node in alive) <= stalled + 2
    while runtime_of(alive[0]).staking.active_era.get().index < era + 3:
        cluster.run(1_000)  # a slot of the dead may have been the era's first
        assert cluster.hub.now_ms < 170_000
    height = best(alive[0])
    for member in dead:
        cluster.start(member)
    cluster.run(20_000 + HALF_SLOT_MS)
    ensure_agreement(cluster)
    assert min(finalized(node) for node in cluster.nodes()) > height
    for node in cluster.nodes():
        assert node.finality is not None
        assert node.finality.stopped_because is None


def test_a_longer_fork_is_left_for_the_one_that_is_final() -> None:
    """The majority finalizes and falls silent; who was alone meanwhile has the higher head."""
    cluster = staked_cluster(4, seed=84)
    cluster.run(5_000 + HALF_SLOT_MS)
    *majority, lonely = cluster.members
    peers = [member.peer for member in cluster.members]
    cluster.hub.partition([peers[:3], peers[3:]])
    cluster.run(15_000)
    final = max(finalized(running(member)) for member in majority)
    for member in majority:
        cluster.kill(member)
    alone = running(lonely)
    while best(alone) <= final + 12:
        cluster.run(1_000)
        assert cluster.hub.now_ms < 200_000
    assert finalized(alone) < final
    left = head(alone)
    cluster.hub.heal()
    for member in majority:
        cluster.start(member)
    cluster.run(20_000 + HALF_SLOT_MS)
    ensure_agreement(cluster)
    assert alone.backend.header(left) is None, "what finality refuted is forgotten"
    assert finalized(alone) > final
    # It has no part in what it made there: the authors' slots and pay are those of the final chain.
    runtime_of(alone).try_state()


def test_a_node_restarts_on_a_fork_that_was_given_up() -> None:
    cluster = staked_cluster(4, seed=85, newcomer=True)
    cluster.run(2_000)
    join(running(cluster.members[1]), NEWCOMER)
    cluster.run(24_000)
    peers = [member.peer for member in cluster.members]
    cluster.hub.partition([peers[:1], peers[1:]])
    cluster.run(20_000)
    lonely = cluster.members[0]
    forked = running(lonely)
    assert forked.backend.first_change(head(forked)) is not None, "a change of its own fork"
    left = head(forked)
    cluster.kill(lonely)
    cluster.hub.heal()
    cluster.run(5_000)
    back = cluster.start(lonely)
    assert head(back) == left
    cluster.run(15_000 + HALF_SLOT_MS)
    ensure_agreement(cluster)
    assert back.backend.header(left) is None
    assert set_id(back) == set_id(running(cluster.members[1])) == 1
