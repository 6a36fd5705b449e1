"""Two nodes with one key, and a node that lost its database: whole nodes, nobody signs twice."""

from __future__ import annotations

from flockchain.simulation.cluster import Cluster
from flockchain.simulation.staked import staked_genesis
from flockchain.storage.kv import MemoryStore
from runtime.pallets.offences import CaseKey
from tests.simulation.stake_world import NEWCOMER, runtime_of
from tests.simulation.test_cluster import running
from tests.simulation.world import keys_of


def cases(cluster: Cluster) -> list[CaseKey]:
    """The offences on chain, as any node sees them."""
    return [key for node in cluster.nodes() for key, _ in runtime_of(node).offences.cases.items()]


def final(cluster: Cluster) -> list[int]:
    return [node.backend.finalized.number for node in cluster.nodes()]


def test_a_second_node_with_a_key_in_use_stops_and_the_first_goes_on() -> None:
    keys = keys_of(4)
    cluster = Cluster(staked_genesis(keys, [NEWCOMER.account]), [*keys, keys[3]], seed=51)
    twin = cluster.members[4]
    cluster.kill(twin)
    twin.store = MemoryStore()
    cluster.run(8_000)
    second = cluster.start(twin)
    cluster.run(12_000)
    assert second.stopped_because is not None
    assert "with the key of this one" in second.stopped_because
    assert running(cluster.members[3]).stopped_because is None
    assert cases(cluster) == []
    assert min(final(cluster)) >= 12
    assert second.backend.finalized.number >= 12  # it follows the chain all the same


def test_a_validator_that_lost_its_database_comes_back_by_recovery() -> None:
    keys = keys_of(4)
    cluster = Cluster(staked_genesis(keys, [NEWCOMER.account]), [*keys], seed=52)
    cluster.run(8_000)
    victim = cluster.members[1]
    cluster.kill(victim)
    victim.store = MemoryStore()
    cluster.run(1_000)
    refused = cluster.start(victim)
    cluster.run(6_000)
    assert refused.stopped_because is not None
    cluster.kill(victim)
    victim.store, victim.is_recovery = MemoryStore(), True
    back = cluster.start(victim)
    cluster.run(10_000)
    assert back.stopped_because is None
    cluster.kill(cluster.members[2])  # three of four are left: each vote is needed
    before = max(final(cluster))
    cluster.run(10_000)
    assert min(final(cluster)) >= before + 5
    assert cases(cluster) == []
