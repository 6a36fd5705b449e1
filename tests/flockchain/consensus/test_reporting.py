"""Reports: made once the state knows the session, from the state of that session, and bounded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flockchain.consensus.reporting import WAITING_MAX, OffenceReporter
from flockchain.node import Node
from flockchain.pool.errors import AlreadyImported
from flockchain.simulation.cluster import Cluster
from flockchain.storage.errors import StateDiscarded
from flockchain.storage.state_reader import StateReader
from p2p.interface import PeerId
from runtime.frame.extrinsic import decode_extrinsic
from runtime.primitives.evidence import BlockEquivocation, VoteEquivocation
from runtime.primitives.grandpa_votes import Prevote, SignedMessage
from runtime.primitives.types import Hash
from tests.runtime.pallets.staking.stake_world import sealed
from tests.simulation.stake_world import runtime_of, staked_cluster
from tests.simulation.world import keys_of

CULPRIT = keys_of(1)[0]


def votes_of(key: bytes, set_id: int = 0) -> VoteEquivocation:
    """Unsigned: who checks evidence is the chain."""
    one, two = (SignedMessage(Prevote(Hash(m * 32), 1), bytes(64), key) for m in (b"1", b"2"))
    return VoteEquivocation(set_id, 1, one, two)


def blocks_in(slot: int) -> BlockEquivocation:
    one, two = (sealed(CULPRIT, slot, mark) for mark in (1, 2))
    return BlockEquivocation(CULPRIT.public, slot, one, two)


def reporter_of(cluster: Cluster) -> tuple[Node, OffenceReporter, list[bytes]]:
    node, submitted = cluster.nodes()[0], list[bytes]()
    return node, OffenceReporter(node.backend, node.clock, submitted.append), submitted


def test_an_offence_of_an_earlier_session_is_proved_from_its_state() -> None:
    cluster = staked_cluster(2, seed=51)
    cluster.run(25_000)
    node, reporter, submitted = reporter_of(cluster)
    slot = runtime_of(node).babe.genesis_slot.get() + 4
    assert reporter.next_wake_ms() is None
    reporter.note(blocks_in(slot))
    assert reporter.next_wake_ms() == 0
    reporter.on_time()
    (report,) = submitted
    evidence, proof = decode_extrinsic(report).call.arguments
    assert (evidence.slot, proof.session) == (slot, 0)
    assert proof.member.account == CULPRIT.account
    reporter.on_time()
    assert submitted == [report]
    runtime_of(node).offences._check_blocks(evidence, proof)


def test_evidence_of_a_session_to_come_waits_and_is_given_up_at_last() -> None:
    cluster = staked_cluster(2, seed=52)
    cluster.run(3_000)
    node, reporter, submitted = reporter_of(cluster)
    reporter.note(blocks_in(runtime_of(node).babe.genesis_slot.get() + 14))
    reporter.note(votes_of(CULPRIT.public, set_id=9))
    reporter.on_time()
    assert submitted == []
    assert reporter.next_wake_ms() == node.clock.now_ms() + 1_000
    cluster.run(12_000)
    reporter.on_time()
    assert len(submitted) == 1
    for _ in range(60):
        cluster.run(1_000)
        reporter.on_time()
    assert (len(submitted), reporter.next_wake_ms()) == (1, None)


def test_keys_of_nobody_and_slots_before_the_chain_are_dropped() -> None:
    cluster = staked_cluster(2, seed=53)
    cluster.run(3_000)
    node, reporter, submitted = reporter_of(cluster)
    reporter.note(votes_of(b"x" * 32))
    reporter.note(blocks_in(runtime_of(node).babe.genesis_slot.get() - 1))
    reporter.on_peer_connected(PeerId("peer"))
    reporter.on_time()
    reporter.on_peer_disconnected(PeerId("peer"))
    assert (submitted, reporter.next_wake_ms()) == ([], None)


def test_refused_reports_and_lost_states_end_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = staked_cluster(2, seed=54)
    cluster.run(3_000)
    node, _, _ = reporter_of(cluster)

    def refuse(data: bytes) -> None:
        raise AlreadyImported("known")

    reporter = OffenceReporter(node.backend, node.clock, refuse)
    reporter.note(votes_of(CULPRIT.public))
    reporter.on_time()
    assert reporter.next_wake_ms() is None

    def lost(block: Hash) -> StateReader:
        raise StateDiscarded("pruned")

    monkeypatch.setattr(node.backend, "state_at", lost)
    reporter.note(votes_of(CULPRIT.public))
    reporter.on_time()
    assert reporter.next_wake_ms() is None


def test_only_so_much_waits() -> None:
    cluster = staked_cluster(2, seed=55)
    cluster.run(1_000)
    _, reporter, _ = reporter_of(cluster)
    for number in range(WAITING_MAX + 3):
        reporter.note(replace(votes_of(CULPRIT.public), round=number))
    assert len(reporter._waiting) == WAITING_MAX
