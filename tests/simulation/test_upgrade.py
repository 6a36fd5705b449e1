"""An upgrade of whole nodes: all stop after the same block, and go on when they are updated."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from unittest.mock import Mock

import pytest

from flockchain.chain.errors import OtherRelease
from flockchain.node import Node
from flockchain.pool.errors import NoState
from flockchain.resting_chain import ChainNotOpened, open_backend
from flockchain.simulation.cluster import Cluster, Member
from flockchain.simulation.network.behaviours.catalogue import BEHAVIOURS
from flockchain.simulation.network.plan import Fault, Plan, draw_plan
from flockchain.simulation.network.releases import NEW, OLD
from flockchain.simulation.network.shared_checks import shared_checks
from flockchain.simulation.network.world import World, play
from flockchain.storage.kv import MemoryStore
from flockchain.sync.messages import BlockData, encode_extrinsics
from genesis.spec import ChainSpec
from p2p.interface import PeerId, Verdict
from runtime.api import runtime_at
from runtime.pallets.treasury import Treasury
from runtime.pallets.upgrades import Upgrade, Upgrades
from runtime.primitives.types import Hash
from runtime.runtime import Runtime
from tests.simulation.world import devnet_genesis, keys_of

LAST = 6
RELEASE = Hash(b"r" * 32)
SLOTS = 40_000  # ms
QUICK_SEEDS = 2
LONG_SEEDS = 60


def new_cluster(seed: int) -> Cluster:
    keys = keys_of(4)
    made = Upgrades.scheduled.value_codec.encode(Upgrade(2, RELEASE, LAST))
    return Cluster({**devnet_genesis(keys), Upgrades.scheduled.path(): made}, [*keys, None], seed)


def running(member: Member) -> Node:
    assert member.node is not None
    return member.node


def heads(cluster: Cluster) -> set[int]:
    return {node.backend.best.number for node in cluster.nodes()}


def update(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was started before ran the old release, what starts from now on runs the new one."""
    monkeypatch.setattr("runtime.api.SPEC_VERSION", 2)
    monkeypatch.setattr(Runtime, "spec_version", 2)
    monkeypatch.setattr(Treasury, "stored_version", 2)
    monkeypatch.setattr(
        Treasury, "migrations", {1: lambda pallet: pallet.ext.put(b"migrated", b"1")}
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_old_nodes_stop_and_go_on_when_updated(
    seed: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = new_cluster(seed)
    cluster.run(SLOTS)
    assert heads(cluster) == {LAST}, "nobody makes or takes a block above it"
    for node in cluster.nodes():
        assert node.release.outdated is not None
        assert node.release.outdated.startswith(
            "the chain runs spec version 2, this release has 1: install the release with hash 0x72"
        )
    assert "block 6 is the last of this release: install the one of spec version 2" in caplog.text
    assert {node.backend.finalized.number for node in cluster.nodes()} == {LAST}
    for member in cluster.members:  # a restart of the old release changes nothing
        cluster.kill(member)
        cluster.start(member)
    cluster.run(SLOTS)
    assert heads(cluster) == {LAST}
    for member in cluster.members:
        cluster.kill(member)
    update(monkeypatch)
    for member in cluster.members:
        cluster.start(member)
    cluster.run(SLOTS)
    assert min(heads(cluster)) > LAST + 5
    finalized = [node.backend.finalized.number for node in cluster.nodes()]
    assert min(finalized) > LAST, "what was made before the upgrade is final too"
    shared = min(finalized)
    assert len({node.backend.blocks.hash_at(shared) for node in cluster.nodes()}) == 1
    for node in cluster.nodes():
        assert node.backend.state_at(node.backend.best.hash).get(b"migrated") == b"1"


def split_before_the_end(cluster: Cluster) -> None:
    """Two halves that each make a last block of their own, then one network again."""
    peers = [member.peer for member in cluster.members]
    while max(heads(cluster)) < LAST - 2:
        cluster.run(100)
    cluster.hub.partition([peers[:2], peers[2:]])
    cluster.run(SLOTS)
    cluster.hub.heal()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_two_last_blocks_one_becomes_final_by_the_old_release(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = new_cluster(seed)
    split_before_the_end(cluster)
    apart = {node.backend.best.hash for node in cluster.nodes()}
    assert heads(cluster) == {LAST}
    assert len(apart) == 2, "each half rests on a last block of its own"
    cluster.run(SLOTS)
    for node in cluster.nodes():
        assert node.backend.finalized.number == LAST
        assert node.is_release_over
    assert len({node.backend.finalized.hash for node in cluster.nodes()}) == 1
    for member in cluster.members:
        cluster.kill(member)
    update(monkeypatch)
    for member in cluster.members:
        cluster.start(member)
    cluster.run(SLOTS)
    assert min(node.backend.finalized.number for node in cluster.nodes()) > LAST
    assert len({node.backend.finalized.hash for node in cluster.nodes()}) <= 2


def test_who_rests_makes_nothing_takes_no_extrinsic_and_is_not_updated_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = new_cluster(1)
    split_before_the_end(cluster)
    member = cluster.members[0]
    node = running(member)
    assert node.release.resting is not None
    assert node.release.outdated is None
    assert runtime_at(node.backend.state_at(node.backend.best.hash)).preset.name == "devnet"
    with pytest.raises(NoState, match="an upgrade is under way, send it afterwards"):
        node.submit(b"")
    gossip = encode_extrinsics([b"whatever"])
    assert node.on_gossip(PeerId("someone"), "transactions", gossip) is Verdict.IGNORE
    spec = Mock(spec_set=ChainSpec)
    spec.genesis_top.return_value = cluster.genesis
    assert open_backend(member.store, spec, None).best.number == LAST, "the old one goes on"
    update(monkeypatch)
    with pytest.raises(ChainNotOpened) as caught:
        open_backend(member.store, spec, None)
    assert str(caught.value) == (
        "block 6 of an older release is not final yet: start that release again with this "
        "database; it ends when its last block is final"
    )


def test_the_proof_of_the_last_block_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = new_cluster(2)
    cluster.run(SLOTS)
    for member in cluster.members:
        cluster.kill(member)
    update(monkeypatch)
    for member in cluster.members:
        cluster.start(member)
    cluster.run(SLOTS)
    backend = running(cluster.members[0]).backend
    last = backend.blocks.hash_at(LAST)
    assert backend.finalized.number > LAST + 1
    assert last is not None
    assert backend.blocks.justification(last) is not None
    before = backend.blocks.hash_at(LAST - 1)
    assert before is not None
    assert backend.blocks.justification(before) is None


def test_a_fresh_node_of_the_new_release_warps_from_the_old_genesis(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = new_cluster(5)
    cluster.run(SLOTS)
    for member in cluster.members:
        cluster.kill(member)
    update(monkeypatch)
    fresh, *others = reversed(cluster.members)
    for member in others:
        cluster.start(member)
    cluster.run(SLOTS)
    fresh.store, fresh.wants_warp = MemoryStore(), True
    spec = Mock(spec_set=ChainSpec)
    spec.genesis_top.return_value = cluster.genesis
    with pytest.raises(ChainNotOpened, match="the older release goes on until the upgrade"):
        open_backend(MemoryStore(), spec, None)
    assert open_backend(MemoryStore(), spec, None, wants_warp=True).best.number == 0
    node = cluster.start(fresh)
    cluster.run(SLOTS)
    assert not node.is_release_over
    assert node.backend.finalized.number > LAST + 16
    assert node.backend.best.number >= max(heads(cluster)) - 1
    assert node.backend.state_at(node.backend.best.hash).get(b"migrated") == b"1"


def test_a_crash_while_the_first_block_is_made_repeats_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = new_cluster(3)
    cluster.run(SLOTS)
    for member in cluster.members:
        cluster.kill(member)
    update(monkeypatch)
    first, *others = cluster.members
    cluster.start(first)
    cluster.run(3_000)
    cluster.kill(first)  # its blocks are its own: a majority has to go on
    for member in others:
        cluster.start(member)
    cluster.run(SLOTS)
    cluster.start(first)
    cluster.run(SLOTS)
    assert min(node.backend.finalized.number for node in cluster.nodes()) > LAST
    assert len({node.backend.finalized.hash for node in cluster.nodes()}) <= 2


def test_a_block_of_the_next_release_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = new_cluster(4)
    cluster.run(SLOTS)
    author, reader = cluster.members[0], cluster.members[-1]
    cluster.kill(author)
    with monkeypatch.context() as patch:
        update(patch)
        cluster.start(author)
        backend = running(author).backend
        for _ in range(60):
            cluster.hub.deliver_until(cluster.hub.now_ms + 1_000)
            running(author).on_time()
            if backend.best.number > LAST:
                break
        found = backend.header(backend.best.hash)
        body = backend.blocks.body(backend.best.hash)
    assert found is not None
    assert body is not None
    assert found.number == LAST + 1
    with pytest.raises(OtherRelease, match="block 7: the chain runs spec version 2"):
        running(reader).importer.import_block(found, body)
    node, sent = running(reader), BlockData(found, body)
    assert node._on_announcement(PeerId("next"), sent) is Verdict.IGNORE
    assert not node._held, "it never falls due here"


@pytest.mark.parametrize("seed", range(QUICK_SEEDS))
def test_an_upgrade_under_faults(seed: int) -> None:
    plan = replace(draw_plan(seed, nodes=4, slots=70), upgrade_after=15)
    outcome = play(plan)
    assert [*outcome.safety, *outcome.liveness] == [], json.dumps(plan.as_document())
    assert outcome.finalized > plan.upgrade_after


@pytest.mark.parametrize("seed", range(2_000, 2_000 + LONG_SEEDS))
@pytest.mark.long
def test_many_upgrades_under_faults(seed: int) -> None:
    nodes = 4 + seed % 7
    names = Random(f"liars {seed}").choices(list(BEHAVIOURS), k=seed % ((nodes - 1) // 3 + 1))
    drawn = draw_plan(seed, nodes=nodes, byzantine=names)
    plan = replace(drawn, upgrade_after=5 + seed % 40)
    outcome = play(plan)
    assert [*outcome.safety, *outcome.liveness] == [], json.dumps(plan.as_document())


def test_who_was_away_makes_the_others_last_block_final_by_the_old_release() -> None:
    """It made a last block of its own; all others are updated when it is back."""
    away = Fault("isolate", 6_000, 45_000, (3,))
    plan = Plan(seed=5, nodes=4, slots=90, faults=(away,), calm_slots=45, upgrade_after=LAST + 4)
    with shared_checks():
        world = World(plan)
        world.run_until(44_900)
        late, *others = world.seats[3], *world.seats[:3]
        assert late.node is not None
        assert late.node.backend.best.number == plan.upgrade_after
        assert late.node.backend.finalized.number < plan.upgrade_after
        assert [seat.release for seat in (late, *others)] == [OLD, NEW, NEW, NEW]
        for seat in others:
            assert seat.node is not None
            assert seat.node.backend.finalized.number > plan.upgrade_after
            final = seat.node.backend.blocks.hash_at(plan.upgrade_after)
            assert final != late.node.backend.best.hash
    outcome = play(plan)
    assert [*outcome.safety, *outcome.liveness] == []
