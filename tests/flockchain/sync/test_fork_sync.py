"""Blocks that votes are for and no best chain brings are asked for, each in its turn."""

from __future__ import annotations

from random import Random

from flockchain.sync.fork_sync import ForkSync
from flockchain.sync.messages import AncestryRequest, BlockData, decode_request, encode_blocks
from p2p.interface import Handlers, PeerId
from p2p.memory import MemoryHub
from runtime.primitives.types import Hash
from tests.flockchain.chain.chain_fixture import FIRST, Place
from tests.flockchain.sync.answering import HubClock, answering

NOBODY_HAS = [Hash(bytes([number]) * 32) for number in range(40)]
PEERS = tuple(PeerId(name) for name in ("one", "two", "three"))
TURN_MS = 500


def test_votes_for_blocks_that_nobody_has_keep_no_other_block_away() -> None:
    place = Place()
    block, body = place.make(place.grow(2)[-1], FIRST + 3)
    asked: list[tuple[PeerId, Hash]] = []
    came: list[BlockData] = []
    hub = MemoryHub(Random(1), lambda *_: 10)

    def handlers(name: PeerId) -> Handlers:
        def answer(_peer: PeerId, _protocol: str, data: bytes) -> bytes:
            request = decode_request(data)
            assert isinstance(request, AncestryRequest)
            asked.append((name, request.head))
            is_here = request.head == block.hash() and name == PEERS[0]
            return encode_blocks([BlockData(block, body)] if is_here else [])

        return answering(answer)

    network = hub.join(PeerId("ours"), handlers(PeerId("ours")))
    for peer in PEERS:
        hub.connect(PeerId("ours"), peer)
        hub.join(peer, handlers(peer))
    hub.deliver_until(1_000)
    forks = ForkSync(place.backend, network, HubClock(hub), came.append)
    wanted = [*NOBODY_HAS, block.hash()]
    turns = len(wanted) * len(PEERS)
    for turn in range(turns):
        forks.want(wanted)
        hub.deliver_until(1_000 + (turn + 1) * TURN_MS)
    assert len(asked) == turns
    assert set(asked) == {(peer, head) for peer in PEERS for head in wanted}
    assert [data.header for data in came] == [block]
