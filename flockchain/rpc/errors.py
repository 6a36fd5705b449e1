"""What a JSON-RPC call is answered with when it fails, in Substrate's codes and words.

Clients compare some of the texts, so they are written once, here.

Source: JSON-RPC 2.0, section 5.1; Substrate `sc_rpc_api::{state, author, system}::error`.
"""

from __future__ import annotations

from typing import Final

from flockchain.pool.errors import PoolError, Refused
from runtime.frame.errors import (
    InvalidKind,
    InvalidTransaction,
    TransactionValidityError,
    UnknownKind,
)
from runtime.primitives.scale import DecodeError

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
TOO_MANY_SUBSCRIPTIONS: Final = -32006
OVERSIZED_REQUEST: Final = -32007
OVERSIZED_RESPONSE: Final = -32008
BATCH_TOO_LARGE: Final = -32010
NOT_PINNED: Final = -32801
CLIENT_ERROR: Final = 4003
COUNT_TOO_LARGE: Final = 4002
BAD_FORMAT: Final = 1001
INVALID_TRANSACTION: Final = 1010
OTHER_AUTHOR_ERROR: Final = 1040

_INVALID_TEXTS: Final[dict[InvalidKind, str]] = {
    InvalidKind.CALL: "Transaction call is not expected",
    InvalidKind.PAYMENT: "Inability to pay some fees (e.g. account balance too low)",
    InvalidKind.FUTURE: "Transaction will be valid in the future",
    InvalidKind.STALE: "Transaction is outdated",
    InvalidKind.BAD_PROOF: "Transaction has a bad signature",
    InvalidKind.ANCIENT_BIRTH_BLOCK: "Transaction has an ancient birth block",
    InvalidKind.EXHAUSTS_RESOURCES: "Transaction would exhaust the block limits",
    InvalidKind.BAD_MANDATORY: ("A call was labelled as mandatory, but resulted in an Error."),
    InvalidKind.MANDATORY_VALIDATION: "Transaction dispatch is mandatory; "
    "transactions must not be validated.",
    InvalidKind.BAD_SIGNER: "Invalid signing address",
}
_UNKNOWN_TEXTS: Final[dict[UnknownKind, str]] = {
    UnknownKind.CANNOT_LOOKUP: "Could not lookup information required to validate the transaction",
    UnknownKind.NO_UNSIGNED_VALIDATOR: (
        "Could not find an unsigned validator for the unsigned transaction"
    ),
}
_POOL_TEXTS: Final[dict[int, str]] = {
    1010: "Invalid Transaction",
    1011: "Unknown Transaction Validity",
    1012: "Transaction is temporarily banned",
    1013: "Transaction is already imported",
    1014: "Priority is too low",
    1016: "Immediately Dropped",
}


class RpcError(Exception):
    """A failed call: `code` and message as the client sees them, `data` explains further."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class InvalidParams(RpcError):
    """A parameter is missing, of a wrong type or out of its range."""

    def __init__(self, reason: str) -> None:
        super().__init__(INVALID_PARAMS, f"Invalid params: {reason}")


class UnknownBlock(RpcError):
    """The block, or its state, is not here; two clients look for exactly these words."""

    def __init__(self, block: bytes) -> None:
        super().__init__(
            CLIENT_ERROR,
            "Client error: Api called for an unknown Block: "
            f"State already discarded for 0x{block.hex()}",
        )


class ExecutionFailed(RpcError):
    """A runtime API does not exist, or cannot do what it was asked."""

    def __init__(self, reason: str) -> None:
        super().__init__(CLIENT_ERROR, f"Client error: Execution failed: Other: {reason}")


def refusal(error: PoolError) -> RpcError:
    """Why the pool refused an extrinsic, as wallets show it."""
    message = _POOL_TEXTS.get(error.code, "Transaction pool error")
    if isinstance(error, Refused) and isinstance(error.error.__cause__, DecodeError):
        return RpcError(BAD_FORMAT, f"Extrinsic has invalid format: {error.error.__cause__}")
    if isinstance(error, Refused):
        return RpcError(error.code, message, validity_text(error.error))
    return RpcError(error.code, message, str(error))


def validity_text(error: TransactionValidityError) -> str:
    """Substrate's sentence for a validity error, else the runtime's own."""
    if isinstance(error.kind, InvalidKind) and isinstance(error, InvalidTransaction):
        return _INVALID_TEXTS.get(error.kind, f"InvalidTransaction custom error: {error.code}")
    if isinstance(error.kind, UnknownKind):
        known = _UNKNOWN_TEXTS.get(error.kind)
        return known or f"UnknownTransaction custom error: {error.code}"
    return str(error)
