"""The node's store of blobs, named by content id: data sets, models, task specifications.

Source: WP V.C (data and models off the chain).
"""

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
