"""Requests over libp2p streams that live as long as they are used.

It owns the serving side (one handler a protocol) and the asking side (a pool of streams a peer
and protocol). Invariant: every wait has a deadline, every body a limit, every protocol a rate of
bytes, and a stream that failed in the middle of a frame is reset, never used again.
Source: WP II.A (peer-to-peer layer); libp2p request-response
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import trio
from libp2p.custom_types import TProtocol

from p2p.byte_rate import ByteRate
from p2p.frames import FrameReader, StreamEnded, request_frame, response_frame
from p2p.interface import PeerError, Refused

STREAMS_PER_PEER_MAX: Final = 8
"""Streams of one protocol that a peer may hold open; we ask on half of that."""
ASKING_STREAMS_MAX: Final = 4
SERVED_PER_PROTOCOL_MAX: Final = 16
SERVED_PER_PEER_MAX: Final = 4
IDLE_S: Final = 60.0
BODY_S: Final = 15.0
ANSWER_S: Final = 30.0
WRITE_S: Final = 30.0
RESET_S: Final = 2.0
PEER_BYTES_PER_S: Final = 16 * 1024 * 1024
ALL_BYTES_PER_S: Final = 64 * 1024 * 1024
"""What a peer, and all of them together, get from each protocol; the burst is a second of it."""

Answer = Callable[[Any, str, bytes], Awaitable[bytes]]
"""(peer, protocol name, body) to the response. Raises: PeerError: refused."""
Misbehaved = Callable[[Any, str], None]

logger = logging.getLogger(__name__)


class RequestServer:
    """Serves the streams that peers open."""

    def __init__(self, answer: Answer, misbehaved: Misbehaved) -> None:
        self._answer = answer
        self._misbehaved = misbehaved
        self._open: Counter[tuple[Any, str]] = Counter()
        self._protocol_slots: defaultdict[str, trio.Semaphore] = defaultdict(
            lambda: trio.Semaphore(SERVED_PER_PROTOCOL_MAX)
        )
        self._serving: Counter[Any] = Counter()
        self._peer_rate = ByteRate(PEER_BYTES_PER_S, PEER_BYTES_PER_S)
        self._all_rate = ByteRate(ALL_BYTES_PER_S, ALL_BYTES_PER_S)

    async def serve(self, name: str, stream: Any) -> None:
        """Answer request after request until the peer ends the stream, idles or misbehaves."""
        peer = stream.muxed_conn.peer_id
        if self._open[peer, name] >= STREAMS_PER_PEER_MAX:
            await stream.reset()
            return
        self._open[peer, name] += 1
        reader = FrameReader(stream)
        try:
            while await self._serve_one(name, peer, stream, reader):
                pass
        except StreamEnded:
            return
        except PeerError as error:
            self._misbehaved(peer, str(error))
        finally:
            self._open[peer, name] -= 1
            if not self._open[peer, name]:
                del self._open[peer, name]
            await _reset(stream)

    async def _serve_one(self, name: str, peer: Any, stream: Any, reader: FrameReader) -> bool:
        length: int | None = None
        with trio.move_on_after(IDLE_S):
            length = await reader.request_length()
        if length is None:
            return False
        with trio.fail_after(BODY_S):
            body = await reader.exact(length)
        if self._serving[peer] >= SERVED_PER_PEER_MAX * 2:
            response: bytes | PeerError = PeerError("too many requests at once")
        else:
            response = await self._respond(name, peer, body)
        await self._wait_turn(name, peer, response)
        with trio.fail_after(WRITE_S):
            await stream.write(response_frame(response))
        return True

    async def _wait_turn(self, name: str, peer: Any, response: bytes | PeerError) -> None:
        """Hold an answer back until the peer, and all together, may have so many bytes more."""
        size = len(response) if isinstance(response, bytes) else 0
        now_us = int(trio.current_time() * 1e6)
        own_us = self._peer_rate.wait_us(f"{name} {peer}", size, now_us)
        wait_us = max(own_us, self._all_rate.wait_us(name, size, now_us))
        if wait_us:
            await trio.sleep(wait_us / 1e6)

    async def _respond(self, name: str, peer: Any, body: bytes) -> bytes | PeerError:
        self._serving[peer] += 1
        try:
            async with self._protocol_slots[name]:
                with trio.fail_after(ANSWER_S):
                    return await self._answer(peer, name, body)
        except PeerError as error:
            return error
        except trio.TooSlowError:
            return PeerError("the node is too busy")
        except Exception:
            logger.exception("the handler of %s requests failed", name)
            return PeerError("the handler failed")
        finally:
            self._serving[peer] -= 1
            if not self._serving[peer]:
                del self._serving[peer]


class _Pool:
    def __init__(self) -> None:
        self.slots = trio.Semaphore(ASKING_STREAMS_MAX)
        self.idle: list[tuple[Any, FrameReader]] = []


class RequestClient:
    """Asks peers, several requests at a time, on streams that are kept."""

    def __init__(self, host: Any) -> None:
        self._host = host
        self._pools: dict[tuple[Any, str], _Pool] = {}

    async def ask(self, peer: Any, protocol_id: str, body: bytes) -> bytes:
        """The response of `peer`; the caller sets the deadline.

        Raises: PeerError: refused, malformed or the peer is gone.
        """
        pool = self._pools.setdefault((peer, protocol_id), _Pool())
        async with pool.slots:
            while pool.idle:
                try:
                    return await self._exchange(pool, *pool.idle.pop(), body)
                except StreamEnded:
                    # The peer closed an idle stream; a new one tells whether it is still there.
                    continue
            stream = await self._open(peer, protocol_id)
            return await self._exchange(pool, stream, FrameReader(stream), body)

    def forget(self, peer: Any) -> None:
        """Drop the streams of a peer that is gone."""
        for key in [key for key in self._pools if key[0] == peer]:
            del self._pools[key]

    async def _open(self, peer: Any, protocol_id: str) -> Any:
        if not self._host.get_network().get_connections(peer):
            raise PeerError(f"peer {peer} is not connected")
        try:
            return await self._host.new_stream(peer, [TProtocol(protocol_id)])
        except Exception as error:
            raise PeerError(f"peer {peer} opens no stream for {protocol_id}: {error}") from error

    async def _exchange(self, pool: _Pool, stream: Any, reader: FrameReader, body: bytes) -> bytes:
        intact = False
        try:
            await stream.write(request_frame(body))
            response = await reader.response()
            intact = True
        except Refused:
            intact = True
            raise
        except PeerError:
            raise
        except Exception as error:
            raise StreamEnded(f"the stream failed: {error!r}") from error
        finally:
            if intact:
                pool.idle.append((stream, reader))
            else:
                await _reset(stream)
        return response


async def _reset(stream: Any) -> None:
    with trio.CancelScope(shield=True), trio.move_on_after(RESET_S), suppress(Exception):
        await stream.reset()
