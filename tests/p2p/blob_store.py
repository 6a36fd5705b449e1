"""A blob store in memory, for tests of both networks."""

from p2p.blobs import BlobRefused
from runtime.primitives.content_id import CHUNK_BYTES, ContentId, Manifest


class MemoryBlobs:
    """Manifests and chunks in two dictionaries."""

    def __init__(self) -> None:
        self.manifests: dict[ContentId, Manifest] = {}
        self.chunks: dict[tuple[ContentId, int], bytes] = {}
        self.written: list[int] = []
        self.size_max = 10**9

    def add(self, content: bytes) -> ContentId:
        manifest = Manifest.of(content)
        blob = manifest.content_id()
        self.manifests[blob] = manifest
        for index in range(len(manifest.chunks)):
            start = index * CHUNK_BYTES
            self.chunks[blob, index] = content[start : start + CHUNK_BYTES]
        return blob

    def content(self, blob: ContentId) -> bytes:
        return b"".join(
            self.chunks[blob, index] for index in range(len(self.manifests[blob].chunks))
        )

    def manifest(self, blob: ContentId) -> Manifest | None:
        return self.manifests.get(blob)

    def begin(self, manifest: Manifest) -> None:
        if manifest.size > self.size_max:
            raise BlobRefused("no room")
        self.manifests[manifest.content_id()] = manifest

    def chunks_missing(self, blob: ContentId) -> list[int]:
        indices = range(len(self.manifests[blob].chunks))
        return [index for index in indices if (blob, index) not in self.chunks]

    def read_chunk(self, blob: ContentId, index: int) -> bytes | None:
        return self.chunks.get((blob, index))

    def put_chunk(self, blob: ContentId, index: int, data: bytes) -> None:
        self.written.append(index)
        self.chunks[blob, index] = data
