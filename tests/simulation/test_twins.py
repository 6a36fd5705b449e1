"""Two nodes with one key, and a node that lost its database: whole nodes, nobody signs twice."""

from __future__ import annotations

import pytest

from flockchain.simulation.cluster import Cluster
from flockchain.simulation.staked import staked_genesis
from flockchain.storage.kv import MemoryStore
from runtime.frame.pallet import encode_call
from runtime.pallets.offences import CaseKey
from runtime.pallets.staking import Staking, ValidatorPrefs
from runtime.primitives.per_things import Perbill
from tests.simulation.stake_world import NEWCOMER, runtime_of, signed_call
from tests.simulation.test_cluster import running
from tests.simulation.world import keys_of

pytestmark = pytest.mark.usefixtures("sharing")


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


def until_voter(cluster: Cluster, key: bytes, *, is_voter: bool) -> None:
    """Sessions pass until the key is among the voters, or is not."""
    node = running(cluster.members[0])
    assert node.finality is not None
    while (key in node.finality.authorities) is not is_voter:
        cluster.run(1_000)
        assert cluster.hub.now_ms < 200_000


def test_a_second_node_with_a_key_that_is_elected_later_hears_the_first_and_stops() -> None:
    """At its start the key was silent, so there was nothing to hear."""
    keys = keys_of(4)
    cluster = Cluster(staked_genesis(keys, []), [*keys, keys[3]], seed=53)
    *_, first, twin = cluster.members
    cluster.kill(twin)
    cluster.run(6_000)
    node = running(first)
    node.submit(signed_call(node, keys[3], 0, encode_call(Staking.chill)))
    until_voter(cluster, keys[3].public, is_voter=False)
    twin.store = MemoryStore()
    second = cluster.start(twin)
    cluster.run(5_000)
    assert second.finality is not None
    assert not second.finality.voter.is_observing
    candidate = encode_call(Staking.validate, ValidatorPrefs(Perbill(0)))
    node.submit(signed_call(node, keys[3], 1, candidate))
    until_voter(cluster, keys[3].public, is_voter=True)
    cluster.run(5_000)
    assert second.stopped_because is not None
    assert "another node s" in second.stopped_because
    assert node.stopped_because is None
    assert cases(cluster) == []
    before = max(final(cluster))
    cluster.run(8_000)
    assert min(final(cluster)) >= before + 5
