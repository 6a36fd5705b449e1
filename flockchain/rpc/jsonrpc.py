"""JSON-RPC 2.0 over bytes: strict reading, bounded in size, structure, depth and batch.

Invariant: every limit is checked before any method runs; the id of a request comes back as it was
sent; whatever a method does, the client gets a response in JSON-RPC's form.

Source: JSON-RPC 2.0; RFC 8259 (no NaN, no Infinity).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from flockchain.rpc.errors import (
    BATCH_TOO_LARGE,
    INVALID_REQUEST,
    OVERSIZED_REQUEST,
    PARSE_ERROR,
    RpcError,
)
from flockchain.rpc.wire import Json

MESSAGE_BYTES_MAX: Final = 15 * 1024 * 1024
ITEMS_MAX: Final = 65_536  # commas and brackets: what memory a document can take once parsed
DEPTH_MAX: Final = 32
BATCH_MAX: Final = 100
ID_LENGTH_MAX: Final = 256

Id = str | int | None


@dataclass(frozen=True, slots=True)
class Request:
    """A well-formed request. Without an id it is a notification, which is never answered."""

    id: Id
    method: str
    params: Sequence[Json] | Mapping[str, Json] | None
    is_notification: bool


def read_document(raw: bytes) -> Any:
    """Parse a message within the limits. Raises RpcError."""
    if len(raw) > MESSAGE_BYTES_MAX:
        raise oversized_request()
    items = raw.count(b",") + raw.count(b"[") + raw.count(b"{")
    if items > ITEMS_MAX:
        raise RpcError(INVALID_REQUEST, "Invalid request", f"more than {ITEMS_MAX} items")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise RpcError(PARSE_ERROR, "Parse error") from error
    _ensure_depth(document)
    if isinstance(document, list):
        _ensure_batch(document)
    return document


def read_request(document: Any) -> Request:
    """One request of a message. Raises RpcError(INVALID_REQUEST)."""
    if not isinstance(document, dict) or document.get("jsonrpc") != "2.0":
        raise _invalid("expected an object with jsonrpc 2.0")
    method, params = document.get("method"), document.get("params")
    if not isinstance(method, str):
        raise _invalid("method is not a string")
    if not isinstance(params, list | dict | None):
        raise _invalid("params is neither a list nor an object")
    return Request(find_id(document), method, params, "id" not in document)


def find_id(document: Any) -> Id:
    """The id of a request, as well as it can be told. Raises RpcError for one of a wrong type."""
    identity = document.get("id") if isinstance(document, dict) else None
    if identity is None or type(identity) is int:
        return identity
    if not isinstance(identity, str) or len(identity) > ID_LENGTH_MAX:
        raise _invalid("id is neither an integer nor a short string")
    return identity


def result_message(identity: Id, result: Json) -> bytes:
    """The response of a call that went well."""
    return orjson.dumps({"jsonrpc": "2.0", "id": identity, "result": result})


def error_message(identity: Id, error: RpcError) -> bytes:
    """The response of a call that failed."""
    body: dict[str, Json] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    return orjson.dumps({"jsonrpc": "2.0", "id": identity, "error": body})


def oversized_request() -> RpcError:
    """A message is longer than MESSAGE_BYTES_MAX."""
    return RpcError(
        OVERSIZED_REQUEST, "Request is too big", f"Exceeded max limit of {MESSAGE_BYTES_MAX}"
    )


def _ensure_depth(document: Any) -> None:
    level = [document]
    for _ in range(DEPTH_MAX):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return
        level = below
    if any(isinstance(item, dict | list) for item in level):
        raise _invalid(f"nested deeper than {DEPTH_MAX}")


def _ensure_batch(document: list[Any]) -> None:
    if not document:
        raise _invalid("empty batch")
    if len(document) > BATCH_MAX:
        raise RpcError(
            BATCH_TOO_LARGE,
            "The batch request was too large",
            f"Exceeded max limit of {BATCH_MAX}",
        )


def _invalid(reason: str) -> RpcError:
    return RpcError(INVALID_REQUEST, "Invalid request", reason)
