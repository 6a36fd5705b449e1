"""The node's store of blobs, named by content id: data sets, models, task specifications."""

from flockchain.blobs.errors import (
    BlobBusyError,
    BlobCorruptError,
    BlobError,
    BlobLimitError,
    BlobMissingError,
    BlobNameError,
)
from flockchain.blobs.store import BlobStore

__all__ = [
    "BlobBusyError",
    "BlobCorruptError",
    "BlobError",
    "BlobLimitError",
    "BlobMissingError",
    "BlobNameError",
    "BlobStore",
]
