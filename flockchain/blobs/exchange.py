"""The node's store of blobs on the network: serves what it holds, fetches what is asked for.

Owns what is wanted and until when, who is said to have it, and the queue of blobs fetched ahead of
need. Sans-I/O but for the store's disk: whoever drives it calls `on_time` when `next_wake_ms` has
come. Invariant: every table and queue is bounded, and every fetch ends by its deadline.
Source: WP V.C (model storage).
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from flockchain.blobs.errors import (
    BlobBusyError,
    BlobCorruptError,
    BlobLimitError,
    BlobMissingError,
)
from flockchain.blobs.store import BlobStore
from flockchain.clock import Clock
from p2p.blobs import PEERS_MAX, BlobExchange, BlobRefused
from p2p.interface import Network, PeerError, PeerId
from runtime.primitives.content_id import ContentId, Manifest, ensure_content_id

FETCHES_AT_ONCE_MAX: Final = 8
PREFETCHES_AT_ONCE_MAX: Final = 4
WANTED_MAX: Final = 128
"""Blobs that are asked for and not here yet; as many again wait to be fetched ahead."""
PREFETCH_MS: Final = 60_000
PROVIDED_BLOBS_MAX: Final = 4_096
PROVIDERS_MAX: Final = 4
"""Providers remembered of one blob, the latest to be named."""
RETRY_MS: Final = 1_000
RETRY_MS_MAX: Final = 16_000

OnDone = Callable[[bool], None]

_LOG = logging.getLogger(__name__)


class ServedStore:
    """A `BlobStore` in the words of `p2p.blobs`: what is not held is None, no room is a refusal."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    def manifest(self, blob: ContentId) -> Manifest | None:
        """The manifest of a blob held whole or in part."""
        try:
            return self._store.manifest(blob)
        except BlobMissingError:
            return None

    def begin(self, manifest: Manifest) -> None:
        """Reserve room. Raises: BlobRefused."""
        try:
            self._store.begin(manifest)
        except BlobLimitError as error:
            raise BlobRefused(str(error)) from error

    def chunks_missing(self, blob: ContentId) -> list[int]:
        """The indices still to be fetched."""
        return self._store.chunks_missing(blob)

    def read_chunk(self, blob: ContentId, index: int) -> bytes | None:
        """A stored chunk, verified; None if it is not here or the disk spoiled it."""
        try:
            return self._store.read_chunk(blob, index)
        except (BlobMissingError, BlobCorruptError):
            return None

    def put_chunk(self, blob: ContentId, index: int, data: bytes) -> None:
        """Store a chunk. Raises: BlobRefused: the blob was evicted or deleted meanwhile."""
        try:
            self._store.put_chunk(blob, index, data)
        except BlobMissingError as error:
            raise BlobRefused(str(error)) from error


@dataclass(eq=False, slots=True)
class _Waiter:
    """Somebody who wants a blob by a time."""

    on_done: OnDone
    deadline_ms: int


@dataclass(eq=False, slots=True)
class _Want:
    """A blob that is to come, and how far that is."""

    blob: ContentId
    size_max: int
    is_ahead: bool
    waiters: list[_Waiter] = field(default_factory=list)
    attempts: int = 0
    not_before_ms: int = 0
    is_running: bool = False


class BlobFetcher:
    """Blobs over the network, for a node, its workers and the simulator.

    Blobs that an announcement names are fetched ahead only up to `ahead_size_max` bytes each.
    """

    def __init__(
        self, network: Network, store: BlobStore, clock: Clock, ahead_size_max: int
    ) -> None:
        self._network = network
        self._store = store
        self._clock = clock
        self._ahead_size_max = ahead_size_max
        self._exchange = BlobExchange(network, ServedStore(store))
        self._wants: OrderedDict[ContentId, _Want] = OrderedDict()
        self._providers: OrderedDict[ContentId, OrderedDict[PeerId, None]] = OrderedDict()
        self._is_starting = False

    # -- what the node forwards

    def on_request(self, peer: PeerId, data: bytes) -> bytes:
        """Answer a request of protocol `blob`. Raises: PeerError."""
        return self._exchange.on_request(data)

    def on_peer_connected(self, peer: PeerId) -> None:
        """A peer may have what is missing."""
        for want in self._wants.values():
            want.not_before_ms = 0
            self._exchange.add_peer(want.blob, peer)
        self._start_due()

    def on_peer_disconnected(self, peer: PeerId) -> None:
        """A peer is gone; what it owed is asked of others."""
        self._exchange.on_peer_disconnected(peer)

    def on_time(self) -> None:
        """Give up what is overdue, try again what failed."""
        now_ms = self._clock.now_ms()
        for want in list(self._wants.values()):
            for waiter in [w for w in want.waiters if w.deadline_ms <= now_ms]:
                self._leave(want, waiter)
                waiter.on_done(False)
        self._start_due()

    def next_wake_ms(self) -> int | None:
        """When `on_time` is due next; None while nothing is wanted."""
        times = [waiter.deadline_ms for want in self._wants.values() for waiter in want.waiters]
        times.extend(want.not_before_ms for want in self._with_place())
        return min(times, default=None)

    # -- asking

    async def fetch(self, digest: bytes, size_max: int, timeout_ms: int) -> bool:
        """Bring a blob of at most `size_max` bytes here; whether it is here by the time-out.

        It asks all connected peers, known providers first, and tries again while time is left.
        Raises: BlobNameError: not 32 bytes. BlobBusyError: too many blobs are wanted.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def on_done(is_here: bool) -> None:
            if not future.done():
                future.set_result(is_here)

        joined = self._join(digest, size_max, timeout_ms, on_done)
        try:
            return await future
        finally:
            if joined is not None:
                self._leave(*joined)

    def fetch_then(self, digest: bytes, size_max: int, timeout_ms: int, on_done: OnDone) -> None:
        """As `fetch`, with `on_done` called once, at once if the blob is here already."""
        self._join(digest, size_max, timeout_ms, on_done)

    def prefetch(self, digest: bytes, size_bytes: int, provider: PeerId) -> None:
        """Remember who provides a blob and fetch it ahead of need, if there is room in the queue.

        Nothing happens to a blob that is here, wanted already, or too large.
        """
        blob = ensure_content_id(digest)
        self._add_provider(blob, provider)
        queued = sum(want.is_ahead for want in self._wants.values())
        is_wanted = blob in self._wants or self._store.has(blob)
        if not is_wanted and size_bytes <= self._ahead_size_max and queued < WANTED_MAX:
            want = self._wants[blob] = _Want(blob, size_bytes, is_ahead=True)
            want.waiters.append(_Waiter(_log_prefetch(blob), self._clock.now_ms() + PREFETCH_MS))
            self._start_due()

    def wanted(self) -> list[ContentId]:
        """What is under way or waiting, oldest first."""
        return list(self._wants)

    def _add_provider(self, blob: ContentId, provider: PeerId) -> None:
        providers = self._providers.setdefault(blob, OrderedDict())
        providers[provider] = None
        providers.move_to_end(provider)
        self._providers.move_to_end(blob)
        if len(providers) > PROVIDERS_MAX:
            providers.popitem(last=False)
        if len(self._providers) > PROVIDED_BLOBS_MAX:
            self._providers.popitem(last=False)
        if provider in self._network.peers():
            self._exchange.add_peer(blob, provider)

    def _join(
        self, digest: bytes, size_max: int, timeout_ms: int, on_done: OnDone
    ) -> tuple[_Want, _Waiter] | None:
        if self._store.has(digest):
            on_done(True)
            return None
        blob = ensure_content_id(digest)
        want = self._wants.get(blob)
        if want is None or want.is_ahead:
            if sum(not other.is_ahead for other in self._wants.values()) >= WANTED_MAX:
                raise BlobBusyError(f"{WANTED_MAX} blobs are wanted already")
            want = want or self._wants.setdefault(blob, _Want(blob, size_max, is_ahead=False))
        waiter = _Waiter(on_done, self._clock.now_ms() + timeout_ms)
        want.is_ahead = False
        want.size_max = max(want.size_max, size_max)
        want.waiters.append(waiter)
        self._start_due()
        return want, waiter

    def _leave(self, want: _Want, waiter: _Waiter) -> None:
        """Take a waiter away; with the last one the fetch ends, and what is stored stays."""
        if waiter in want.waiters:
            want.waiters.remove(waiter)
        if not want.waiters and self._wants.get(want.blob) is want:
            del self._wants[want.blob]
            self._exchange.cancel(want.blob)
            self._start_due()

    # -- running

    def _start_due(self) -> None:
        """Start what is due and has a place, what is asked for before what is fetched ahead."""
        if self._is_starting:
            return
        self._is_starting = True
        try:
            while (want := self._next_due()) is not None:
                self._start(want)
        finally:
            self._is_starting = False

    def _next_due(self) -> _Want | None:
        now_ms = self._clock.now_ms()
        due = [want for want in self._with_place() if want.not_before_ms <= now_ms]
        return min(due, key=lambda want: want.is_ahead, default=None)

    def _with_place(self) -> list[_Want]:
        """What does not run and could, as far as the limits of running at once go."""
        running = [want for want in self._wants.values() if want.is_running]
        if len(running) >= FETCHES_AT_ONCE_MAX:
            return []
        may_run_ahead = sum(want.is_ahead for want in running) < PREFETCHES_AT_ONCE_MAX
        return [
            want
            for want in self._wants.values()
            if not want.is_running and (may_run_ahead or not want.is_ahead)
        ]

    def _start(self, want: _Want) -> None:
        want.is_running = True
        size_max, peers = want.size_max, self._peers_for(want)

        def on_fetched(result: Manifest | PeerError) -> None:
            want.is_running = False
            if self._wants.get(want.blob) is want:
                self._take(want, result, size_max)

        self._exchange.fetch(want.blob, peers, size_max, on_fetched)

    def _peers_for(self, want: _Want) -> list[PeerId]:
        """Connected peers, providers first; each attempt begins with others of the rest."""
        connected = self._network.peers()
        named = self._providers.get(want.blob) or OrderedDict[PeerId, None]()
        first = [peer for peer in connected if peer in named]
        rest = [peer for peer in connected if peer not in named]
        turn = (want.attempts * PEERS_MAX) % max(1, len(rest))
        return first + rest[turn:] + rest[:turn]

    def _take(self, want: _Want, result: Manifest | PeerError, size_max: int) -> None:
        is_final = isinstance(result, BlobRefused) and size_max == want.size_max
        if isinstance(result, PeerError) and not is_final:
            _LOG.debug("blob %s: %s", want.blob.hex(), result)
            delay_ms = min(RETRY_MS << min(want.attempts, 8), RETRY_MS_MAX)
            want.attempts += 1
            want.not_before_ms = self._clock.now_ms() + delay_ms
        else:
            if is_final:
                _LOG.info("blob %s is not taken: %s", want.blob.hex(), result)
            is_here = self._store.has(want.blob)
            del self._wants[want.blob]
            for waiter in want.waiters:
                waiter.on_done(is_here)
        self._start_due()


def _log_prefetch(blob: ContentId) -> OnDone:
    def log(is_here: bool) -> None:
        _LOG.debug("blob %s %s ahead of need", blob.hex(), "came" if is_here else "did not come")

    return log
