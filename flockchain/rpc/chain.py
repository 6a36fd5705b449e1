"""`chain_*`: blocks, headers, hashes, and subscriptions to heads.

Source: Substrate `sc_rpc::chain`.
"""

from __future__ import annotations

from flockchain.chain.notifications import Finalized, Imported
from flockchain.rpc.connection import Subscription
from flockchain.rpc.lookup import block_or_best
from flockchain.rpc.params import BlockNumbers
from flockchain.rpc.registry import Call, method
from flockchain.rpc.wire import Json, header_json, to_hex, to_hex_or_none
from runtime.primitives.types import Hash


@method("chain_getBlockHash", aliases=["chain_getHead"])
def get_block_hash(call: Call, number: BlockNumbers | None) -> Json:
    """The hash of a block of the best chain by number, of several, or of the best block."""
    backend = call.context.backend
    if number is None:
        return to_hex(backend.best.hash)
    if isinstance(number, list):
        return [to_hex_or_none(backend.blocks.hash_at(item)) for item in number]
    assert isinstance(number, int), "the parser gives a number or a list of them"
    return to_hex_or_none(backend.blocks.hash_at(number))


@method("chain_getFinalizedHead", aliases=["chain_getFinalisedHead"])
def get_finalized_head(call: Call) -> Json:
    """The hash of the last finalized block."""
    return to_hex(call.context.backend.finalized.hash)


@method("chain_getHeader")
def get_header(call: Call, hash_: Hash | None) -> Json:
    """A header; null if the block is not known."""
    header = call.context.backend.header(block_or_best(call.context, hash_))
    return None if header is None else header_json(header)


@method("chain_getBlock")
def get_block(call: Call, hash_: Hash | None) -> Json:
    """A block with its extrinsics and justification; null if it is not known."""
    backend = call.context.backend
    block = block_or_best(call.context, hash_)
    header, body = backend.header(block), backend.blocks.body(block)
    if header is None or body is None:
        return None
    extrinsics = [to_hex(data) for data in body]
    return {
        "block": {"header": header_json(header), "extrinsics": extrinsics},
        "justifications": _justifications(backend.blocks.justification(block)),
    }


def _justifications(justification: bytes | None) -> Json:
    """Engine and proof, both as lists of bytes."""
    return None if justification is None else [[list(b"FRNK"), list(justification)]]


@method("chain_subscribeNewHeads", aliases=["chain_subscribeNewHead"], subscription=True)
def subscribe_new_heads(call: Call) -> Json:
    """Headers of the best chain as it grows, beginning with the best block's."""
    return _subscribe_imported(call, "chain_newHead", is_best_only=True)


@method("chain_subscribeAllHeads", subscription=True)
def subscribe_all_heads(call: Call) -> Json:
    """Headers of all blocks as they are imported, beginning with the best block's."""
    return _subscribe_imported(call, "chain_allHead", is_best_only=False)


@method(
    "chain_subscribeFinalizedHeads",
    aliases=["chain_subscribeFinalisedHeads"],
    subscription=True,
)
def subscribe_finalized_heads(call: Call) -> Json:
    """Headers of all finalized blocks in order, beginning with the last finalized one's."""
    backend = call.context.backend
    subscription = _open(call, "chain_finalizedHead", backend.finalized.hash)

    def on_finalized(event: Finalized) -> None:
        for block in event.finalized:
            header = backend.header(block)
            if header is not None:
                subscription.notify(header_json(header))

    listeners = backend.notifications.on_finalized
    listeners.append(on_finalized)
    subscription.on_close(lambda: listeners.remove(on_finalized))
    return subscription.id


def _subscribe_imported(call: Call, name: str, *, is_best_only: bool) -> Json:
    backend = call.context.backend
    subscription = _open(call, name, backend.best.hash)

    def on_imported(event: Imported) -> None:
        if event.is_new_best or not is_best_only:
            subscription.notify(header_json(event.header))

    listeners = backend.notifications.on_imported
    listeners.append(on_imported)
    subscription.on_close(lambda: listeners.remove(on_imported))
    return subscription.id


def _open(call: Call, name: str, first: Hash) -> Subscription:
    assert call.connection is not None, "subscriptions are refused over HTTP"
    subscription = call.connection.subscribe(name)
    header = call.context.backend.header(first)
    assert header is not None, "the heads of the chain are known"
    subscription.notify(header_json(header))
    return subscription


@method(
    "chain_unsubscribeNewHeads",
    aliases=["chain_unsubscribeNewHead"],
    subscription=True,
)
def unsubscribe_new_heads(call: Call, subscription: str) -> Json:
    """End a subscription; false if there is none."""
    return _close(call, subscription, "chain_newHead")


@method("chain_unsubscribeAllHeads", subscription=True)
def unsubscribe_all_heads(call: Call, subscription: str) -> Json:
    """End a subscription; false if there is none."""
    return _close(call, subscription, "chain_allHead")


@method(
    "chain_unsubscribeFinalizedHeads",
    aliases=["chain_unsubscribeFinalisedHeads"],
    subscription=True,
)
def unsubscribe_finalized_heads(call: Call, subscription: str) -> Json:
    """End a subscription; false if there is none."""
    return _close(call, subscription, "chain_finalizedHead")


def _close(call: Call, identity: str, name: str) -> bool:
    assert call.connection is not None, "subscriptions are refused over HTTP"
    return call.connection.unsubscribe(identity, name)
