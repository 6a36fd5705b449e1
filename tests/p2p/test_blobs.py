"""Blob exchange over the network in memory: several peers, liars, resumption."""

from random import Random

import pytest

from p2p.blobs import IN_FLIGHT_PER_PEER_MAX, BlobExchange, BlobRefused
from p2p.envelope import encode
from p2p.interface import MALFORMED_CHANGE, PeerError, PeerId
from p2p.memory import MemoryHub
from p2p.memory_node import MemoryNetwork
from runtime.primitives.content_id import CHUNK_BYTES, ContentId, Manifest
from tests.p2p.blob_store import MemoryBlobs
from tests.p2p.recorder import Recorder

CLIENT = PeerId("client")
SERVERS = [PeerId("server1"), PeerId("server2")]
CONTENT = Random(3).randbytes(5 * CHUNK_BYTES + 17)


class Setup:
    """One client linked to two servers that hold the blob."""

    def __init__(self) -> None:
        self.hub = MemoryHub(Random(1), lambda prng, *_: 5 + prng.randrange(20))
        self.stores: dict[PeerId, MemoryBlobs] = {}
        self.nodes: dict[PeerId, Recorder] = {}
        self.nets: dict[PeerId, MemoryNetwork] = {}
        self.exchanges: dict[PeerId, BlobExchange] = {}
        for peer in (CLIENT, *SERVERS):
            node = self.nodes[peer] = Recorder()
            self.nets[peer] = self.hub.join(peer, node)
            self.stores[peer] = MemoryBlobs()
            exchange = self.exchanges[peer] = BlobExchange(self.nets[peer], self.stores[peer])
            node.serve = lambda _p, _n, data, exchange=exchange: exchange.on_request(data)  # type: ignore[misc]
        for peer in SERVERS:
            self.blob = self.stores[peer].add(CONTENT)
            self.hub.connect(CLIENT, peer)
        self.run(100)

    def run(self, duration_ms: int) -> None:
        self.hub.deliver_until(self.hub.now_ms + duration_ms)

    def fetch(self, *peers: PeerId, size_max: int = 10**9) -> list[Manifest | PeerError]:
        results: list[Manifest | PeerError] = []
        self.exchanges[CLIENT].fetch(self.blob, peers, size_max, results.append)
        return results


def test_a_blob_comes_from_both_servers() -> None:
    setup = Setup()
    asked: dict[PeerId, int] = dict.fromkeys(SERVERS, 0)
    for peer in SERVERS:
        serve = setup.nodes[peer].serve

        def count(p: PeerId, n: str, data: bytes, peer: PeerId = peer, serve=serve) -> bytes:  # type: ignore[no-untyped-def]
            asked[peer] += 1
            return bytes(serve(p, n, data))

        setup.nodes[peer].serve = count
    results = setup.fetch(*SERVERS)
    setup.run(1_000)
    assert [type(result) for result in results] == [Manifest]
    assert setup.stores[CLIENT].content(setup.blob) == CONTENT
    assert sorted(setup.stores[CLIENT].written) == list(range(6))
    assert min(asked.values()) >= 2
    assert setup.exchanges[CLIENT].progress(setup.blob) is None


def test_a_liar_is_reported_and_the_honest_peer_finishes() -> None:
    setup = Setup()
    store = setup.stores[SERVERS[0]]
    store.chunks = {key: chunk[:-1] + b"?" for key, chunk in store.chunks.items()}
    results = setup.fetch(*SERVERS)
    setup.run(1_000)
    assert [type(result) for result in results] == [Manifest]
    assert setup.stores[CLIENT].content(setup.blob) == CONTENT
    assert setup.nets[CLIENT].banned_until_ms(SERVERS[0]) is not None
    assert setup.nets[CLIENT].reputation(SERVERS[1]) == 0


def test_a_lost_peer_ends_the_fetch_and_the_next_one_resumes() -> None:
    setup = Setup()
    results = setup.fetch(SERVERS[0])
    while len(setup.stores[CLIENT].written) < 3:
        event_ms = setup.hub.next_event_ms()
        assert event_ms is not None
        setup.hub.deliver_until(event_ms)
    assert setup.exchanges[CLIENT].progress(setup.blob) == (3, 6)
    setup.exchanges[CLIENT].on_peer_disconnected(SERVERS[0])
    assert [str(result) for result in results] == [f"no peer serves blob {setup.blob.hex()}"]
    setup.run(500)
    again = setup.fetch(SERVERS[1])
    setup.run(1_000)
    assert [type(result) for result in again] == [Manifest]
    assert sorted(setup.stores[CLIENT].written) == list(range(6))


def test_a_peer_without_the_blob_and_one_too_large() -> None:
    setup = Setup()
    small = setup.fetch(SERVERS[0], size_max=CHUNK_BYTES)
    setup.run(1_000)
    assert [str(result) for result in small] == [
        f"blob {setup.blob.hex()} has {len(CONTENT)} bytes, at most {CHUNK_BYTES} are wanted"
    ]
    assert not setup.stores[CLIENT].manifests
    setup.blob = ContentId(bytes(32))
    unknown = setup.fetch(*SERVERS)
    setup.run(1_000)
    assert [str(result) for result in unknown] == [f"no peer serves blob {'00' * 32}"]


def test_a_store_without_room_ends_the_fetch_and_blames_nobody() -> None:
    setup = Setup()
    setup.stores[CLIENT].size_max = 100
    results = setup.fetch(*SERVERS)
    setup.run(1_000)
    assert [type(result) for result in results] == [BlobRefused]
    assert setup.nets[CLIENT].reputation(SERVERS[0]) == 0


def test_another_manifest_is_a_lie() -> None:
    setup = Setup()
    other = setup.stores[SERVERS[0]].add(b"other")
    manifests = setup.stores[SERVERS[0]].manifests
    manifests[setup.blob] = manifests[other]
    results = setup.fetch(SERVERS[0])
    setup.run(1_000)
    assert [str(result) for result in results] == [f"no peer serves blob {setup.blob.hex()}"]
    assert setup.nets[CLIENT].reputation(SERVERS[0]) == MALFORMED_CHANGE


def test_requests_in_flight_are_limited() -> None:
    setup = Setup()
    asked = 0

    def silent(_peer: PeerId, _protocol: str, data: bytes) -> bytes:
        nonlocal asked
        asked += 1
        return setup.exchanges[SERVERS[0]].on_request(data)

    setup.nodes[SERVERS[0]].serve = silent
    setup.stores[CLIENT].manifests = dict(setup.stores[SERVERS[0]].manifests)
    setup.hub.drop_ppm = 0
    results = setup.fetch(SERVERS[0])
    setup.hub.drop_ppm = 1_000_000  # the answers are lost
    setup.run(1_000)
    assert asked == IN_FLIGHT_PER_PEER_MAX
    setup.exchanges[CLIENT].cancel(setup.blob)
    assert [str(r) for r in results] == [f"fetch of blob {setup.blob.hex()} was cancelled"]


@pytest.mark.parametrize("index", [-2, 6, 2**33])
def test_odd_requests_are_refused(index: int) -> None:
    setup = Setup()
    with pytest.raises(PeerError):
        setup.exchanges[SERVERS[0]].on_request(encode({"blob": setup.blob, "index": index}))
