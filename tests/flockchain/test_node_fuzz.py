"""What a peer sends never leaves the node's doors as anything but a verdict or a PeerError.

Random bytes, mutated messages of an honest node, and the few shapes by which a peer could make a
node forward, remember or ask for what costs the peer nothing.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flockchain.chain.builder import build_block
from flockchain.consensus.babe.seal import seal_header
from flockchain.consensus.early_blocks import BURST, FLOOD_CHANGE
from flockchain.consensus.grandpa.messages import (
    ENVELOPE,
    Envelope,
    GossipVote,
    Prevote,
    SignedMessage,
    VoteMessage,
    signing_payload,
)
from flockchain.consensus.grandpa.waiting import WaitingRoom
from flockchain.consensus.rival_blocks import RIVALS_MAX
from flockchain.node import Node
from flockchain.simulation.cluster import Cluster
from flockchain.sync.messages import (
    BlockData,
    ancestry_request,
    blocks_request,
    catch_up_request,
    encode_announcement,
    encode_extrinsics,
)
from p2p.interface import TOPIC_SIZES_MAX, PeerError, PeerId, Verdict
from runtime.primitives.babe_digest import claim_log, find_claim
from runtime.primitives.header import Digest
from runtime.primitives.types import FML, Hash
from tests.simulation.world import devnet_genesis, keys_of, make_cluster, transfer

PEER = PeerId("stranger")
KEYS = keys_of(2)
Sent = tuple[str, bytes]


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    made = make_cluster(2, seed=5)
    made.run(12_000)
    return made


@pytest.fixture
def node(cluster: Cluster) -> Node:
    return cluster.nodes()[0]


def own_block(node: Node) -> BlockData:
    """The best block, as it was announced."""
    head = node.backend.best.hash
    header, body = node.backend.header(head), node.backend.blocks.body(head)
    assert header is not None
    return BlockData(header, body)


def vote(target: Hash, number: int, round_number: int) -> bytes:
    """A vote that is signed by an authority."""
    message = Prevote(target, number)
    signature = KEYS[1].sign(signing_payload(message, round_number, 0))
    signed = SignedMessage(message, signature, KEYS[1].public)
    return ENVELOPE.encode(Envelope(1, GossipVote(VoteMessage(round_number, 0, signed))))


def samples(node: Node) -> list[Sent]:
    """Good messages of every topic."""
    block, best = own_block(node), node.backend.best
    assert block.body is not None
    paid = transfer(KEYS[0], KEYS[1].account, FML, 0, node.backend.genesis)
    assert node.finality is not None
    return [
        ("block-announces", encode_announcement(block.header, block.body)),
        ("block-announces", encode_announcement(block.header, [bytes(500_000)])),
        ("transactions", encode_extrinsics([paid, paid[:-1]])),
        ("grandpa", vote(best.hash, best.number, node.finality.voter.round_number)),
    ]


def mutate(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """Replace, cut or insert bytes."""
    for place, drop, put in edits:
        at = place % (len(data) + 1)
        data = data[:at] + put + data[at + drop :]
    return data


edits = st.lists(
    st.tuples(st.integers(0, 2**20), st.integers(0, 3), st.binary(max_size=4)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300)
@given(st.sampled_from(sorted(TOPIC_SIZES_MAX)), st.binary(max_size=300))
def test_random_gossip(cluster: Cluster, topic: str, data: bytes) -> None:
    verdict = cluster.nodes()[0].on_gossip(PEER, topic, data)
    assert verdict is not Verdict.ACCEPT


@settings(max_examples=400)
@given(st.integers(0, 3), edits)
def test_mutated_gossip(cluster: Cluster, kind: int, changes: list[tuple[int, int, bytes]]) -> None:
    node = cluster.nodes()[0]
    topic, data = samples(node)[kind]
    assert node.on_gossip(PEER, topic, mutate(data, changes)) in Verdict


@settings(max_examples=300)
@given(st.integers(0, 3), edits, st.integers(0, 2**32 - 1))
def test_mutated_requests(
    cluster: Cluster, kind: int, changes: list[tuple[int, int, bytes]], number: int
) -> None:
    node = cluster.nodes()[0]
    honest = [
        blocks_request(number % 16, 64),
        ancestry_request(node.backend.best.hash, number),
        catch_up_request(number.to_bytes(16, "little")),
        b"",
    ][kind]
    for data in (honest, mutate(honest, changes)):
        try:
            assert isinstance(node.on_request(PEER, "sync", data), bytes)
        except PeerError:
            continue


@settings(max_examples=200)
@given(edits)
def test_mutated_handshakes(cluster: Cluster, changes: list[tuple[int, int, bytes]]) -> None:
    node = cluster.nodes()[0]
    data = mutate(node.status(), changes)
    try:
        node.check_status(PEER, data)
    except PeerError:
        return
    node.on_peer_connected(PEER, data)
    node.on_peer_disconnected(PEER)


def test_a_header_that_nobody_sealed_is_not_forwarded(node: Node) -> None:
    large = [bytes(500_000)]
    header = own_block(node).header
    child = replace(header, parent_hash=header.hash(), number=header.number + 1)
    assert node.on_gossip(PEER, "block-announces", encode_announcement(child, large)) is (
        Verdict.REJECT
    )
    orphan = replace(header, parent_hash=Hash(b"\x07" * 32), number=2**32 - 1)
    assert node.on_gossip(PEER, "block-announces", encode_announcement(orphan, large)) is (
        Verdict.IGNORE
    )


def test_a_batch_with_garbage_costs_its_forwarder(node: Node) -> None:
    genesis = node.backend.genesis
    good = transfer(KEYS[0], KEYS[1].account, FML, 0, genesis)
    assert node.on_gossip(PEER, "transactions", encode_extrinsics([good, b"\x04\xff"])) is (
        Verdict.REJECT
    )


def test_a_peer_makes_us_check_so_many_signatures_and_no_more(node: Node) -> None:
    genesis, checked = node.backend.genesis, 0
    peer = PeerId("spammer")
    forged = [
        transfer(KEYS[0], KEYS[1].account, amount, 0, genesis)[:-1] + b"\x7f"
        for amount in range(FML, FML + 1_100)
    ]
    before = node.pool.submit

    def counted(*args: object, **options: object) -> object:
        nonlocal checked
        checked += 1
        return before(*args, **options)  # type: ignore[arg-type]

    node.pool.submit = counted  # type: ignore[assignment,method-assign]
    try:
        for start in range(0, 1_100, 100):
            batch = encode_extrinsics(forged[start : start + 100])
            assert node.on_gossip(peer, "transactions", batch) is Verdict.IGNORE
    finally:
        node.pool.submit = before  # type: ignore[method-assign]
    assert checked <= 1_024


def test_an_author_fills_no_tree_with_rivals() -> None:
    cluster = Cluster(devnet_genesis(KEYS[:1]), [KEYS[0], None], seed=3)
    cluster.run(5_000)
    watching = cluster.nodes()[1]
    before = len(watching.backend.tree)
    verdicts = [
        watching.on_gossip(PEER, "block-announces", rival_of_best(watching, number))
        for number in range(RIVALS_MAX + 3)
    ]
    assert verdicts == [Verdict.ACCEPT] * (RIVALS_MAX - 1) + [Verdict.IGNORE] * 4
    assert len(watching.backend.tree) == before + RIVALS_MAX - 1


def rival_of_best(node: Node, number: int) -> bytes:
    """Another good block of the best one's slot, by its author."""
    best = own_block(node).header
    parent, claim = node.backend.header(best.parent_hash), find_claim(best)
    assert parent is not None
    assert claim is not None
    built = build_block(
        node.backend.state_at(best.parent_hash),
        best.parent_hash,
        best.number,
        [claim_log(claim)],
        claim.slot * 1_000 + 900 + number,
        [],
        node.importer.verify,
        lambda: False,
        lambda _: None,
    )
    header, _ = node.importer.prepare(built)
    return encode_announcement(seal_header(header, KEYS[0].sign), built.body)


def early_block(node: Node, number: int, body: list[bytes]) -> bytes:
    """A block on the best one of a slot that is far away."""
    best = own_block(node).header
    claim = find_claim(best)
    assert claim is not None
    far = claim_log(replace(claim, slot=claim.slot + 100 + number))
    logs = [far, *best.digest.logs[1:]]  # the seal is the parent's: nobody gets to it
    child = replace(best, parent_hash=best.hash(), number=best.number + 1, digest=Digest(logs))
    return encode_announcement(child, body)


@pytest.mark.parametrize("body", [[], [bytes(500_000)]], ids=["whole", "header"])
def test_early_blocks_are_not_rejected_and_a_flood_of_them_is_blamed(
    node: Node, body: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    blamed: list[tuple[PeerId, int]] = []
    monkeypatch.setattr(
        node.network, "report", lambda peer, change, _: blamed.append((peer, change))
    )
    peer = PeerId(f"ahead {len(body)}")
    for number in range(BURST + 5):
        assert len(blamed) == max(0, number - BURST)
        data = early_block(node, number, body)
        assert node.on_gossip(peer, "block-announces", data) is Verdict.IGNORE
    assert blamed == [(peer, FLOOD_CHANGE)] * 5
    assert node.backend.tree.leaves()[0].hash == node.backend.best.hash


def test_votes_beyond_an_authoritys_share_leave_nothing_behind() -> None:
    room = WaitingRoom()
    for number in range(50):
        message = Prevote(Hash(bytes([number]) * 32), 9)
        signed = SignedMessage(message, bytes(64), KEYS[0].public)
        assert room.hold_vote(VoteMessage(1, 0, signed)) is (number < 2)
    assert len(room.targets()) == len(room) == 2


def test_peers_that_are_gone_are_not_remembered(node: Node) -> None:
    header = replace(own_block(node).header, parent_hash=Hash(b"\x07" * 32))
    target = node.sync.target()
    for number in range(20):
        orphan = encode_announcement(replace(header, number=2**31 + number), [bytes(500_000)])
        node.on_gossip(PeerId(f"gone {number}"), "block-announces", orphan)
    assert node.sync.target() == target


def test_a_known_block_is_not_forwarded_again_in_other_clothes(node: Node) -> None:
    block = own_block(node)
    assert block.body is not None
    for body in ([b"garbage"], block.body, [bytes(500_000)]):
        data = encode_announcement(block.header, body)
        assert node.on_gossip(PEER, "block-announces", data) is Verdict.IGNORE
    good = encode_announcement(block.header, block.body)
    padded = b"\xde\x00" + bytes([good[0] & 0x0F]) + good[1:]  # the map's length in its long form
    assert node.on_gossip(PEER, "block-announces", padded) is Verdict.REJECT
