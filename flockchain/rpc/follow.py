"""One `chainHead_v1_follow`: which blocks a client was told of, and which are pinned for it.

Invariant: a block is announced after its parent and before it becomes best or final; the states of
pinned blocks are kept. A client that pins too much is told to stop.

Source: the new JSON-RPC specification, `chainHead_v1_follow`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

from flockchain.chain.notifications import Finalized, Imported
from flockchain.rpc.connection import Subscription
from flockchain.rpc.context import RpcContext
from flockchain.rpc.lookup import state_at
from flockchain.rpc.state import version_of
from flockchain.rpc.wire import Json, spec_json, to_hex
from flockchain.storage.errors import StateDiscarded, StorageError
from runtime.primitives.header import Header
from runtime.primitives.types import Hash
from runtime.version import CODE_KEY

FINAL_BLOCKS_SHOWN: Final = 16
PINNED_MAX: Final = 512
OPERATIONS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class KnownBlock:
    """A block that the client was told of."""

    header: Header
    code: bytes | None  # what `:code` holds behind it: which runtime decodes what follows


class Follow:
    """The blocks of one subscription. `start` sends `initialized` and what follows from it."""

    def __init__(
        self, context: RpcContext, subscription: Subscription, *, with_runtime: bool
    ) -> None:
        self.subscription = subscription
        self.with_runtime = with_runtime
        self.pinned: dict[Hash, KnownBlock] = {}
        self.operations: dict[str, asyncio.Task[None]] = {}
        self._context = context
        self._backend = context.backend
        self._known: dict[Hash, KnownBlock] = {}  # the last final block and all above it
        self._best: Hash | None = None
        self._operations_started = 0

    def start(self) -> None:
        """Tell of the chain as it is, then listen."""
        notifications = self._backend.notifications
        notifications.on_imported.append(self._on_imported)
        notifications.on_finalized.append(self._on_finalized)
        self.subscription.on_close(self._close)
        shown = self._final_blocks()
        event: dict[str, Json] = {
            "event": "initialized",
            "finalizedBlockHashes": [to_hex(block) for block in shown],
        }
        for block in shown:
            self._pin(block)
        final = shown[-1]
        self._known = {final: self.pinned[final]}
        if self.with_runtime:
            event["finalizedBlockRuntime"] = self._runtime(final)
        self._send(event)
        tree = self._backend.tree
        above = sorted(tree.descendants(final), key=lambda node: (node.number, node.hash))
        for node in above:
            self._announce(node.hash)
        self._tell_best()

    def unpin(self, block: Hash) -> None:
        """Let a block go. Raises KeyError if it is not pinned."""
        known = self.pinned.pop(block)
        self._backend.state.unpin(known.header.state_root)

    def reserve(self) -> str:
        """An id that no operation of the subscription had."""
        self._operations_started += 1
        return str(self._operations_started)

    def begin(self, identity: str, operation: Coroutine[Any, Any, None]) -> None:
        """Run an operation as a task."""
        task = asyncio.create_task(operation)
        self.operations[identity] = task
        task.add_done_callback(lambda _: self.operations.pop(identity, None))

    # -- the chain's news

    def _on_imported(self, event: Imported) -> None:
        self._guarded(event.hash)
        self._tell_best()

    def _on_finalized(self, event: Finalized) -> None:
        for block in event.finalized:
            self._guarded(block)
        if not self.subscription.is_open:
            return
        self._tell_best()
        pruned = [block for block in event.lost if self._known.pop(block, None) is not None]
        self._send(
            {
                "event": "finalized",
                "finalizedBlockHashes": [to_hex(block) for block in event.finalized],
                "prunedBlockHashes": [to_hex(block) for block in pruned],
            }
        )
        for block, known in list(self._known.items()):
            if known.header.number < event.header.number:
                del self._known[block]

    def _guarded(self, block: Hash) -> None:
        if not self.subscription.is_open or block in self._known:
            return
        try:
            self._announce(block)
        except StorageError:  # too much is pinned, or the state is gone: the client starts anew
            self._stop()

    def _announce(self, block: Hash) -> None:
        """Tell of a block, after its parent."""
        if block in self._known:
            return
        header = self._backend.header(block)
        if header is None or header.parent_hash not in self._known:
            self._stop()
            return
        self._pin(block)
        self._known[block] = self.pinned[block]
        event: dict[str, Json] = {
            "event": "newBlock",
            "blockHash": to_hex(block),
            "parentBlockHash": to_hex(header.parent_hash),
        }
        if self.with_runtime:
            is_same = self._known[header.parent_hash].code == self._known[block].code
            event["newRuntime"] = None if is_same else self._runtime(block)
        self._send(event)

    def _tell_best(self) -> None:
        best = self._backend.best.hash
        if best != self._best and best in self._known:
            self._best = best
            self._send({"event": "bestBlockChanged", "bestBlockHash": to_hex(best)})

    # -- pins

    def _pin(self, block: Hash) -> None:
        """Keep a block's state. Raises StorageError."""
        if len(self.pinned) >= PINNED_MAX:
            raise StateDiscarded(f"{PINNED_MAX} blocks are pinned, the most allowed")
        header = self._backend.header(block)
        assert header is not None, "blocks of the tree are known"
        self._backend.state.pin(header.state_root)
        code = self._backend.state.reader(header.state_root).get(CODE_KEY)
        self.pinned[block] = KnownBlock(header, code)

    def _final_blocks(self) -> list[Hash]:
        """The last final blocks whose states are kept, oldest first."""
        found = [self._backend.finalized.hash]
        while len(found) < FINAL_BLOCKS_SHOWN:
            header = self._backend.header(found[0])
            parent = None if header is None else self._backend.header(header.parent_hash)
            if header is None or parent is None:
                break
            if not self._backend.state.has_state(parent.state_root):
                break
            found.insert(0, header.parent_hash)
        return found

    def _runtime(self, block: Hash) -> Json:
        spec = spec_json(version_of(state_at(self._context, block)))
        return {"type": "valid", "spec": spec}

    # -- the end

    def _send(self, event: dict[str, Json]) -> None:
        self.subscription.notify(event)

    def _stop(self) -> None:
        """The client must follow anew."""
        self._send({"event": "stop"})
        self.subscription.close()

    def _close(self) -> None:
        notifications = self._backend.notifications
        notifications.on_imported.remove(self._on_imported)
        notifications.on_finalized.remove(self._on_finalized)
        for task in list(self.operations.values()):
            task.cancel()
        for block in list(self.pinned):
            self.unpin(block)
