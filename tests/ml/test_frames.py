"""Frames over pipes: deadlines and limits hold whatever the other side does."""

from __future__ import annotations

import io
import os
from typing import BinaryIO

import pytest

from ml.frames import (
    Channel,
    ChannelClosedError,
    ChannelError,
    ChannelTimeoutError,
    read_frame,
    write_frame,
)


def pipe() -> tuple[BinaryIO, BinaryIO]:
    """Both ends of a pipe, unbuffered: to read, to write."""
    reader, writer = os.pipe()
    return os.fdopen(reader, "rb", buffering=0), os.fdopen(writer, "wb", buffering=0)


def test_there_and_back() -> None:
    reader, writer = pipe()
    with reader, writer:
        channel = Channel(writer, reader)
        for payload in (b"", b"abc", bytes(60_000)):
            channel.send(payload, 1.0)
            assert channel.receive(60_000, 1.0) == payload


def test_a_reader_that_sleeps_and_a_writer_that_is_silent() -> None:
    reader, writer = pipe()
    with reader, writer:
        channel = Channel(writer, reader)
        with pytest.raises(ChannelTimeoutError):
            channel.receive(10, 0.01)
        with pytest.raises(ChannelTimeoutError):
            channel.send(bytes(1 << 20), 0.01)


def test_closed_ends() -> None:
    reader, writer = pipe()
    other_reader, other_writer = pipe()
    with writer, other_reader:
        channel = Channel(writer, other_reader)
        reader.close()
        other_writer.close()
        with pytest.raises(ChannelClosedError, match=r"^the other process stopped reading$"):
            channel.send(b"abc", 1.0)
        with pytest.raises(ChannelClosedError, match=r"^the other process closed its end$"):
            channel.receive(10, 1.0)


def test_a_frame_above_the_limit() -> None:
    reader, writer = pipe()
    with reader, writer:
        channel = Channel(writer, reader)
        writer.write((1 << 63).to_bytes(8, "little"))
        with pytest.raises(ChannelError, match=r"^frame of 9223372036854775808 bytes is above 10$"):
            channel.receive(10, 1.0)


def test_the_blocking_side() -> None:
    stream = io.BytesIO()
    write_frame(stream, b"abc")
    assert read_frame(io.BytesIO(stream.getvalue()), 3) == b"abc"
    assert read_frame(io.BytesIO(b""), 3) is None
    with pytest.raises(ChannelError, match=r"^frame of 3 bytes is above 2$"):
        read_frame(io.BytesIO(stream.getvalue()), 2)
    with pytest.raises(ChannelClosedError, match=r"^the pipe ended inside a frame$"):
        read_frame(io.BytesIO(stream.getvalue()[:-1]), 3)
