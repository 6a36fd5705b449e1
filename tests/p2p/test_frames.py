"""Frames of requests and responses, however they are cut."""

import asyncio

import pytest

from p2p.frames import FrameReader, Refused, StreamEnded, request_frame, response_frame
from p2p.interface import REQUEST_SIZE_MAX, RESPONSE_SIZE_MAX, PeerError


class Pieces:
    """A stream that hands out its bytes a few at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._pieces = [data[at : at + size] for at in range(0, len(data), size)]

    async def read(self, n: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def response(data: bytes, size: int = 3) -> bytes:
    return asyncio.run(FrameReader(Pieces(data, size)).response())


def test_exact_reads_survive_any_cut() -> None:
    body = bytes(range(256)) * 40
    for size in (1, 7, 100_000):
        assert response(response_frame(body), size) == body

    async def request() -> bytes:
        reader = FrameReader(Pieces(request_frame(b"abc") + request_frame(b"de"), 2))
        first = await reader.exact(await reader.request_length())
        return first + await reader.exact(await reader.request_length())

    assert asyncio.run(request()) == b"abcde"


def test_a_refusal_carries_its_reason() -> None:
    with pytest.raises(Refused) as caught:
        response(response_frame(PeerError("pruned")))
    assert str(caught.value) == "pruned"
    with pytest.raises(Refused, match="the response is too large"):
        response(response_frame(bytes(RESPONSE_SIZE_MAX + 1)))
    with pytest.raises(Refused) as caught:
        response(response_frame(PeerError("é" * 5_000)))
    assert len(str(caught.value).encode()) <= 515


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0\0\0\0\5ab", "stream ended 3 bytes too early"),
        (b"\0\0\x10\0\1", "malformed response: code 0, 1048577 bytes"),
        (b"\1\0\0\2\1", "malformed response: code 1, 513 bytes"),
        (b"\2\0\0\0\0", "malformed response: code 2, 0 bytes"),
    ],
)
def test_bad_responses_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(PeerError) as caught:
        response(data)
    assert str(caught.value) == message


def test_a_long_request_is_refused_before_its_body() -> None:
    async def read(length: int) -> int:
        return await FrameReader(Pieces(length.to_bytes(4, "big"), 4)).request_length()

    assert asyncio.run(read(REQUEST_SIZE_MAX)) == REQUEST_SIZE_MAX
    with pytest.raises(PeerError, match="request of 65537 bytes, at most 65536 are allowed"):
        asyncio.run(read(REQUEST_SIZE_MAX + 1))
    with pytest.raises(StreamEnded):
        asyncio.run(FrameReader(Pieces(b"", 1)).request_length())
