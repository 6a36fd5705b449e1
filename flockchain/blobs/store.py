"""The blob store: bytes in, content id out, and back, verified both ways.

Owns the blobs on a node's disk. Invariant: no byte is written or returned before its chunk's hash
was compared with the manifest, and the manifest's with the content id. Safe for use by several
threads; hashing and disk reads happen outside the lock.
Source: WP V.C (data and models off the chain); CIDv1 manifests of `runtime.primitives.content_id`.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from flockchain.blobs.directory import BlobDirectory, chunk_name, manifest_name, pin_name
from flockchain.blobs.errors import (
    BlobCorruptError,
    BlobError,
    BlobLimitError,
    BlobMissingError,
    BlobNameError,
)
from flockchain.blobs.index import BlobEntry, BlobIndex
from runtime.primitives.content_id import (
    CHUNK_BYTES,
    MANIFEST_BYTES_MAX,
    ContentId,
    ContentIdError,
    Manifest,
    decode_manifest,
    ensure_content_id,
)

_LOG = logging.getLogger(__name__)


class BlobStore:
    """Blobs beneath one directory, at most `size_max_bytes` in all, `blob_max_bytes` each.

    Every method that takes a content id raises `BlobNameError` unless it is 32 bytes. Opening
    takes up what the disk holds, and raises `BlobLimitError` if the pinned blobs are too many.
    """

    def __init__(self, path: Path, size_max_bytes: int, blob_max_bytes: int) -> None:
        self._directory = BlobDirectory(path)
        self._index = BlobIndex(size_max_bytes)
        self._blob_max_bytes = blob_max_bytes
        self._lock = threading.RLock()
        self._load()

    def close(self) -> None:
        """Close the directory; the store cannot be used after."""
        self._directory.close()

    def put(self, data: bytes, *, pin: bool = False) -> ContentId:
        """Store a whole blob. Raises `BlobLimitError` if it is too large or there is no room."""
        self._ensure_size(len(data))
        manifest = Manifest.of(data)
        blob = self.begin(manifest, pin=pin)
        for index in self.chunks_missing(blob):
            start = index * CHUNK_BYTES
            self._write_chunk(blob, index, data[start : start + CHUNK_BYTES])
        return blob

    def begin(self, manifest: Manifest, *, pin: bool = False) -> ContentId:
        """Admit a manifest and reserve room for its blob, whose chunks may then come one by one.

        Evicts what is least recently used and unpinned; a blob already known keeps its chunks.
        Raises `BlobLimitError`.
        """
        self._ensure_size(manifest.size)
        blob = manifest.content_id()
        with self._lock:
            if self._index.find(blob) is None:
                entry = BlobEntry(manifest)
                for victim in self._index.choose_evictions(entry.reserved_bytes):
                    _LOG.info("evicted blob %s", victim.hex())
                    self.delete(victim)
                self._directory.write(manifest_name(blob), manifest.encode())
                self._index.add(blob, entry)
            if pin:
                self.pin(blob)
        return blob

    def put_chunk(self, digest: bytes, index: int, data: bytes) -> None:
        """Store one chunk of a blob whose manifest was admitted.

        Raises `BlobCorruptError` if it is not that chunk, before anything is written,
        `BlobNameError` if there is no such chunk, `BlobMissingError` if the manifest is unknown.
        """
        blob = _name(digest)
        if not _is_chunk(self.manifest(blob), index, data):
            raise BlobCorruptError(f"these bytes are not chunk {index} of blob {blob.hex()}")
        self._write_chunk(blob, index, data)

    def chunks_missing(self, digest: bytes) -> list[int]:
        """The indices still to be fetched, ascending. Raises `BlobMissingError` if unknown."""
        with self._lock:
            entry = self._index.get(_name(digest))
            return [i for i in range(len(entry.manifest.chunks)) if i not in entry.present]

    def manifest(self, digest: bytes) -> Manifest:
        """The manifest of a blob, held whole or in part. Raises `BlobMissingError`."""
        with self._lock:
            return self._index.get(_name(digest)).manifest

    def has(self, digest: bytes) -> bool:
        """Whether the whole blob is here; this is no use of it."""
        with self._lock:
            entry = self._index.find(_name(digest))
            return entry is not None and entry.is_complete

    def get(self, digest: bytes) -> bytes:
        """The whole blob. Raises `BlobMissingError`, `BlobCorruptError`."""
        manifest = self.manifest(digest)
        return self.read_range(digest, 0, manifest.size)

    def read_range(self, digest: bytes, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`; short or empty past the end, as HTTP ranges need.

        Only the chunks touched must be here. Raises `BlobNameError` on a negative number,
        `BlobMissingError`, `BlobCorruptError`.
        """
        if offset < 0 or length < 0:
            raise BlobNameError(f"range of {length} bytes at {offset} is negative")
        manifest = self.manifest(digest)
        end = min(offset + length, manifest.size)
        if offset >= end:
            return b""
        first, last = offset // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
        whole = b"".join(self.read_chunk(digest, index) for index in range(first, last + 1))
        start = first * CHUNK_BYTES
        return whole[offset - start : end - start]

    def read_chunk(self, digest: bytes, index: int) -> bytes:
        """One chunk, verified. A corrupt one is forgotten, so that it will be fetched anew.

        Raises `BlobNameError`, `BlobMissingError`, `BlobCorruptError`.
        """
        blob = _name(digest)
        with self._lock:
            entry = self._index.get(blob)
            if index not in entry.present:
                _chunk_size(entry.manifest, index)
                raise BlobMissingError(f"chunk {index} of blob {blob.hex()} is not held")
        data = self._directory.read(chunk_name(blob, index))
        if not _is_chunk(entry.manifest, index, data):
            self._forget_chunk(blob, index)
            raise BlobCorruptError(f"chunk {index} of blob {blob.hex()} is corrupt on disk")
        self._directory.touch(manifest_name(blob))
        return data

    def pin(self, digest: bytes) -> None:
        """Keep a blob until it is unpinned, restarts included. Raises `BlobMissingError`."""
        blob = _name(digest)
        with self._lock:
            entry = self._index.get(blob)
            self._directory.write(pin_name(blob), b"")
            entry.is_pinned = True

    def unpin(self, digest: bytes) -> None:
        """Allow a blob to be evicted again. Raises `BlobMissingError`."""
        blob = _name(digest)
        with self._lock:
            self._index.get(blob).is_pinned = False
            self._directory.remove(pin_name(blob))

    def delete(self, digest: bytes) -> None:
        """Remove a blob, pinned or not; nothing happens if it is not held."""
        blob = _name(digest)
        with self._lock:
            entry = self._index.remove(blob)
            if entry is None:
                return
            # The manifest goes first: chunks without one are swept away at the next start.
            self._directory.remove(manifest_name(blob))
            self._directory.remove(pin_name(blob))
            for index in sorted(entry.present):
                self._directory.remove(chunk_name(blob, index))

    def ids(self) -> list[ContentId]:
        """Every content id held, whole or in part, least recently used first."""
        with self._lock:
            return self._index.ids()

    @property
    def reserved_bytes(self) -> int:
        """Bytes that count against the limit, chunks still to come included."""
        return self._index.reserved_bytes

    def _ensure_size(self, size_bytes: int) -> None:
        if size_bytes > self._blob_max_bytes:
            raise BlobLimitError(
                f"blob of {size_bytes} bytes is above the limit of {self._blob_max_bytes}"
            )

    def _write_chunk(self, blob: ContentId, index: int, data: bytes) -> None:
        with self._lock:
            entry = self._index.get(blob)
            if index not in entry.present:
                self._directory.write(chunk_name(blob, index), data)
                entry.present.add(index)

    def _forget_chunk(self, blob: ContentId, index: int) -> None:
        _LOG.warning("chunk %d of blob %s is corrupt on disk", index, blob.hex())
        with self._lock:
            self._index.get(blob).present.discard(index)
            self._directory.remove(chunk_name(blob, index))

    def _load(self) -> None:
        """Take up what the disk holds: manifests by last use, then their chunks and pins."""
        files = list(self._directory.files())
        manifests = [file for file in files if file.chunk is None and not file.is_pin]
        for file in sorted(manifests, key=lambda file: (file.modified_ns, file.blob)):
            self._load_manifest(file.blob)
        for file in files:
            entry = self._index.find(file.blob)
            if file.chunk is not None:
                count = len(entry.manifest.chunks) if entry else 0
                if entry and file.chunk < count and _has_size(entry, file.chunk, file.size_bytes):
                    entry.present.add(file.chunk)
                else:
                    self._directory.remove(chunk_name(file.blob, file.chunk))
            elif file.is_pin and entry:
                entry.is_pinned = True
            elif file.is_pin:
                self._directory.remove(pin_name(file.blob))
        for victim in self._index.choose_evictions(needed_bytes=0):
            self.delete(victim)

    def _load_manifest(self, blob: ContentId) -> None:
        name = manifest_name(blob)
        try:
            manifest = decode_manifest(self._directory.read(name, MANIFEST_BYTES_MAX))
            if manifest.content_id() != blob:
                raise BlobCorruptError("the manifest does not hash to its name")
        except (ContentIdError, BlobError) as error:
            _LOG.warning("removed manifest %s: %s", name, error)
            self._directory.remove(name)
            return
        self._index.add(blob, BlobEntry(manifest))


def _name(digest: bytes) -> ContentId:
    try:
        return ensure_content_id(digest)
    except ContentIdError as error:
        raise BlobNameError(str(error)) from error


def _chunk_size(manifest: Manifest, index: int) -> int:
    try:
        return manifest.chunk_size(index)
    except ContentIdError as error:
        raise BlobNameError(str(error)) from error


def _is_chunk(manifest: Manifest, index: int, data: bytes) -> bool:
    _chunk_size(manifest, index)
    return manifest.is_chunk(index, data)


def _has_size(entry: BlobEntry, index: int, size_bytes: int) -> bool:
    return entry.manifest.chunk_size(index) == size_bytes
