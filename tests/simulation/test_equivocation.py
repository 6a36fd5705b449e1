"""Who seals two blocks for one slot is named once by every node, and finality goes on."""

from __future__ import annotations

import logging
import re

import pytest

from flockchain.chain.notifications import Imported
from flockchain.consensus.babe.author import AuthorKey, SlotAuthor
from flockchain.consensus.babe.lottery import VrfKey
from flockchain.node import Node
from flockchain.simulation.cluster import Cluster, Member
from flockchain.sync.messages import encode_announcement
from runtime.primitives.types import FML
from tests.simulation.world import key_of, keys_of, make_cluster, transfer

pytestmark = pytest.mark.usefixtures("sharing")


class TwoFaced:
    """Seals a second block, without the extrinsics of the first, the first time it has any."""

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
        self.twice: list[Imported] = []

    def next_slot_ms(self) -> int:
        return self.faces[0].next_slot_ms()

    def on_time(self, now_ms: int) -> tuple[Imported, list[bytes]] | None:
        made = self.faces[0].on_time(now_ms)
        if made is None or len(made[1]) == 1 or self.twice:
            return made
        self.node.network.publish("block-announces", encode_announcement(made[0].header, made[1]))
        other = self.faces[1].on_time(now_ms)
        assert other is not None
        self.twice = [made[0], other[0]]
        return other


def count_named(nodes: list[Node]) -> list[list[str]]:
    """What each node will have been told, by node."""
    told: list[list[str]] = [[] for _ in nodes]
    for node, kinds in zip(nodes, told, strict=True):
        node.backend.notifications.on_equivocation.append(kinds.append)
    return told


def test_a_second_block_for_a_slot_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    cluster = make_cluster(4, seed=11)
    told = count_named(cluster.nodes())
    culprit, sender = cluster.members[0], keys_of(1)[0]
    assert culprit.node is not None
    liar = culprit.node.author = TwoFaced(cluster, culprit)
    cluster.run(2_000)
    genesis = culprit.node.backend.genesis
    culprit.node.submit(transfer(sender, key_of("dest").account, FML, 0, genesis))
    cluster.run(20_500)
    assert liar.twice, "the seed is one for which the culprit takes the transfer"
    assert told == [["block"]] * 4
    assert culprit.key is not None
    one, two = (f"0x{imported.hash.hex()}" for imported in liar.twice)
    named = re.compile(
        f"author 0x{culprit.key.public.hex()} equivocated in slot [0-9]+: "
        f"({one} and {two}|{two} and {one})"
    )
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 4
    assert all(named.fullmatch(line) for line in lines)
    assert len({node.backend.best.hash for node in cluster.nodes()}) == 1
    assert min(node.backend.finalized.number for node in cluster.nodes()) >= 15


def test_nobody_is_named_after_a_restart_and_blocks_seen_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    cluster = make_cluster(3, seed=12)
    told = count_named(cluster.nodes())
    for member in cluster.members:
        cluster.run(4_000)
        cluster.kill(member)
        cluster.run(700)
        told += count_named([cluster.start(member)])
        cluster.run(4_000)
    assert [kind for kinds in told for kind in kinds] == []
    assert caplog.records == []
