"""Length-prefixed frames over a pair of pipes, each with a deadline.

Owns the parent's side of the talk with a sandboxed process. Invariant: no call blocks past its
deadline, whatever the other side does, and no frame above the caller's limit is read.
Source: WP V.D (validators run submissions of strangers).
"""

from __future__ import annotations

import os
import select
import time
from typing import BinaryIO, Final

LENGTH_BYTES: Final = 8
_READ_BYTES: Final = 1 << 20


class ChannelError(Exception):
    """The talk with the other process ended early."""


class ChannelTimeoutError(ChannelError):
    """The deadline passed."""


class ChannelClosedError(ChannelError):
    """The other process closed its end."""


class Channel:
    """Frames to `writer` and from `reader`, two unbuffered pipes that it makes non-blocking."""

    def __init__(self, writer: BinaryIO, reader: BinaryIO) -> None:
        self._writer = writer
        self._reader = reader
        os.set_blocking(writer.fileno(), False)
        os.set_blocking(reader.fileno(), False)

    def send(self, payload: bytes, timeout_s: float) -> None:
        """Send one frame. Raises `ChannelTimeoutError`, `ChannelClosedError`."""
        deadline = time.monotonic() + timeout_s
        for part in (len(payload).to_bytes(LENGTH_BYTES, "little"), payload):
            view = memoryview(part)
            while view:
                _wait(self._writer, select.POLLOUT, deadline)
                try:
                    written = os.write(self._writer.fileno(), view)
                except BrokenPipeError as error:
                    raise ChannelClosedError("the other process stopped reading") from error
                view = view[written:]

    def receive(self, size_bytes_max: int, timeout_s: float) -> bytes:
        """Receive one frame. Raises `ChannelTimeoutError`, `ChannelClosedError`.

        A frame above the limit is a `ChannelError`.
        """
        deadline = time.monotonic() + timeout_s
        size_bytes = int.from_bytes(self._read_exactly(LENGTH_BYTES, deadline), "little")
        if size_bytes > size_bytes_max:
            raise ChannelError(f"frame of {size_bytes} bytes is above {size_bytes_max}")
        return self._read_exactly(size_bytes, deadline)

    def _read_exactly(self, size_bytes: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        while size_bytes:
            _wait(self._reader, select.POLLIN, deadline)
            part = os.read(self._reader.fileno(), min(size_bytes, _READ_BYTES))
            if not part:
                raise ChannelClosedError("the other process closed its end")
            parts.append(part)
            size_bytes -= len(part)
        return b"".join(parts)


def _wait(pipe: BinaryIO, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(pipe, event)
    remaining_ms = max(0, int((deadline - time.monotonic()) * 1000))
    if not poll.poll(remaining_ms):
        raise ChannelTimeoutError("the deadline passed")


def write_frame(pipe: BinaryIO, payload: bytes) -> None:
    """Write one frame and flush, blocking: the sandboxed side."""
    pipe.write(len(payload).to_bytes(LENGTH_BYTES, "little") + payload)
    pipe.flush()


def read_frame(pipe: BinaryIO, size_bytes_max: int) -> bytes | None:
    """Read one frame, blocking; None at the end of the pipe. Raises `ChannelError`."""
    prefix = pipe.read(LENGTH_BYTES)
    if not prefix:
        return None
    size_bytes = int.from_bytes(prefix, "little")
    if len(prefix) < LENGTH_BYTES or size_bytes > size_bytes_max:
        raise ChannelError(f"frame of {size_bytes} bytes is above {size_bytes_max}")
    payload = pipe.read(size_bytes)
    if len(payload) < size_bytes:
        raise ChannelClosedError("the pipe ended inside a frame")
    return payload
