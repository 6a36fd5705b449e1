"""`transaction_v1_*` and `transactionWatch_v1_*`: broadcast an extrinsic, or follow it.

A broadcast goes on until it is stopped or its connection ends: with every new best block, what is
not in the pool is offered to it again.

Source: the new JSON-RPC specification, groups transaction and transactionWatch.
"""

from __future__ import annotations

from typing import Final

from flockchain.chain.notifications import Imported
from flockchain.pool.entry import Status
from flockchain.pool.errors import PoolError
from flockchain.rpc.context import RpcContext
from flockchain.rpc.errors import InvalidParams
from flockchain.rpc.params import HexBytes
from flockchain.rpc.registry import Call, method
from flockchain.rpc.wire import Json, to_hex
from runtime.frame.extrinsic import extrinsic_hash
from runtime.primitives.types import Hash

BROADCASTS_MAX: Final = 16  # of one connection
_BROADCAST: Final = "transaction_v1_broadcast"  # the kind of subscription that stands for one


@method("transaction_v1_broadcast", subscription=True)
def broadcast(call: Call, transaction: HexBytes) -> Json:
    """Spread an extrinsic until told to stop; an id, or null if there are too many."""
    connection, context = call.connection, call.context
    assert connection is not None, "subscriptions are refused over HTTP"
    running = [item for item in connection.subscriptions.values() if item.method == _BROADCAST]
    if len(running) >= BROADCASTS_MAX:
        return None
    operation = connection.subscribe(_BROADCAST)
    identity = extrinsic_hash(transaction)

    def offer() -> None:
        if identity not in context.pool:
            try:
                context.submit(transaction)
            except PoolError:
                return  # not valid now, or included; the client finds out by following blocks

    def on_imported(event: Imported) -> None:
        if event.is_new_best:
            offer()

    listeners = context.backend.notifications.on_imported
    listeners.append(on_imported)
    operation.on_close(lambda: listeners.remove(on_imported))
    offer()
    return operation.id


@method("transaction_v1_stop", subscription=True)
def stop(call: Call, operation_id: str) -> Json:
    """Stop a broadcast. Raises InvalidParams if there is none of that id."""
    assert call.connection is not None, "subscriptions are refused over HTTP"
    if not call.connection.unsubscribe(operation_id, _BROADCAST):
        raise InvalidParams(f"no broadcast {operation_id!r}")
    return None


@method("transactionWatch_v1_submitAndWatch", subscription=True)
def submit_and_watch(call: Call, transaction: HexBytes) -> Json:
    """Submit an extrinsic; events tell what becomes of it, a refusal too."""
    connection, context = call.connection, call.context
    assert connection is not None, "subscriptions are refused over HTTP"
    watch, identity = context.watch, extrinsic_hash(transaction)
    subscription = connection.subscribe("transactionWatch_v1_watchEvent")

    last: dict[str, Json] | None = None

    def on_status(status: Status, block: Hash | None) -> None:
        nonlocal last
        event = _event(context, transaction, status, block)
        if event is not None and event != last:  # ready after future is validated once
            last = event
            subscription.notify(event)
        if status.is_last():
            subscription.close()

    watch.add(identity, on_status)
    subscription.on_close(lambda: watch.remove(identity, on_status))
    try:
        context.submit(transaction)
    except PoolError as error:
        subscription.notify({"event": "invalid", "error": str(error)})
        subscription.close()
    return subscription.id


@method("transactionWatch_v1_unwatch", subscription=True)
def unwatch(call: Call, subscription: str) -> Json:
    """Stop watching; the extrinsic stays in the pool."""
    assert call.connection is not None, "subscriptions are refused over HTTP"
    call.connection.unsubscribe(subscription, "transactionWatch_v1_watchEvent")
    return None


def _event(
    context: RpcContext, transaction: bytes, status: Status, block: Hash | None
) -> dict[str, Json] | None:
    match status:
        case Status.READY | Status.FUTURE:
            return {"event": "validated"}
        case Status.IN_BLOCK | Status.FINALIZED:
            name = "finalized" if status is Status.FINALIZED else "bestChainBlockIncluded"
            return {"event": name, "block": _place(context, transaction, block)}
        case Status.RETRACTED:
            return {"event": "bestChainBlockIncluded", "block": None}
        case Status.INVALID:
            return {"event": "invalid", "error": "Extrinsic marked as invalid"}
        case Status.USURPED:
            return {"event": "invalid", "error": "Extrinsic was usurped"}
        case Status.DROPPED:
            return {"event": "dropped", "error": "Extrinsic dropped from the pool due to limits"}
        case Status.FINALITY_TIMEOUT:
            return {"event": "dropped", "error": "Maximum number of finality watchers was reached"}
        case Status.BROADCAST:
            return None


def _place(context: RpcContext, transaction: bytes, block: Hash | None) -> Json:
    assert block is not None, "an extrinsic is in a block"
    body = context.backend.blocks.body(block) or []
    return {"hash": to_hex(block), "index": body.index(transaction)}
