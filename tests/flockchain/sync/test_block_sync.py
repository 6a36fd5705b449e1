"""A fresh node catches up over the network, from honest peers and past lying ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flockchain.chain.errors import BelowFinality
from flockchain.consensus.babe.seal import seal_header
from flockchain.node import Node
from flockchain.simulation.cluster import Cluster
from flockchain.storage.kv import MemoryStore
from flockchain.sync.messages import (
    PROTOCOL_VERSION,
    BlockData,
    BlocksRequest,
    PeerStatus,
    decode_blocks,
    decode_request,
    encode_blocks,
)
from flockchain.sync.serve import serve_blocks
from p2p.interface import Handlers, PeerError, PeerId, Refused, Verdict
from runtime.primitives.types import Hash
from tests.simulation.world import devnet_genesis, keys_of

BLOCKS = 300
KEYS = keys_of(1)

Lie = Callable[[BlockData], BlockData]


@pytest.fixture(scope="module")
def grown() -> MemoryStore:
    """The disk of an authority that made `BLOCKS` blocks on its own."""
    cluster = Cluster(devnet_genesis(KEYS), [KEYS[0]], seed=1)
    cluster.run(BLOCKS * cluster.slot_ms)
    assert cluster.nodes()[0].backend.best.number >= BLOCKS - 1
    return cluster.members[0].store


def joined(store: MemoryStore) -> tuple[Cluster, Node]:
    """An honest node that has the chain and makes no more blocks, and a fresh one."""
    cluster = Cluster(devnet_genesis(KEYS), [None, None, None], seed=2)
    for member in cluster.members:
        cluster.kill(member)
    cluster.hub.deliver_until(BLOCKS * cluster.slot_ms)
    honest, fresh, _ = cluster.members
    honest.store = store.clone()
    source = cluster.start(honest)
    assert source.backend.finalized.number > BLOCKS - 10
    return cluster, cluster.start(fresh)


def test_a_fresh_node_catches_up(grown: MemoryStore) -> None:
    cluster, fresh = joined(grown)
    cluster.run(3_000)
    source = cluster.nodes()[0]
    assert fresh.backend.best == source.backend.best
    assert fresh.backend.finalized == source.backend.finalized
    assert not fresh.sync.is_syncing()
    header = fresh.backend.header(fresh.backend.best.hash)
    assert header is not None
    fresh.backend.state.reader(header.state_root)


def wrong_state_root(block: BlockData) -> BlockData:
    """Sealed by the very author, so that only execution shows the lie."""
    header = replace(block.header, state_root=Hash(b"\x07" * 32))
    return replace(block, header=seal_header(header, KEYS[0].sign))


def wrong_body(block: BlockData) -> BlockData:
    return replace(block, body=[*(block.body or []), b"\x04more"])


def wrong_number(block: BlockData) -> BlockData:
    return replace(block, header=replace(block.header, number=block.header.number + 1))


def no_body(block: BlockData) -> BlockData:
    return replace(block, body=None)


def wrong_proof(block: BlockData) -> BlockData:
    return replace(block, justification=b"\x00" * 40)


def join_liar(cluster: Cluster, answer: Callable[[bytes], bytes]) -> PeerId:
    """A peer that says it has the longest chain."""
    peer, genesis = cluster.members[2].peer, cluster.nodes()[0].backend.genesis
    status = PeerStatus(genesis, PROTOCOL_VERSION, "full", 9_000, Hash(b"\x08" * 32), 0)
    cluster.hub.join(
        peer,
        Handlers(
            on_gossip=lambda *_: Verdict.IGNORE,
            on_request=lambda _peer, _protocol, data: answer(data),
            on_peer_connected=lambda *_: None,
            on_peer_disconnected=lambda *_: None,
            status=status.encode,
            check_status=lambda *_: None,
        ),
    )
    return peer


def tampered(source: Node, lie: Lie, place: int) -> Callable[[bytes], bytes]:
    """Answers as `source` gives them, with a lie told about the block at `place`."""

    def answer(data: bytes) -> bytes:
        request = decode_request(data)
        if not isinstance(request, BlocksRequest):
            raise PeerError("no finality here")
        blocks = decode_blocks(serve_blocks(source.backend, request))
        if len(blocks) > place:
            blocks[place] = lie(blocks[place])
        return encode_blocks(blocks)

    return answer


def test_a_peer_that_went_to_a_shorter_chain_is_asked_for_it(grown: MemoryStore) -> None:
    """It has more primary slots, so it is the better one; what the peer had before is here."""
    cluster, fresh = joined(grown)
    cluster.run(3_000)
    best, final = fresh.backend.best, fresh.backend.finalized
    assert final.number + 1 < best.number
    peer, shorter = PeerId("peer"), Hash(b"\x05" * 32)
    fresh.sync.on_peer(peer, best.number, best.hash)
    assert fresh.sync._asked is None, "all of it is here"
    fresh.sync.on_peer(peer, final.number + 1, shorter)
    assert fresh.sync._asked == peer


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        (wrong_state_root, "state root 0x"),
        (wrong_body, "extrinsics root 0x"),
        (wrong_number, "block 5 where 4 was asked for"),
        (no_body, "block 4 where 4 was asked for"),
        (wrong_proof, "proof of block 4: "),
    ],
)
def test_a_liar_is_reported_and_the_sync_finishes_from_another(
    grown: MemoryStore, lie: Lie, reason: str
) -> None:
    cluster, fresh = joined(grown)
    source = cluster.nodes()[0]
    reported: list[tuple[PeerId, str]] = []
    report = fresh.network.report

    def note(peer: PeerId, change: int, reason: str) -> None:
        reported.append((peer, reason))
        report(peer, change, reason)

    fresh.network.report = note  # type: ignore[method-assign]
    liar = join_liar(cluster, tampered(source, lie, 3))
    cluster.run(8_000)
    assert fresh.backend.best == source.backend.best
    assert {peer for peer, _ in reported} == {liar}
    assert reported[0][1].startswith(f"false blocks: {reason}")


def test_nobody_is_to_blame_for_blocks_that_finality_passed_meanwhile(
    grown: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, fresh = joined(grown)
    reported: list[str] = []
    monkeypatch.setattr(fresh.network, "report", lambda *args: reported.append(args[2]))
    import_block = fresh.sync._import_block

    def refuse_once(block: BlockData) -> None:
        fresh.sync._import_block = import_block
        raise BelowFinality("block 1 forks off below the finalized block")

    fresh.sync._import_block = refuse_once
    cluster.run(8_000)
    assert fresh.backend.best == cluster.nodes()[0].backend.best
    assert reported == []


def test_a_babbling_peer_does_not_stop_the_sync(grown: MemoryStore) -> None:
    cluster, fresh = joined(grown)
    join_liar(cluster, lambda _: b"\xc1")
    cluster.run(4_000)
    assert fresh.backend.best == cluster.nodes()[0].backend.best


def test_an_operator_is_told_when_all_who_have_more_say_that_they_give_nothing(
    grown: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    sync = joined(grown)[1].sync
    sync.is_resting = True
    one, two, behind = PeerId("one"), PeerId("two"), PeerId("behind")
    for peer in (one, two):
        sync.on_peer(peer, 9_000, Hash(b"\x08" * 32))
    refusal = Refused("the extrinsics are pruned here")
    sync._take(one, 1, refusal)
    sync._take(two, 1, PeerError("no answer from two within 10000 ms"))
    assert "no peer gives" not in caplog.text, "one of them may have it"
    sync._take(two, 1, refusal)
    assert "no peer gives block 1 (the extrinsics are pruned here)" in caplog.text
    caplog.clear()
    sync.on_peer(behind, 0, Hash(b"\x09" * 32))
    for peer in (one, two):
        sync.on_peer_disconnected(peer)
    sync._take(behind, 2, refusal)
    assert "no peer gives" not in caplog.text, "nobody has more"
