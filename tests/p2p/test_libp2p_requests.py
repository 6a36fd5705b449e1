"""The serving side on trio's virtual clock: answers keep to their rates of bytes."""

from __future__ import annotations

from types import SimpleNamespace

import trio
from trio.testing import MockClock

from p2p.frames import request_frame
from p2p.libp2p_requests import ALL_BYTES_PER_S, PEER_BYTES_PER_S, RequestServer

ANSWER = bytes(1 << 20)


class Stream:
    """A stream on which a peer sends requests as fast as they are read."""

    def __init__(self, peer: str, requests: int) -> None:
        self.muxed_conn = SimpleNamespace(peer_id=peer)
        self.sent_bytes = 0
        self._left = requests

    async def read(self, n: int) -> bytes:
        await trio.lowlevel.checkpoint()
        self._left -= 1
        return request_frame(b"ask") if self._left >= 0 else b""

    async def write(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.sent_bytes += len(data)

    async def reset(self) -> None:
        await trio.lowlevel.checkpoint()


async def answer(peer: object, protocol: str, body: bytes) -> bytes:
    return ANSWER


def seconds_for(streams: list[tuple[str, Stream]]) -> float:
    """Virtual seconds until all streams are served."""

    async def main() -> float:
        began_s = trio.current_time()
        server = RequestServer(answer, lambda *_: None)
        async with trio.open_nursery() as nursery:
            for protocol, stream in streams:
                nursery.start_soon(server.serve, protocol, stream)
        return trio.current_time() - began_s

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def test_a_peer_gets_its_rate_after_a_burst() -> None:
    stream = Stream("peer", 64)
    spent_s = seconds_for([("sync", stream)])
    expected_s = 64 * len(ANSWER) / PEER_BYTES_PER_S - 1
    assert abs(spent_s - expected_s) < 0.1
    assert stream.sent_bytes >= 64 * len(ANSWER)


def test_several_streams_of_a_peer_share_its_rate() -> None:
    spent_s = seconds_for([("blob", Stream("peer", 16)) for _ in range(4)])
    assert abs(spent_s - (64 * len(ANSWER) / PEER_BYTES_PER_S - 1)) < 0.1


def test_all_peers_share_a_protocol_and_protocols_do_not_wait_for_each_other() -> None:
    count = 2 * ALL_BYTES_PER_S // PEER_BYTES_PER_S
    each = PEER_BYTES_PER_S // len(ANSWER)
    streams = [("state", Stream(f"peer{index}", each)) for index in range(count)]
    assert seconds_for([*streams[:1], ("sync", Stream("peer0", each))]) < 0.1
    streams = [("state", Stream(f"peer{index}", each)) for index in range(count)]
    assert abs(seconds_for(streams) - 1) < 0.1
