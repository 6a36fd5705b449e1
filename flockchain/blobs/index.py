"""What the blob store holds, in memory: manifests, chunks present, pins, order of use.

Owns the size limit and the choice of what to evict. Invariant: the sum of the reserved sizes of
all entries never exceeds the limit; a blob reserves its whole size when its manifest is admitted,
so downloads that run at the same time cannot overfill the disk together.
Source: WP V.C.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from flockchain.blobs.errors import BlobLimitError, BlobMissingError
from runtime.primitives.content_id import ContentId, Manifest


@dataclass(slots=True)
class BlobEntry:
    """One blob: its manifest, which chunks are on the disk, whether it must stay."""

    manifest: Manifest
    present: set[int] = field(default_factory=set)
    is_pinned: bool = False

    @property
    def reserved_bytes(self) -> int:
        """Bytes counted against the limit: the blob and its manifest's hashes."""
        return self.manifest.size + 32 * (len(self.manifest.chunks) + 1)

    @property
    def is_complete(self) -> bool:
        """Whether every chunk is there."""
        return len(self.present) == len(self.manifest.chunks)


class BlobIndex:
    """Entries by content id, least recently used first."""

    def __init__(self, size_max_bytes: int) -> None:
        self._entries: OrderedDict[ContentId, BlobEntry] = OrderedDict()
        self._size_max_bytes = size_max_bytes
        self.reserved_bytes = 0

    def ids(self) -> list[ContentId]:
        """Every content id held, whole or in part, least recently used first."""
        return list(self._entries)

    def find(self, blob: ContentId) -> BlobEntry | None:
        """The entry, or None; no use is noted."""
        return self._entries.get(blob)

    def get(self, blob: ContentId) -> BlobEntry:
        """The entry, noted as used now. Raises `BlobMissingError`."""
        entry = self._entries.get(blob)
        if entry is None:
            raise BlobMissingError(f"blob {blob.hex()} is not held")
        self._entries.move_to_end(blob)
        return entry

    def add(self, blob: ContentId, entry: BlobEntry) -> None:
        """Take an entry in; the caller made room for it with `choose_evictions`."""
        self._entries[blob] = entry
        self.reserved_bytes += entry.reserved_bytes

    def remove(self, blob: ContentId) -> BlobEntry | None:
        """Forget an entry and free what it reserved."""
        entry = self._entries.pop(blob, None)
        if entry is not None:
            self.reserved_bytes -= entry.reserved_bytes
        return entry

    def choose_evictions(self, needed_bytes: int) -> list[ContentId]:
        """The least recently used unpinned blobs that must go for this many bytes more.

        Raises `BlobLimitError` if even all of them would not suffice; nothing is evicted then.
        """
        excess_bytes = self.reserved_bytes + needed_bytes - self._size_max_bytes
        chosen: list[ContentId] = []
        for blob, entry in self._entries.items():
            if excess_bytes <= 0:
                break
            if not entry.is_pinned:
                chosen.append(blob)
                excess_bytes -= entry.reserved_bytes
        if excess_bytes > 0:
            raise BlobLimitError(
                f"no room for {needed_bytes} bytes: the store is limited to "
                f"{self._size_max_bytes}, and {excess_bytes} more would have to be unpinned"
            )
        return chosen
