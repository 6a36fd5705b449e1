"""The errors of storage, one class for each thing that can go wrong.

Owns `StorageError` and its kinds. A caller that can answer for a missing state catches
`StateDiscarded`; every other kind means the disk or the program is broken and ends the node.

Source: WP II.A (state and ledger), Substrate state-db.
"""


class StorageError(Exception):
    """The store cannot do what was asked; the message says why and what the operator can do."""


class StoreLocked(StorageError):
    """Another process has the database open."""


class StoreCorrupted(StorageError):
    """The database's files are damaged: a checksum, a hash or a record does not hold."""


class StoreClosed(StorageError):
    """The store was used after `close`."""


class StateDiscarded(StorageError):
    """No state is kept for this root: it was pruned, dropped with its fork, or never stored."""


class StateCorrupted(StorageError):
    """A stored node is missing or does not hash to what its parent says."""


class StateConflict(StorageError):
    """A state was offered that does not fit the stored ones: known, unlinked or below finality."""


class KeyTooLong(StorageError):
    """A state key is longer than `KEY_BYTES_MAX`."""


class PinLimitReached(StorageError):
    """Too many roots are pinned at once."""


class ProofError(ValueError):
    """A storage proof is malformed, incomplete or holds entries that prove nothing."""
