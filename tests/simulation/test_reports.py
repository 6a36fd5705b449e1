"""Who signs twice is reported by the nodes themselves; its stake falls exactly by the formula."""

from __future__ import annotations

import pytest

from flockchain.chain.notifications import Imported
from flockchain.consensus.babe.author import AuthorKey, SlotAuthor
from flockchain.consensus.babe.lottery import VrfKey
from flockchain.node import Node
from flockchain.simulation.cluster import Cluster, Member
from flockchain.sync.messages import encode_announcement
from runtime.pallets.offences import OffenceKind
from runtime.primitives.evidence import VoteEquivocation
from runtime.primitives.grandpa_votes import Prevote, SignedMessage, signing_payload
from runtime.primitives.types import Hash
from tests.simulation.stake_world import STAKE, bonded, runtime_of, staked_cluster
from tests.simulation.world import keys_of, make_cluster

pytestmark = pytest.mark.usefixtures("sharing")

SLOTS = 50
SECOND_SEED = 41


class OnEveryFork:
    """Seals a second block, a millisecond younger, in every slot that it has."""

    stopped_because: str | None = None

    def __init__(self, cluster: Cluster, member: Member) -> None:
        assert member.key is not None
        assert member.node is not None
        node = self.node = member.node
        keys = [
            AuthorKey(
                VrfKey(member.key.public, member.key.vrf_prove, member.key.vrf_evaluate),
                member.key.sign,
            )
        ]
        self.faces = [
            SlotAuthor(node.backend, node.importer, node.pool, keys, cluster.clock, cluster.slot_ms)
            for _ in range(2)
        ]
        self.slots = 0

    def next_slot_ms(self) -> int:
        return self.faces[0].next_slot_ms()

    def on_time(self, now_ms: int) -> tuple[Imported, list[bytes]] | None:
        made = self.faces[0].on_time(now_ms)
        other = self.faces[1].on_time(now_ms + 1)
        if made is None or other is None:
            return made
        self.slots += 1
        self.node.network.publish("block-announces", encode_announcement(made[0].header, made[1]))
        return other


def node_of(cluster: Cluster, place: int) -> Node:
    node = cluster.members[place].node
    assert node is not None
    return node


def test_nothing_at_stake_costs_the_stake_by_the_formula() -> None:
    cluster = staked_cluster(4, seed=SECOND_SEED)
    culprit = cluster.members[0]
    assert culprit.key is not None
    liar = node_of(cluster, 0).author = OnEveryFork(cluster, culprit)
    cluster.run(20_500)
    assert liar.slots == 1  # its blocks are refused since the report
    witness = node_of(cluster, 1)
    # Two sessions at most: w = 1 of W = 4, so (3/4)² of the stake, once for all of its slots.
    assert bonded(witness, culprit.key.account) == STAKE - STAKE * 9 // 16
    cluster.run(1_000 * (SLOTS - 20))
    runtime = runtime_of(witness)
    cases = [case for _, case in runtime.offences.cases.items()]
    assert cases
    assert {each.account for case in cases for each in case.offenders} == {culprit.key.account}
    eras = {each.era for case in cases for each in case.offenders}
    left = STAKE
    for era in sorted(eras):
        exposure = runtime.staking.exposure_of(era, culprit.key.account)
        assert exposure is not None
        left -= min(exposure.total * 9 // 16, left)
    assert bonded(witness, culprit.key.account) == left
    for key in keys_of(4)[1:]:
        assert bonded(witness, key.account) == STAKE
    assert not runtime.staking.is_candidate(culprit.key.account)
    runtime.try_state()


def two_votes(cluster: Cluster) -> VoteEquivocation:
    """What the first authority would have signed twice in round 1 of set 0."""
    key = cluster.members[0].key
    assert key is not None
    signed = []
    for mark in (b"1", b"2"):
        message = Prevote(Hash(mark * 32), 1)
        signed.append(SignedMessage(message, key.sign(signing_payload(message, 1, 0)), key.public))
    return VoteEquivocation(0, 1, *signed)


def test_two_votes_are_reported_once_by_all_who_saw_them() -> None:
    cluster = staked_cluster(4, seed=42)
    cluster.run(3_000)
    evidence = two_votes(cluster)
    for node in cluster.nodes():
        node.backend.notifications.evidence(evidence)
    cluster.run(8_000)
    for node in cluster.nodes():
        [(key, case)] = runtime_of(node).offences.cases.items()
        assert (key.kind, key.number, case.weight) == (OffenceKind.VOTE, 0, STAKE // 10**9)
        assert bonded(node, keys_of(1)[0].account) == STAKE - STAKE * 9 // 16


def test_evidence_waits_for_its_session_and_is_dropped_where_nobody_has_bonded() -> None:
    fixed = make_cluster(2, seed=43)
    fixed.run(3_000)
    node = fixed.nodes()[0]
    node.backend.notifications.evidence(two_votes(fixed))
    fixed.run(3_000)
    assert not list(runtime_of(node).offences.cases.items())
    assert not len(node.pool)
