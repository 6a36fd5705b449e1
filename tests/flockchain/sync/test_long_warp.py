"""A fresh node warps over many changes of voters, though three of ten peers say what is false."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flockchain.simulation.cluster import Cluster
from flockchain.simulation.long_chain import LongChain
from flockchain.storage.kv import MemoryStore
from flockchain.sync.messages import (
    PROTOCOL_VERSION,
    HistoryRequest,
    PeerStatus,
    decode_blocks,
    decode_request,
    encode_blocks,
)
from flockchain.sync.warp_messages import (
    decode_state_answer,
    decode_warp_answer,
    encode_state_answer,
)
from p2p.interface import Handlers, PeerId, Verdict
from runtime.primitives.types import Hash
from tests.flockchain.sync.test_warp_sync import (
    HISTORY_LIES,
    PROOF_LIES,
    STATE_LIES,
    World,
    ensure_complete,
)

PEERS, LIARS, SET_CHANGES = 10, 3, 20

Serve = Callable[[PeerId, str, bytes], bytes]


def lied(protocol: str, request: bytes, honest: bytes) -> bytes:
    """An answer with something false in it: a proof, a node of the state or a body."""
    if protocol == "warp":
        return PROOF_LIES["another block's proof"][0](decode_warp_answer(honest)).encode()
    if protocol == "state":
        return encode_state_answer(STATE_LIES["a bit turned"][0](decode_state_answer(honest)))
    if protocol != "sync" or not isinstance(decode_request(request), HistoryRequest):
        return honest
    first, *others = decode_blocks(honest)
    return encode_blocks([HISTORY_LIES["another body"][0](first), *others])


def join_liar(world: World, peer: PeerId) -> None:
    """A peer that says it has the whole chain, and answers falsely."""
    source = world.source()
    number, block = source.backend.finalized.number, source.backend.finalized.hash
    status = PeerStatus(source.backend.genesis, PROTOCOL_VERSION, "full", number, block, number)
    serve: Serve = source.on_request
    handlers = Handlers(
        on_gossip=lambda *_: Verdict.IGNORE,
        on_request=lambda asker, protocol, data: lied(protocol, data, serve(asker, protocol, data)),
        on_peer_connected=lambda *_: None,
        on_peer_disconnected=lambda *_: None,
        status=status.encode,
        check_status=lambda *_: None,
    )
    world.cluster.hub.join(peer, handlers)


def crowded(chain: LongChain) -> World:
    """Honest nodes with the chain, places for liars, and a fresh node that warps."""
    cluster = Cluster(chain.genesis, [None] * (PEERS + 1), seed=9)
    for member in cluster.members:
        cluster.kill(member)
    cluster.hub.deliver_until(chain.clock.ms - cluster.clock.now_ms())
    assert isinstance(chain.store, MemoryStore)
    *peers, fresh = cluster.members
    for member in peers[LIARS:]:
        member.store = chain.store.clone()
        cluster.start(member)
    fresh.wants_warp = True
    return World(cluster, peers[LIARS], peers[0], fresh, chain)


@pytest.mark.parametrize("blocks", [500, pytest.param(10_000, marks=pytest.mark.long)])
def test_a_warp_passes_liars(blocks: int) -> None:
    chain = LongChain(changes_every=blocks // (SET_CHANGES + 2))
    chain.grow(blocks)
    assert chain.set_id >= SET_CHANGES
    world = crowded(chain)
    liars = [member.peer for member in world.cluster.members[:LIARS]]
    for peer in liars:
        join_liar(world, peer)
    world.cluster.start(world.fresh)
    reported: list[PeerId] = []
    report = world.node().network.report

    def note(peer: PeerId, change: int, reason: str) -> None:
        reported.append(peer)
        report(peer, change, reason)

    world.node().network.report = note  # type: ignore[method-assign]
    world.run_until(lambda: world.has_warped() and world.node().history.is_whole, seconds=300)
    assert set(reported) == set(liars)
    ensure_complete(world)
    early = world.source().backend.blocks.hash_at(blocks // 2) or Hash(b"")
    assert world.node().backend.blocks.body(early) == world.source().backend.blocks.body(early)
