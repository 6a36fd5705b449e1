"""Finality that is dead for good: root names new voters by force, and all nodes follow."""

from __future__ import annotations

import pytest

from flockchain.node import Node
from flockchain.simulation.cluster import Cluster
from flockchain.simulation.staked import staked_genesis
from flockchain.storage.kv import MemoryStore
from runtime.constants import DEVNET
from runtime.frame.externalities import DictState, Externalities
from runtime.frame.origin import ROOT
from runtime.frame.pallet import encode_call
from runtime.pallets.grandpa import Grandpa
from runtime.pallets.scheduler.records import Inline
from runtime.pallets.session import Session
from runtime.runtime import Runtime
from tests.simulation.stake_world import (
    NEWCOMER,
    join,
    runtime_of,
)
from tests.simulation.test_set_changes import (
    HALF_SLOT_MS,
    ensure_agreement,
    finalized,
    running,
    set_id,
)
from tests.simulation.world import keys_of

pytestmark = pytest.mark.usefixtures("sharing")

DECIDED = 52
"""The block in which root acts."""
DELAY = 6


def decided_genesis(gone: int) -> dict[bytes, bytes]:
    """A chain on which root takes the first `gone` authorities out, as a vote of the DAO would."""
    keys = keys_of(4)
    genesis = staked_genesis(keys, [NEWCOMER.account])
    ext = Externalities(DictState(genesis))
    runtime = Runtime(ext, DEVNET)
    absent = [key.account for key in keys[:gone]]
    for call in (
        encode_call(Session.disable, absent),
        encode_call(Grandpa.note_stalled, DELAY, 0),
    ):
        runtime.scheduler.schedule_call(DECIDED, Inline(call), ROOT)
    return genesis | {key: value for key, value in ext.changes().items() if value is not None}


def cluster_that_dies(seed: int) -> Cluster:
    """Two of four voters are gone for good just when a newcomer's set is announced."""
    cluster = Cluster(decided_genesis(2), [*keys_of(4), NEWCOMER], seed)
    cluster.run(2_000)
    join(running(cluster.members[2]), NEWCOMER)
    cluster.run(29_000)
    for member in cluster.members[:2]:
        cluster.kill(member)
    return cluster


def best(node: Node) -> int:
    return node.backend.best.number


def test_a_third_dead_across_a_set_change_is_replaced_by_force() -> None:
    cluster = cluster_that_dies(61)
    alive = [running(member) for member in cluster.members[2:]]
    while best(alive[0]) < DECIDED - 1:
        cluster.run(1_000)
    stalled = max(finalized(node) for node in alive)
    assert stalled < DECIDED - 15
    cluster.run(45_000 + HALF_SLOT_MS)
    ensure_agreement(cluster)
    assert min(finalized(node) for node in alive) > DECIDED + DELAY
    assert {set_id(node) for node in alive} == {runtime_of(alive[0]).grandpa.current_set_id.get()}
    gone = {key.account for key in keys_of(2)}
    assert gone.isdisjoint(runtime_of(alive[0]).session.validators.get())
    # Who comes back after all follows, and does not vote.
    cluster.members[0].is_recovery = True
    back = cluster.start(cluster.members[0])
    cluster.run(20_000 + HALF_SLOT_MS)
    ensure_agreement(cluster)
    assert set_id(back) == set_id(alive[0])
    assert finalized(back) > DECIDED + DELAY


def test_a_fresh_node_that_would_warp_waits_for_its_operator_to_choose(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster = cluster_that_dies(63)
    alive = running(cluster.members[2])
    cluster.run(60_000)
    assert finalized(alive) > DECIDED + DELAY
    fresh = cluster.members[0]
    fresh.key, fresh.store, fresh.wants_warp = None, MemoryStore(), True
    node = cluster.start(fresh)
    cluster.run(10_000)
    assert node.is_warping
    assert "--sync full executes all blocks" in caplog.text
    cluster.kill(fresh)
    fresh.wants_warp = False
    node = cluster.start(fresh)
    cluster.run(15_000 + HALF_SLOT_MS)
    ensure_agreement(cluster)
    assert finalized(node) > DECIDED + DELAY
    assert set_id(node) == set_id(alive)
    assert node.history.is_whole
    first = node.backend.blocks.hash_at(1)
    assert first is not None
    assert node.backend.blocks.body(first) is not None


def test_a_node_restarts_between_a_forced_change_and_its_finality() -> None:
    cluster = cluster_that_dies(62)
    alive = running(cluster.members[2])
    while alive.backend.forced_change() is None:
        cluster.run(200)
        assert cluster.hub.now_ms < 120_000
    cluster.kill(cluster.members[2])
    cluster.run(3_000)
    back = cluster.start(cluster.members[2])
    cluster.run(15_000 + HALF_SLOT_MS)
    ensure_agreement(cluster)
    assert finalized(back) > DECIDED + DELAY
