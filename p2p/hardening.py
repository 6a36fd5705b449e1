"""Repairs to py-libp2p 0.8.1 without which a remote peer can stop or exhaust the process.

It owns every patch of the library's private names that guards the host: bounded yamux, frames
written whole, contained handlers and tasks, inbound slots given back, a gate for addresses.
Invariant: nothing a peer sends, and no bug in a handler, reaches the host's nursery.
Source: WP II.A (peer-to-peer layer); yamux specification, py-libp2p 0.8.1
"""

import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import libp2p
import libp2p.stream_muxer.muxer_multistream as muxer_multistream
import libp2p.stream_muxer.yamux.yamux as yamux
import libp2p.transport.tcp.tcp as tcp
import trio
from libp2p.io import trio as trio_io
from libp2p.io.exceptions import ConnectionClosedError
from libp2p.network.connection.raw_connection import RawConnection

SUPPORTED_VERSION: Final = "0.8.1"
STREAMS_PER_CONNECTION_MAX: Final = 512
RECEIVE_BUFFER_MAX: Final = yamux.MAX_WINDOW_SIZE + 1024 * 1024
"""Bytes of one stream that wait to be read: the largest window and some slack."""
FRAME_WRITE_TIMEOUT_S: Final = 10.0
UPGRADES_PER_ADDRESS_MAX: Final = 16
"""Connections of one IP address that may be in the handshake at once."""
DEAD_PEER_OPTIONS: Final = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 10),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 5),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 20_000),
)
"""A peer whose machine vanished is noticed within 25 s; the system's default is hours."""

logger = logging.getLogger(__name__)

assert libp2p.__version__ == SUPPORTED_VERSION, (
    f"libp2p {libp2p.__version__} is installed, but {SUPPORTED_VERSION} is what the repairs fit"
)


class _BoundedBuffer(bytearray):
    """Ends the connection of a peer that writes past its receive window."""

    def extend(self, data: Any) -> None:
        if len(self) + len(data) > RECEIVE_BUFFER_MAX:
            # The one exception that makes the frame loop close the connection.
            raise trio.TooSlowError
        super().extend(data)


class _BoundedBuffers(dict[int, bytearray]):
    def __setitem__(self, stream_id: int, _buffer: bytearray) -> None:
        super().__setitem__(stream_id, _BoundedBuffer())


class _BoundedStreams(dict[int, Any]):
    def __setitem__(self, stream_id: int, stream: Any) -> None:
        if len(self) >= STREAMS_PER_CONNECTION_MAX:
            raise OSError(f"more than {STREAMS_PER_CONNECTION_MAX} streams on one connection")
        super().__setitem__(stream_id, stream)


class SafeYamux(yamux.Yamux):
    """Yamux that enforces its receive window, caps streams and never tears a frame."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.stream_buffers = _BoundedBuffers()
        self.streams = _BoundedStreams()

    async def _write_frame(self, data: bytes) -> None:
        """Write one frame whole: half a Noise message would end the connection for everyone.

        A caller that is cancelled, for instance by the time-out of its request, leaves only after
        the frame; a peer that does not take it in time loses the connection.
        """
        async with self._write_lock:
            with trio.CancelScope(shield=True) as scope:
                scope.deadline = trio.current_time() + FRAME_WRITE_TIMEOUT_S
                await self.secured_conn.write(data)
            if scope.cancelled_caught:
                with trio.CancelScope(shield=True), trio.move_on_after(1.0):
                    await self.secured_conn.close()
                raise ConnectionClosedError("the peer does not read")
        await trio.lowlevel.checkpoint()


def install_safe_yamux() -> None:
    """Use `SafeYamux` for every connection: the library names Yamux and ignores the option."""
    library: Any = muxer_multistream
    library.Yamux = SafeYamux


class WatchedStream(trio_io.TrioTCPStream):
    """A TCP connection that ends when the other machine has vanished without a word."""

    def __init__(self, stream: trio.SocketStream) -> None:
        super().__init__(stream)
        for level, name, value in DEAD_PEER_OPTIONS:
            if hasattr(socket, name):
                stream.setsockopt(level, getattr(socket, name), value)


def install_watched_streams() -> None:
    """Use `WatchedStream` for every connection, dialled or accepted."""
    library: Any = tcp
    library.TrioTCPStream = WatchedStream


def contain_handlers(host: Any) -> None:
    """Make a stream handler that raises cost its stream instead of the process."""
    inner = host._swarm_stream_handler

    async def contained(stream: Any) -> None:
        try:
            await inner(stream)
        except Exception as error:  # noqa: BLE001  costs the stream; cancellation passes
            peer = stream.muxed_conn.peer_id
            logger.debug("stream %s of %s: %r", stream.get_protocol(), peer, error)
            with suppress(Exception):
                await stream.reset()

    host.get_network().set_stream_handler(contained)


def contain_tasks(service: Any) -> None:
    """Make a task that a running service starts for a peer fail alone; daemon tasks stay vital.

    The library looks through all tasks of a service for the one that starts another, a seventh of
    a busy node's time with a task for each gossip message. These have no children to end with them:
    they go straight into the service's nursery, which ends them all.
    """
    manager = service.get_manager()
    inner = manager.run_task

    def run_task(task: Callable[..., Awaitable[None]], *args: Any, **options: Any) -> None:
        if options.get("daemon"):
            inner(task, *args, **options)
            return

        async def contained(*task_args: Any) -> None:
            try:
                await task(*task_args)
            except Exception as error:  # noqa: BLE001  one peer's task fails alone
                logger.debug("task %s: %r", getattr(task, "__name__", task), error)

        if manager._task_nursery is None or not manager.is_running:
            inner(contained, *args, **options)  # says that the service has ended
            return
        manager._task_nursery.start_soon(contained, *args)

    manager.run_task = run_task


def fix_inbound(host: Any, is_address_refused: Callable[[str], bool]) -> None:
    """Give inbound slots back when a connection ends, and refuse bad addresses early.

    The library's handler waits for the shutdown of the host: after 250 connections since the
    start every new one was refused. Ours waits for the end of the connection, and lets one
    address have only a few unfinished handshakes.
    """
    swarm = host.get_network()
    upgrading: Counter[str] = Counter()

    async def handle(stream: Any, address: Any, _event: Any) -> None:
        remote = stream.get_remote_address()
        ip = remote[0] if remote else ""
        if is_address_refused(ip) or upgrading[ip] >= UPGRADES_PER_ADDRESS_MAX:
            await stream.close()
            return
        upgrading[ip] += 1
        raw = RawConnection(stream, False)
        try:
            connection = await swarm.upgrade_inbound_raw_conn(raw, address)
        except Exception as error:  # noqa: BLE001  costs the connection
            logger.debug("inbound connection from %s failed: %r", ip, error)
            with suppress(Exception):
                await raw.close()
            return
        finally:
            upgrading[ip] -= 1
            if not upgrading[ip]:
                del upgrading[ip]
        await connection.event_closed.wait()

    swarm._do_handle_inbound_connection = handle


def remote_ip(connection: Any) -> str:
    """The IP address at the other end of a connection; empty if it is unknown."""
    remote = connection.muxed_conn.get_remote_address()
    return str(remote[0]) if remote else ""
