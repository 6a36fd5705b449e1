"""Blobs between nodes with stores on disk: liars, lost peers, queues, deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from flockchain.blobs import BlobBusyError, BlobNameError, BlobStore
from flockchain.blobs.exchange import PREFETCH_MS, WANTED_MAX, BlobFetcher
from p2p.interface import Handlers, PeerError, PeerId, Verdict
from p2p.memory import MemoryHub
from p2p.memory_node import MemoryNetwork
from runtime.primitives.content_id import CHUNK_BYTES, ContentId, content_id

CLIENT = PeerId("client")
SERVERS = [PeerId("server1"), PeerId("server2")]
CONTENT = Random(3).randbytes(5 * CHUNK_BYTES + 17)
BLOB = content_id(CONTENT)
AHEAD_MAX = 4_000


class HubClock:
    """The hub's virtual time."""

    def __init__(self, hub: MemoryHub) -> None:
        self._hub = hub

    def now_ms(self) -> int:
        return self._hub.now_ms


class Peer:
    """One node: a store on disk, a fetcher, and a count of what it was asked."""

    network: MemoryNetwork
    fetcher: BlobFetcher

    def __init__(self, hub: MemoryHub, name: PeerId, path: Path) -> None:
        self.name = name
        self.store = BlobStore(path, size_max_bytes=1 << 24, blob_max_bytes=1 << 23)
        self.served = 0
        self.corrupt: Callable[[bytes], bytes] = lambda answer: answer
        self.network = hub.join(
            name,
            Handlers(
                on_gossip=lambda *_: Verdict.IGNORE,
                on_request=self.serve,
                on_peer_connected=lambda peer, _: self.fetcher.on_peer_connected(peer),
                on_peer_disconnected=lambda peer: self.fetcher.on_peer_disconnected(peer),
                status=lambda: b"",
                check_status=lambda *_: None,
            ),
        )
        self.fetcher = BlobFetcher(self.network, self.store, HubClock(hub), AHEAD_MAX)

    def serve(self, peer: PeerId, _protocol: str, data: bytes) -> bytes:
        self.served += 1
        return self.corrupt(self.fetcher.on_request(peer, data))


class Net:
    """A client linked to two servers, on virtual time."""

    def __init__(self, path: Path) -> None:
        self.hub = MemoryHub(Random(1), lambda prng, *_: 5 + prng.randrange(20))
        self.peers = {name: Peer(self.hub, name, path / name) for name in (CLIENT, *SERVERS)}
        self.client = self.peers[CLIENT]
        for server in SERVERS:
            self.hub.connect(CLIENT, server)
        self.run(100)

    def run(self, duration_ms: int) -> None:
        self.run_until(lambda: False, duration_ms)

    def run_until(self, is_done: Callable[[], bool], duration_ms: int) -> None:
        end_ms = self.hub.now_ms + duration_ms
        while not is_done():
            times = [end_ms, self.hub.next_event_ms(), self.client.fetcher.next_wake_ms()]
            step_ms = min(time_ms for time_ms in times if time_ms is not None)
            if step_ms >= end_ms:
                return self.hub.deliver_until(end_ms)
            self.hub.deliver_until(max(step_ms, self.hub.now_ms))
            self.client.fetcher.on_time()

    def fetch(
        self, blob: bytes = BLOB, size_max: int = 1 << 23, time_ms: int = 5_000
    ) -> list[bool]:
        results: list[bool] = []
        self.client.fetcher.fetch_then(blob, size_max, time_ms, results.append)
        return results

    def held(self) -> int:
        """Chunks of the blob that the client has."""
        if BLOB not in self.client.store.ids():
            return 0
        return 6 - len(self.client.store.chunks_missing(BLOB))


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    net = Net(tmp_path)
    yield net
    for peer in net.peers.values():
        peer.store.close()


def test_a_blob_comes_to_the_disk_and_is_served_on(net: Net) -> None:
    for server in SERVERS:
        net.peers[server].store.put(CONTENT)
    results = net.fetch()
    net.run(1_000)
    assert results == [True]
    assert net.client.store.get(BLOB) == CONTENT
    assert min(net.peers[server].served for server in SERVERS) >= 2
    assert net.fetch() == [True]  # at once, since it is here
    assert net.client.fetcher.next_wake_ms() is None


def test_a_peer_that_lies_about_a_chunk_is_banned_and_another_finishes(net: Net) -> None:
    for server in SERVERS:
        net.peers[server].store.put(CONTENT)
    net.peers[SERVERS[0]].corrupt = lambda answer: (
        answer[:-1] + b"?" if len(answer) == CHUNK_BYTES else answer
    )
    results = net.fetch()
    net.run(2_000)
    assert results == [True]
    assert net.client.store.get(BLOB) == CONTENT
    assert net.client.network.banned_until_ms(SERVERS[0]) is not None
    assert net.client.network.reputation(SERVERS[1]) == 0


def test_a_peer_that_vanishes_midway_is_replaced_and_the_fetch_goes_on(net: Net) -> None:
    net.peers[SERVERS[0]].store.put(CONTENT)
    results = net.fetch(time_ms=60_000)
    net.run_until(lambda: net.held() >= 2, 1_000)
    net.hub.leave(SERVERS[0])
    net.run(3_000)
    held = net.held()
    assert 2 <= held < 6
    assert results == []
    net.peers[SERVERS[1]].served = 0
    net.peers[SERVERS[1]].store.put(CONTENT)
    net.run(20_000)
    assert results == [True]
    assert net.client.store.get(BLOB) == CONTENT
    assert net.peers[SERVERS[1]].served == 6 - held  # no chunk came twice


def test_what_nobody_has_is_given_up_at_the_deadline(net: Net) -> None:
    early, late = net.fetch(time_ms=3_000), net.fetch(time_ms=9_000)
    net.run(2_900)
    assert early == []
    net.run(200)
    assert (early, late) == ([False], [])
    net.run(7_000)
    assert late == [False]
    assert net.client.fetcher.wanted() == []
    assert net.client.network.reputation(SERVERS[0]) == 0


def test_a_blob_above_the_size_wanted_is_refused_until_more_is_allowed(net: Net) -> None:
    net.peers[SERVERS[0]].store.put(CONTENT)
    small = net.fetch(size_max=CHUNK_BYTES)
    net.run(1_000)
    assert small == [False]
    assert net.client.store.ids() == []
    enough = net.fetch()
    net.run(1_000)
    assert enough == [True]


def test_a_blob_that_the_store_has_no_room_for_is_refused(net: Net) -> None:
    net.client.store.put(bytes(1 << 23), pin=True)
    net.client.store.put(bytes((1 << 23) - 4 * CHUNK_BYTES), pin=True)
    net.peers[SERVERS[0]].store.put(CONTENT)
    results = net.fetch()
    net.run(1_000)
    assert results == [False]


def test_announced_blobs_come_ahead_of_need_from_their_provider(net: Net) -> None:
    blobs = [net.peers[SERVERS[1]].store.put(bytes([n]) * 1_000) for n in range(10)]
    for blob in blobs:
        net.client.fetcher.prefetch(blob, 1_000, SERVERS[1])
    net.run(2_000)
    assert all(net.client.store.has(blob) for blob in blobs)
    assert [net.peers[server].served for server in SERVERS] == [0, 20]
    assert net.client.fetcher.wanted() == []


def test_the_queue_ahead_is_bounded_and_gives_way(net: Net) -> None:
    net.hub.drop_ppm = 1_000_000
    net.client.fetcher.prefetch(BLOB, AHEAD_MAX + 1, SERVERS[0])
    assert net.client.fetcher.wanted() == []
    for number in range(WANTED_MAX + 5):
        net.client.fetcher.prefetch(number.to_bytes(32, "big"), 1_000, SERVERS[0])
    assert len(net.client.fetcher.wanted()) == WANTED_MAX
    net.hub.drop_ppm = 0
    net.peers[SERVERS[0]].store.put(CONTENT)
    results = net.fetch()
    net.run(1_000)
    assert results == [True]
    net.run(PREFETCH_MS)
    assert net.client.fetcher.wanted() == []


def test_a_blob_fetched_ahead_may_be_asked_for_with_more_room(net: Net) -> None:
    content = bytes(3_000)
    blob = net.peers[SERVERS[0]].store.put(content)
    net.client.fetcher.prefetch(blob, 10, SERVERS[0])  # its announcement lied about the size
    results = net.fetch(blob)
    net.run(3_000)
    assert results == [True]


def test_no_more_is_wanted_than_can_be_kept_track_of(net: Net) -> None:
    for number in range(WANTED_MAX):
        net.fetch(number.to_bytes(32, "big"))
    with pytest.raises(BlobBusyError, match=r"^128 blobs are wanted already$"):
        net.fetch()
    with pytest.raises(BlobNameError, match=r"^a content id is 32 bytes$"):
        net.fetch(b"short")


def test_requests_for_what_is_not_here_are_refused(net: Net) -> None:
    with pytest.raises(PeerError):
        net.client.fetcher.on_request(SERVERS[0], b"\x80")


def test_fetch_is_awaited_and_cancelled(net: Net) -> None:
    net.peers[SERVERS[0]].store.put(CONTENT)

    async def main() -> None:
        task = asyncio.ensure_future(net.client.fetcher.fetch(BLOB, 1 << 23, 5_000))
        await asyncio.sleep(0)
        net.run(1_000)
        assert await task
        absent: ContentId = content_id(b"absent")
        task = asyncio.ensure_future(net.client.fetcher.fetch(absent, 10, 60_000))
        await asyncio.sleep(0)
        assert net.client.fetcher.wanted() == [absent]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert net.client.fetcher.wanted() == []

    asyncio.run(main())
