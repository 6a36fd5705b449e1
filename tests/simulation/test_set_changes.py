"""Authorities come and go, and finality goes on: under the new set, for those who were away too."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from flockchain.chain.backend import Backend
from flockchain.chain.block_file import FiledBlock
from flockchain.chain.block_import import ImportRefused, import_blocks
from flockchain.consensus.grandpa.messages import BlockRef
from flockchain.consensus.grandpa.proof_import import finalize_by_proof
from flockchain.node import Node
from flockchain.resting_chain import filed_blocks
from flockchain.simulation.cluster import Cluster, Member
from runtime.frame.pallet import encode_call
from runtime.pallets.staking import Staking
from runtime.primitives.grandpa_votes import find_set_change
from tests.simulation.stake_world import (
    NEWCOMER,
    join,
    runtime_of,
    signed_call,
    staked_cluster,
)

pytestmark = pytest.mark.usefixtures("sharing")

HALF_SLOT_MS = 500
ERA_MS = 30_000


def running(member: Member) -> Node:
    assert member.node is not None
    return member.node


def finalized(node: Node) -> int:
    return node.backend.finalized.number


def set_id(node: Node) -> int:
    assert node.finality is not None
    return node.finality.authorities.set_id


def ensure_agreement(cluster: Cluster) -> None:
    """One finalized chain, and every head a few blocks above it."""
    nodes = cluster.nodes()
    lowest = min(finalized(node) for node in nodes)
    assert len({node.backend.blocks.hash_at(lowest) for node in nodes}) == 1
    assert all(node.backend.best.number - finalized(node) <= 6 for node in nodes)
    for node in nodes:
        runtime_of(node).try_state()


def test_a_newcomer_makes_and_finalizes_blocks_from_its_era_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="flockchain.consensus.babe.author")
    cluster = staked_cluster(3, seed=31, newcomer=True)
    cluster.run(2_000)
    join(running(cluster.members[0]), NEWCOMER)
    cluster.run(2 * ERA_MS + HALF_SLOT_MS)
    ensure_agreement(cluster)
    node = cluster.nodes()[0]
    assert [set_id(each) for each in cluster.nodes()] == [1] * 4
    assert NEWCOMER.account in runtime_of(node).session.validators.get()
    assert runtime_of(node).staking.eras_blocks.get((1, NEWCOMER.account)) > 0
    left = f"is left to whoever else may have the key 0x{NEWCOMER.public.hex()}"
    assert caplog.text.count(left) == caplog.text.count("is left to") == 1
    # Three of four are needed now: the newcomer's vote counts.
    cluster.kill(cluster.members[0])
    cluster.run(10_000)
    ensure_agreement(cluster)


def test_who_was_cut_off_at_a_change_gets_its_proof() -> None:
    cluster = staked_cluster(4, seed=32, newcomer=True)
    cluster.run(2_000)
    join(running(cluster.members[0]), NEWCOMER)
    cluster.run(26_500)  # just before the third session ends, which announces the change
    peers = [member.peer for member in cluster.members]
    cluster.hub.partition([peers[:1], peers[1:]])
    cluster.run(15_000)
    alone = running(cluster.members[0])
    assert (set_id(alone), set_id(running(cluster.members[1]))) == (0, 1)
    cluster.hub.heal()
    cluster.run(10_000)
    assert [set_id(node) for node in cluster.nodes()] == [1] * 5
    ensure_agreement(cluster)


def test_who_starts_late_follows_all_changes() -> None:
    cluster = staked_cluster(3, seed=33, newcomer=True)
    late = cluster.members[2]
    cluster.run(2_000)
    join(running(cluster.members[0]), NEWCOMER)
    cluster.kill(late)  # not needed by the others: two of three are no supermajority
    cluster.run(3_000)
    cluster.start(late)
    cluster.run(ERA_MS)
    node = running(cluster.members[0])
    node.submit(signed_call(node, NEWCOMER, 3, encode_call(Staking.chill)))
    cluster.kill(late)
    cluster.run(2 * ERA_MS)
    back = cluster.start(late)
    cluster.run(12_000 + HALF_SLOT_MS)
    assert set_id(back) == 2
    assert NEWCOMER.account not in runtime_of(back).session.validators.get()
    ensure_agreement(cluster)


def test_a_node_restarts_between_announcement_and_finality_of_a_change() -> None:
    cluster = staked_cluster(3, seed=34, newcomer=True)
    cluster.run(2_000)
    join(running(cluster.members[0]), NEWCOMER)
    cluster.run(27_000)
    while (
        running(cluster.members[0]).backend.first_change(cluster.nodes()[0].backend.best.hash)
        is None
    ):
        cluster.run(100)
        assert cluster.hub.now_ms < 40_000, "the change is announced in the first block of an era"
    cluster.kill(cluster.members[0])
    cluster.run(1_000)
    back = cluster.start(cluster.members[0])
    cluster.run(15_000 + HALF_SLOT_MS)
    assert set_id(back) == 1
    ensure_agreement(cluster)


def test_a_proof_from_behind_a_change_waits_for_that_of_the_change() -> None:
    """Blocks came by gossip, without proofs; the newest proof says nothing to the old set."""
    cluster = staked_cluster(2, seed=35, newcomer=True)
    cluster.run(2_000)
    join(running(cluster.members[0]), NEWCOMER)
    cluster.run(40_000 + HALF_SLOT_MS)
    source = running(cluster.members[0]).backend
    watching = Cluster(cluster.genesis, [None], seed=1)
    watching.run(cluster.hub.now_ms)
    (node,) = watching.nodes()
    for number in range(1, source.finalized.number + 1):
        block = source.blocks.hash_at(number)
        assert block is not None
        header, body = source.header(block), source.blocks.body(block)
        assert header is not None
        assert body is not None
        node.importer.import_block(header, body)
    change = node.backend.first_change(node.backend.best.hash)
    assert change is not None
    assert node.finality is not None

    def prove(block: BlockRef) -> None:
        proof = source.blocks.justification(block.hash)
        assert proof is not None
        assert node.finality is not None
        node.finality.on_justification(block, proof)

    newest = BlockRef(source.finalized.hash, source.finalized.number)
    prove(newest)
    assert (finalized(node), set_id(node)) == (0, 0)
    prove(BlockRef(change.hash, change.number))
    assert (finalized(node), set_id(node)) == (change.number, 1)
    prove(newest)
    assert finalized(node) == newest.number


def test_a_file_of_blocks_carries_finality_over_a_change() -> None:
    cluster = staked_cluster(2, seed=35, newcomer=True)
    cluster.run(2_000)
    join(running(cluster.members[0]), NEWCOMER)
    cluster.run(40_000 + HALF_SLOT_MS)
    source = running(cluster.members[0]).backend
    change = next(number for number in range(1, 99) if _is_change(source, number))
    blocks = list(filed_blocks(source, 1, source.best.number))

    def import_all(filed: list[FiledBlock]) -> Backend:
        importing = Cluster(cluster.genesis, [None], seed=1)
        importing.run(cluster.hub.now_ms)
        importer = importing.nodes()[0].importer

        def settle(block: FiledBlock) -> None:
            if block.justification is not None:
                finalize_by_proof(importer.backend, block.header, block.justification)

        assert all(import_blocks(importer, filed, settle))
        return importer.backend

    made = import_all(blocks)
    assert (made.best, made.finalized) == (source.best, source.finalized)
    assert made.blocks.justification(blocks[change - 1].header.hash()) is not None
    blocks[change - 1] = replace(blocks[change - 1], justification=None)
    with pytest.raises(ImportRefused, match=f"lies behind the change of voters in {change}"):
        import_all(blocks)


def _is_change(backend: Backend, number: int) -> bool:
    block = backend.blocks.hash_at(number)
    header = None if block is None else backend.header(block)
    return header is not None and find_set_change(header) is not None
