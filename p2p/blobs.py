"""Blob exchange: chunks from several peers at once, each verified before it is stored.

It owns the requests of protocol `blob` and the fetches under way; it does no I/O of its own, the
store and the network are given. Invariant: the store gets only chunks whose hash is in a manifest
whose hash is the blob's id, so that a fetch goes on wherever an earlier one ended.
Source: WP V.C (model storage)
"""

import hashlib
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from p2p.envelope import Fields, Limits, decode, encode
from p2p.interface import (
    MALFORMED_CHANGE,
    RESPONSE_SIZE_MAX,
    Network,
    PeerError,
    PeerId,
)
from runtime.primitives.content_id import (
    CONTENT_ID_BYTES,
    MANIFEST_BYTES_MAX,
    ContentId,
    ContentIdError,
    Manifest,
    decode_manifest,
)

PROTOCOL: Final = "blob"
IN_FLIGHT_PER_PEER_MAX: Final = 4
IN_FLIGHT_MAX: Final = 16
"""Chunks asked for at once, of all fetches together: at most 16 MiB in memory."""
FETCHES_MAX: Final = 64
PEERS_MAX: Final = 16
"""Peers of one fetch."""
FAILURES_MAX: Final = 3
"""Answers in a row that a peer may owe before a fetch gives it up."""
TIMEOUT_MS: Final = 30_000
REQUEST_LIMITS: Final = Limits(size_max=256, depth_max=1, length_max=4)

assert MANIFEST_BYTES_MAX <= RESPONSE_SIZE_MAX, "a manifest travels in one response"

OnFetched = Callable[[Manifest | PeerError], None]

logger = logging.getLogger(__name__)


class BlobRefused(PeerError):
    """This node does not want the blob, whoever has it: too large, or no room is left for it."""


class BlobStore(Protocol):
    """Where blobs live; the node gives it. Failures of the disk are not caught here."""

    def manifest(self, blob: ContentId) -> Manifest | None:
        """The manifest of a blob held whole or in part, None if there is none."""

    def begin(self, manifest: Manifest) -> None:
        """Take in a manifest and reserve room. Raises: BlobRefused."""

    def chunks_missing(self, blob: ContentId) -> list[int]:
        """The indices still to be fetched, ascending, of a blob whose manifest is held."""

    def read_chunk(self, blob: ContentId, index: int) -> bytes | None:
        """A stored chunk, None if it is not."""

    def put_chunk(self, blob: ContentId, index: int, data: bytes) -> None:
        """Store a verified chunk. Raises: BlobRefused: the blob had to give way to others."""


class _Source:
    """A peer of one fetch."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.failures = 0


class _Fetch:
    """One blob on its way."""

    def __init__(self, blob: ContentId, size_max: int, on_fetched: OnFetched) -> None:
        self.blob = blob
        self.size_max = size_max
        self.on_fetched = on_fetched
        self.manifest: Manifest | None = None
        self.is_asking_manifest = False
        self.missing: deque[int] = deque()
        self.left = 0
        """Chunks not yet stored, those in flight included."""
        self.sources: dict[PeerId, _Source] = {}


class BlobExchange:
    """Serves what the store holds and fetches what it lacks."""

    def __init__(self, network: Network, store: BlobStore) -> None:
        self._network = network
        self._store = store
        self._fetches: dict[ContentId, _Fetch] = {}
        self._in_flight = 0

    def on_request(self, data: bytes) -> bytes:
        """Answer a request: a manifest, or one chunk as it is. Raises: PeerError."""
        fields = Fields(decode(data, REQUEST_LIMITS))
        blob = ContentId(fields.take_bytes("blob", CONTENT_ID_BYTES, CONTENT_ID_BYTES))
        index = fields.take_int("index", -1, 2**32)
        fields.ensure_empty()
        manifest = self._store.manifest(blob)
        if manifest is None:
            raise PeerError(f"blob {blob.hex()} is not held")
        if index < 0:
            return manifest.encode()
        chunk = self._store.read_chunk(blob, index) if index < len(manifest.chunks) else None
        if chunk is None:
            raise PeerError(f"chunk {index} of blob {blob.hex()} is not held")
        return chunk

    def fetch(
        self, blob: ContentId, peers: Iterable[PeerId], size_max: int, on_fetched: OnFetched
    ) -> None:
        """Fetch a blob of at most `size_max` bytes; `on_fetched` is called once.

        It may be called at once if the store holds everything or no peer is given.
        Raises: ValueError: more than `FETCHES_MAX` fetches, or the blob is under way already.
        """
        if blob in self._fetches:
            raise ValueError(f"blob {blob.hex()} is already being fetched")
        if len(self._fetches) >= FETCHES_MAX:
            raise ValueError(f"more than {FETCHES_MAX} blobs are being fetched")
        fetch = self._fetches[blob] = _Fetch(blob, size_max, on_fetched)
        manifest = self._store.manifest(blob)
        if manifest is not None:
            try:
                self._begin(fetch, manifest)
            except BlobRefused as error:
                return self._end(fetch, error)
        for peer in peers:
            self.add_peer(blob, peer)
        return self._settle(fetch)

    def add_peer(self, blob: ContentId, peer: PeerId) -> None:
        """Let one more peer help with a fetch; nothing happens if there is none."""
        fetch = self._fetches.get(blob)
        if fetch is not None and len(fetch.sources) < PEERS_MAX and peer not in fetch.sources:
            fetch.sources[peer] = _Source()
            self._pump(fetch)

    def on_peer_disconnected(self, peer: PeerId) -> None:
        """Stop asking a peer that is gone."""
        for fetch in list(self._fetches.values()):
            if fetch.sources.pop(peer, None) is not None:
                self._settle(fetch)

    def cancel(self, blob: ContentId) -> None:
        """End a fetch; what is stored stays."""
        fetch = self._fetches.get(blob)
        if fetch is not None:
            self._end(fetch, PeerError(f"fetch of blob {blob.hex()} was cancelled"))

    def progress(self, blob: ContentId) -> tuple[int, int] | None:
        """Stored chunks and all chunks of a fetch; None if it is not under way or just began."""
        fetch = self._fetches.get(blob)
        if fetch is None or fetch.manifest is None:
            return None
        total = len(fetch.manifest.chunks)
        return total - fetch.left, total

    def _begin(self, fetch: _Fetch, manifest: Manifest) -> None:
        """Raises: BlobRefused."""
        if manifest.size > fetch.size_max:
            message = f"blob {fetch.blob.hex()} has {manifest.size} bytes"
            raise BlobRefused(f"{message}, at most {fetch.size_max} are wanted")
        self._store.begin(manifest)
        fetch.manifest = manifest
        fetch.missing.extend(self._store.chunks_missing(fetch.blob))
        fetch.left = len(fetch.missing)

    def _pump_all(self) -> None:
        for fetch in list(self._fetches.values()):
            self._pump(fetch)

    def _pump(self, fetch: _Fetch) -> None:
        if fetch.manifest is None:
            idle = [peer for peer, source in fetch.sources.items() if not source.in_flight]
            if idle and not fetch.is_asking_manifest:
                fetch.is_asking_manifest = True
                self._ask(fetch, idle[0], -1)
            return
        while fetch.missing and self._in_flight < IN_FLIGHT_MAX:
            peer = min(fetch.sources, key=lambda p: fetch.sources[p].in_flight, default=None)
            if peer is None or fetch.sources[peer].in_flight >= IN_FLIGHT_PER_PEER_MAX:
                return
            self._ask(fetch, peer, fetch.missing.popleft())

    def _ask(self, fetch: _Fetch, peer: PeerId, index: int) -> None:
        source = fetch.sources[peer]
        source.in_flight += 1
        self._in_flight += 1

        def on_response(answer: bytes | PeerError) -> None:
            source.in_flight -= 1
            self._in_flight -= 1
            if self._fetches.get(fetch.blob) is fetch:
                self._take(fetch, peer, index, answer)
            self._pump_all()

        request = encode({"blob": fetch.blob, "index": index})
        self._network.request(peer, PROTOCOL, request, on_response, TIMEOUT_MS)

    def _take(self, fetch: _Fetch, peer: PeerId, index: int, answer: bytes | PeerError) -> None:
        try:
            if isinstance(answer, PeerError):
                raise answer
            if index < 0:
                self._take_manifest(fetch, peer, answer)
            else:
                self._take_chunk(fetch, peer, index, answer)
        except BlobRefused as error:
            self._end(fetch, error)
        except PeerError as error:
            if index < 0:
                fetch.is_asking_manifest = False
            else:
                fetch.missing.appendleft(index)
            self._blame(fetch, peer, error)
        else:
            if peer in fetch.sources:
                fetch.sources[peer].failures = 0
        self._settle(fetch)

    def _take_manifest(self, fetch: _Fetch, peer: PeerId, answer: bytes) -> None:
        try:
            if hashlib.sha256(answer).digest() != fetch.blob:
                raise ContentIdError(f"these {len(answer)} bytes are another manifest")
            manifest = decode_manifest(answer)
        except ContentIdError as reason:
            error = PeerError(f"peer {peer} on blob {fetch.blob.hex()}: {reason}")
            self._network.report(peer, MALFORMED_CHANGE, str(error))
            fetch.sources.pop(peer, None)
            raise error from reason
        self._begin(fetch, manifest)

    def _take_chunk(self, fetch: _Fetch, peer: PeerId, index: int, answer: bytes) -> None:
        assert fetch.manifest is not None
        if not fetch.manifest.is_chunk(index, answer):
            error = PeerError(f"peer {peer} sent a wrong chunk {index} of {fetch.blob.hex()}")
            self._network.report(peer, MALFORMED_CHANGE, str(error))
            fetch.sources.pop(peer, None)
            raise error
        self._store.put_chunk(fetch.blob, index, answer)
        fetch.left -= 1

    def _blame(self, fetch: _Fetch, peer: PeerId, error: PeerError) -> None:
        logger.debug("blob %s: %s", fetch.blob.hex(), error)
        source = fetch.sources.get(peer)
        if source is not None:
            source.failures += 1
            if source.failures >= FAILURES_MAX:
                del fetch.sources[peer]

    def _settle(self, fetch: _Fetch) -> None:
        if self._fetches.get(fetch.blob) is not fetch:
            return
        if fetch.manifest is not None and fetch.left == 0:
            self._end(fetch, fetch.manifest)
        elif not fetch.sources:
            self._end(fetch, PeerError(f"no peer serves blob {fetch.blob.hex()}"))

    def _end(self, fetch: _Fetch, result: Manifest | PeerError) -> None:
        del self._fetches[fetch.blob]
        fetch.on_fetched(result)
