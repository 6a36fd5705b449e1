"""Sync at the end of a release: it cannot go up, so it asks below for the proof that it lacks."""

from __future__ import annotations

from random import Random

from flockchain.chain.errors import OtherRelease
from flockchain.sync.block_sync import BlockSync
from flockchain.sync.messages import BlockData, BlocksRequest, decode_request, encode_blocks
from p2p.interface import PeerId
from p2p.memory import MemoryHub
from runtime.primitives.types import Hash
from tests.flockchain.chain.chain_fixture import FIRST, Place
from tests.flockchain.sync.answering import HubClock, answering

LAST, FINAL = 5, 2
PASSED_OVER_MS = 3_000


def test_who_rests_on_a_last_block_asks_for_its_proof() -> None:
    place = Place()
    blocks = place.grow(LAST)
    place.backend.finalize(blocks[FINAL - 1])
    beyond, body = place.make(blocks[-1], FIRST + LAST + 1)
    asked: list[int] = []

    def answer(_peer: PeerId, _protocol: str, data: bytes) -> bytes:
        request = decode_request(data)
        assert isinstance(request, BlocksRequest)
        asked.append(request.start)
        return encode_blocks([BlockData(beyond, body)] if request.start == LAST + 1 else [])

    def refuse(_block: BlockData) -> None:
        raise OtherRelease("block 6: the chain runs another release")

    hub = MemoryHub(Random(1), lambda *_: 10)
    updated, resting = PeerId("updated"), PeerId("resting")
    hub.connect(updated, resting)
    hub.join(updated, answering(answer))
    network = hub.join(resting, answering(answer))
    hub.deliver_until(1_000)
    sync = BlockSync(place.backend, network, HubClock(hub), refuse)
    sync.on_peer(updated, LAST + 9, Hash(b"?" * 32))
    hub.deliver_until(2_000)
    assert asked == [LAST + 1]
    hub.deliver_until(2_000 + PASSED_OVER_MS)
    sync.poke()
    hub.deliver_until(3_000 + PASSED_OVER_MS)
    assert asked == [LAST + 1, FINAL + 1]
