"""Keys inserted while a node runs: they act when nobody else can, or after a restart."""

from __future__ import annotations

import pytest

from flockchain.inserted_keys import SESSIONS, InsertedKeys, acting_keys
from flockchain.keys import KeyPair
from flockchain.simulation.cluster import Cluster, Member
from tests.simulation.stake_world import NEWCOMER, join, register, runtime_of, staked_cluster
from tests.simulation.test_set_changes import running
from tests.simulation.world import keys_of

SESSION_MS = 10_000


class Watched:
    """A member's node with keys that wait."""

    def __init__(self, cluster: Cluster, member: Member) -> None:
        self.acts: list[bytes] = []
        self.node = running(member)
        self.keys = InsertedKeys(self.node.backend, cluster.clock, cluster.slot_ms, self._act)
        self.node.companions.append(self.keys)

    def _act(self, key_type: str, pair: KeyPair) -> None:
        self.acts.append(pair.public)


def test_a_key_out_of_use_acts_after_whole_sessions() -> None:
    cluster = staked_cluster(1, seed=91)
    cluster.run(3_000)
    watched = Watched(cluster, cluster.members[0])
    assert watched.keys.next_wake_ms() is None
    began = runtime_of(watched.node).babe.current_epoch.get()
    watched.keys.add("babe", NEWCOMER)
    while not watched.acts:
        cluster.run(1_000)
    session = runtime_of(watched.node).babe.current_epoch.get()
    assert session == began + SESSIONS + 1, "the first of them was seen in part"
    assert watched.acts == [NEWCOMER.public]
    assert watched.keys.next_wake_ms() is None


def test_a_key_that_acts_elsewhere_waits_for_a_restart(caplog: pytest.LogCaptureFixture) -> None:
    cluster = staked_cluster(2, seed=92)
    cluster.run(3_000)
    watched = Watched(cluster, cluster.members[0])
    watched.keys.add("gran", keys_of(2)[1])
    cluster.run(4 * SESSION_MS)
    assert watched.acts == []
    assert "stop whoever has it, and restart this node to act with it" in caplog.text


def test_a_key_of_who_is_not_elected_waits_for_a_restart(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its first machine is at work still, and both would act from the next election on."""
    cluster = staked_cluster(1, seed=95)
    cluster.run(3_000)
    watched = Watched(cluster, cluster.members[0])
    register(watched.node, NEWCOMER)
    cluster.run(3_000)
    assert NEWCOMER.public not in acting_keys(runtime_of(watched.node))
    watched.keys.add("babe", NEWCOMER)
    watched.keys.add("gran", NEWCOMER)
    cluster.run(4 * SESSION_MS)
    assert watched.acts == []
    assert caplog.text.count("is registered on the chain") == 2


def test_a_node_that_syncs_learns_first_who_acts(caplog: pytest.LogCaptureFixture) -> None:
    """A validator moves: where its key is inserted, the chain does not know it yet."""
    cluster = staked_cluster(3, seed=93, newcomer=True)
    cluster.run(2_000)
    place = cluster.members[2]
    cluster.kill(place)
    join(running(cluster.members[0]), NEWCOMER)
    place.key = None
    cluster.run(3_000)
    late = cluster.members[3]  # acts with the newcomer's key all the time
    cluster.run(3 * SESSION_MS)
    assert NEWCOMER.public in {
        each.key for each in runtime_of(running(late)).babe.authorities.get()
    }
    cluster.start(place)
    watched = Watched(cluster, place)
    known = {each.key for each in runtime_of(watched.node).babe.authorities.get()}
    assert NEWCOMER.public not in known, "its state is an old one"
    watched.keys.add("babe", NEWCOMER)
    watched.node.on_time()
    assert watched.acts == []
    cluster.run(4 * SESSION_MS)
    assert watched.acts == []
    assert "is registered on the chain, or acts there" in caplog.text


def test_a_gap_in_what_was_seen_begins_the_wait_anew() -> None:
    cluster = staked_cluster(1, seed=94)
    cluster.run(3_000)
    watched = Watched(cluster, cluster.members[0])
    watched.keys.add("babe", NEWCOMER)
    cluster.run(2 * SESSION_MS)
    author, watched.node.author = watched.node.author, None
    cluster.run(2 * SESSION_MS)  # no block tells who acts
    watched.node.author = author
    cluster.run(2 * SESSION_MS)
    assert watched.acts == []
    cluster.run(2 * SESSION_MS)
    assert watched.acts == [NEWCOMER.public]
