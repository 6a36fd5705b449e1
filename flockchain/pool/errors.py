"""Why the pool refuses an extrinsic, with the codes that Substrate clients know.

Source: Substrate `sc_rpc_api::author::error`.
"""

from __future__ import annotations

from runtime.frame.errors import TransactionValidityError, UnknownTransaction


class PoolError(Exception):
    """An extrinsic was refused. `code` is the JSON-RPC error code."""

    code = 1000


class Refused(PoolError):
    """The runtime says that the extrinsic is invalid (1010) or cannot tell (1011)."""

    def __init__(self, error: TransactionValidityError) -> None:
        super().__init__(str(error))
        self.error = error
        self.code = 1011 if isinstance(error, UnknownTransaction) else 1010


class Banned(PoolError):
    """The extrinsic was found invalid a short while ago."""

    code = 1012


class AlreadyImported(PoolError):
    """The extrinsic is in the pool."""

    code = 1013


class TooLowPriority(PoolError):
    """Another extrinsic of that nonce is in the pool; replacing it takes a tip 10 % higher."""

    code = 1014


class PoolFull(PoolError):
    """The pool, or the sender's part of it, is full of extrinsics of no lower priority."""

    code = 1016


class NoState(PoolError):
    """The chain is still to begin at a proven block: nothing is here to judge an extrinsic by."""

    code = 1011


class TooLarge(PoolError):
    """The extrinsic has more bytes than fit into a block."""

    code = 1010
