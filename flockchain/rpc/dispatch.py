"""From a message to its answer: find the method, check who calls, run it, word the result.

Methods run one at a time, and the event loop turns between any two of them, so that calls, however
many come, never keep the node from authoring and voting for longer than one method takes.

Source: JSON-RPC 2.0; Substrate `sc_rpc_server`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from flockchain.rpc.connection import Connection
from flockchain.rpc.context import RpcContext
from flockchain.rpc.errors import (
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    OVERSIZED_RESPONSE,
    ExecutionFailed,
    RpcError,
)
from flockchain.rpc.jsonrpc import (
    MESSAGE_BYTES_MAX,
    Id,
    Request,
    error_message,
    find_id,
    read_document,
    read_request,
    result_message,
)
from flockchain.rpc.methods import METHODS
from flockchain.rpc.registry import Call, Method
from flockchain.storage.errors import StateDiscarded

log = logging.getLogger(__name__)

Observer = Callable[[str, bool, float], None]  # (method, whether it failed, seconds)
_UNKNOWN: Final = "unknown"  # one label for all names that nobody declared


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a message. `connection` is None over HTTP."""

    is_trusted: bool
    connection: Connection | None = None


class Dispatcher:
    """Answers messages."""

    def __init__(self, context: RpcContext, observe: Observer | None = None) -> None:
        self.context = context
        self._observe = observe
        self._turn = asyncio.Lock()

    async def answer(self, raw: bytes, caller: Caller) -> bytes | None:
        """The response to a message; None if it calls for none."""
        try:
            document = read_document(raw)
        except RpcError as error:
            return error_message(None, error)
        if not isinstance(document, list):
            return await self._answer_one(document, caller)
        answers: list[bytes] = []
        size = 0
        for item in document:
            answer = await self._answer_one(item, caller)
            if answer is None:
                continue
            if size + len(answer) > MESSAGE_BYTES_MAX:
                answer = error_message(_id_of(item), _oversized())
            size += len(answer)
            answers.append(answer)
        return b"[" + b",".join(answers) + b"]" if answers else None

    async def _answer_one(self, document: Any, caller: Caller) -> bytes | None:
        try:
            request = read_request(document)
        except RpcError as error:
            return error_message(_id_of(document), error)
        if request.is_notification:
            return None
        async with self._turn:
            answer = await self._run(request, caller)
            await asyncio.sleep(0)
        return answer

    async def _run(self, request: Request, caller: Caller) -> bytes:
        started, is_failure, name = time.perf_counter(), True, _UNKNOWN
        try:
            method = self._find(request.method, caller)
            name = method.name
            call = Call(self.context, caller.connection, caller.is_trusted)
            result = method.function(call, *method.bind(request.params))
            if isinstance(result, Awaitable):
                result = await result
            answer = result_message(request.id, result)
            if len(answer) > MESSAGE_BYTES_MAX:
                raise _oversized()
            is_failure = False
            return answer
        except RpcError as error:
            return error_message(request.id, error)
        except StateDiscarded as error:
            return error_message(request.id, ExecutionFailed(f"State already discarded: {error}"))
        except Exception:
            log.exception("method %s failed", request.method)
            return error_message(request.id, RpcError(INTERNAL_ERROR, "Internal error"))
        finally:
            if self._observe is not None:
                self._observe(name, is_failure, time.perf_counter() - started)

    def _find(self, name: str, caller: Caller) -> Method:
        method = METHODS.get(name)
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        if not method.is_safe and not caller.is_trusted:
            raise RpcError(METHOD_NOT_FOUND, "RPC call is unsafe to be called externally")
        if method.needs_connection and caller.connection is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found", "subscriptions need a WebSocket")
        return method


def _oversized() -> RpcError:
    return RpcError(
        OVERSIZED_RESPONSE, "Response is too big", f"Exceeded max limit of {MESSAGE_BYTES_MAX}"
    )


def _id_of(document: Any) -> Id:
    try:
        return find_id(document)
    except RpcError:
        return None
