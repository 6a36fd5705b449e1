"""What the blob store refuses, one class a rule.

Owns the errors of `flockchain.blobs`. Invariant: every refusal of the store is a `BlobError`; an
`OSError` that escapes means that the disk itself failed.
Source: WP V.C (data and models off the chain).
"""


class BlobError(Exception):
    """A request to the blob store that it refuses."""


class BlobNameError(BlobError):
    """The name is not a content id, a chunk does not exist in the blob, or a range is negative."""


class BlobMissingError(BlobError):
    """The store does not hold the blob, or not yet all of it."""


class BlobLimitError(BlobError):
    """The blob is larger than one may be, or nothing unpinned is left to make room for it."""


class BlobCorruptError(BlobError):
    """Bytes that do not hash to what the manifest says, offered by a peer or read from the disk."""


class BlobBusyError(BlobError):
    """As many blobs are wanted from the network as the node keeps track of; try again later."""
