"""Frames of the request protocols: a length, then a body.

It owns the byte layout of requests (u32 length, body) and responses (u8 code, u32 length, body),
big endian, and the exact reader. Invariant: a length is checked before its body is read.
Source: WP II.A (peer-to-peer layer); libp2p request-response
"""

from typing import Final, Protocol

from p2p.interface import REQUEST_SIZE_MAX, RESPONSE_SIZE_MAX, PeerError, Refused

READ_SIZE: Final = 64 * 1024
LENGTH_SIZE: Final = 4
CODE_ANSWERED: Final = 0
CODE_REFUSED: Final = 1
REASON_SIZE_MAX: Final = 512
"""A refusal's reason in bytes of UTF-8; longer ones are cut."""


class ByteStream(Protocol):
    """The reading half of a stream."""

    async def read(self, n: int) -> bytes:
        """At least one and at most `n` bytes; empty at the end."""


class StreamEnded(PeerError):
    """The other side closed the stream before a frame was complete."""


class FrameReader:
    """Reads exact amounts, however small the pieces are that arrive."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._buffer = bytearray()

    async def exact(self, count: int) -> bytes:
        """The next `count` bytes. Raises: StreamEnded."""
        while len(self._buffer) < count:
            piece = await self._stream.read(READ_SIZE)
            if not piece:
                raise StreamEnded(f"stream ended {count - len(self._buffer)} bytes too early")
            self._buffer += piece
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def request_length(self) -> int:
        """The length of the next request. Raises: PeerError: above the limit."""
        length = int.from_bytes(await self.exact(LENGTH_SIZE), "big")
        if length > REQUEST_SIZE_MAX:
            raise PeerError(f"request of {length} bytes, at most {REQUEST_SIZE_MAX} are allowed")
        return length

    async def response(self) -> bytes:
        """The body of the next response.

        Raises: Refused: the other side refused; PeerError: a malformed frame.
        """
        code = (await self.exact(1))[0]
        length = int.from_bytes(await self.exact(LENGTH_SIZE), "big")
        limit = RESPONSE_SIZE_MAX if code == CODE_ANSWERED else REASON_SIZE_MAX
        if code not in (CODE_ANSWERED, CODE_REFUSED) or length > limit:
            raise PeerError(f"malformed response: code {code}, {length} bytes")
        body = await self.exact(length)
        if code == CODE_REFUSED:
            raise Refused(body.decode("utf-8", "replace"))
        return body


def request_frame(body: bytes) -> bytes:
    """The frame of a request."""
    return len(body).to_bytes(LENGTH_SIZE, "big") + body


def response_frame(answer: bytes | PeerError) -> bytes:
    """The frame of an answer or a refusal."""
    if isinstance(answer, PeerError):
        code, body = CODE_REFUSED, str(answer).encode()[:REASON_SIZE_MAX]
    elif len(answer) > RESPONSE_SIZE_MAX:
        code, body = CODE_REFUSED, b"the response is too large"
    else:
        code, body = CODE_ANSWERED, answer
    return bytes([code]) + len(body).to_bytes(LENGTH_SIZE, "big") + body
