"""A blob store in memory, for tests of both networks."""

from p2p.manifest import CHUNK_SIZE, BlobId, Manifest, manifest_of


class MemoryBlobs:
    """Manifests and chunks in two dictionaries."""

    def __init__(self) -> None:
        self.manifests: dict[BlobId, Manifest] = {}
        self.chunks: dict[tuple[BlobId, int], bytes] = {}
        self.written: list[int] = []

    def add(self, content: bytes) -> BlobId:
        pieces = [content[at : at + CHUNK_SIZE] for at in range(0, len(content), CHUNK_SIZE)]
        manifest = manifest_of(pieces)
        blob = manifest.blob_id()
        self.manifests[blob] = manifest
        self.chunks.update({(blob, index): piece for index, piece in enumerate(pieces)})
        return blob

    def content(self, blob: BlobId) -> bytes:
        return b"".join(
            self.chunks[blob, index] for index in range(len(self.manifests[blob].chunks))
        )

    def manifest(self, blob: BlobId) -> Manifest | None:
        return self.manifests.get(blob)

    def put_manifest(self, blob: BlobId, manifest: Manifest) -> None:
        self.manifests[blob] = manifest

    def has(self, blob: BlobId, index: int) -> bool:
        return (blob, index) in self.chunks

    def read_chunk(self, blob: BlobId, index: int) -> bytes | None:
        return self.chunks.get((blob, index))

    def put_chunk(self, blob: BlobId, index: int, data: bytes) -> None:
        self.written.append(index)
        self.chunks[blob, index] = data
