"""`author_*`: hand in extrinsics and watch what becomes of them.

Source: Substrate `sc_rpc::author`.
"""

from __future__ import annotations

from flockchain.pool.entry import Entry, Status
from flockchain.pool.errors import PoolError
from flockchain.rpc.context import RpcContext
from flockchain.rpc.errors import RpcError, refusal
from flockchain.rpc.params import HexBytes
from flockchain.rpc.registry import Call, method
from flockchain.rpc.wire import Json, to_hex
from runtime.frame.extrinsic import extrinsic_hash
from runtime.primitives.types import Hash


def submit(context: RpcContext, data: bytes) -> Entry:
    """Hand an extrinsic to the node. Raises RpcError with the code that wallets know."""
    try:
        return context.submit(data)
    except PoolError as error:
        raise refusal(error) from error


@method("author_submitExtrinsic")
def submit_extrinsic(call: Call, extrinsic: HexBytes) -> Json:
    """Submit an extrinsic; its hash."""
    return to_hex(submit(call.context, extrinsic).hash)


@method("author_submitAndWatchExtrinsic", subscription=True)
def submit_and_watch_extrinsic(call: Call, extrinsic: HexBytes) -> Json:
    """Submit an extrinsic and hear what becomes of it, until it is final or lost."""
    assert call.connection is not None, "subscriptions are refused over HTTP"
    watch, identity = call.context.watch, extrinsic_hash(extrinsic)
    subscription = call.connection.subscribe("author_extrinsicUpdate")

    def on_status(status: Status, block: Hash | None) -> None:
        subscription.notify(status_json(status, block))
        if status.is_last():
            subscription.close()

    watch.add(identity, on_status)
    subscription.on_close(lambda: watch.remove(identity, on_status))
    try:
        submit(call.context, extrinsic)
    except RpcError:
        subscription.close()
        raise
    return subscription.id


def status_json(status: Status, block: Hash | None) -> Json:
    """What `author_extrinsicUpdate` says; `block` is the usurper's hash with USURPED."""
    if status is Status.BROADCAST:
        return {"broadcast": []}
    name = str(status.value)
    return name if block is None else {name: to_hex(block)}


@method("author_unwatchExtrinsic", subscription=True)
def unwatch_extrinsic(call: Call, subscription: str) -> Json:
    """Stop watching; false if the subscription does not exist."""
    assert call.connection is not None, "subscriptions are refused over HTTP"
    return call.connection.unsubscribe(subscription, "author_extrinsicUpdate")


@method("author_pendingExtrinsics")
def pending_extrinsics(call: Call) -> Json:
    """The extrinsics that are ready, in the order in which an author would take them."""
    return [to_hex(entry.data) for entry in call.context.pool.best()]
