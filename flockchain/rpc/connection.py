"""One WebSocket connection: an ordered, bounded queue of what is to be sent, and subscriptions.

Invariant: a subscription's first notification leaves after the response that names it: until the
response is queued, its notifications wait. A consumer that does not keep up is disconnected.

Source: Substrate JSON-RPC (subscriptions), JSON-RPC 2.0.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import orjson

from flockchain.rpc.errors import TOO_MANY_SUBSCRIPTIONS, RpcError
from flockchain.rpc.wire import Json

if TYPE_CHECKING:
    from flockchain.rpc.follow import Follow

SUBSCRIPTIONS_MAX: Final = 128
QUEUED_BYTES_MAX: Final = 8 * 1024 * 1024  # of notifications, beyond which a consumer is slow
RESUME_BYTES: Final = 1024 * 1024  # requests wait while more than this is unsent
ALL_QUEUED_BYTES_MAX: Final = 256 * 1024 * 1024


class SendBudget:
    """Bytes queued on all connections together."""

    def __init__(self, bytes_max: int = ALL_QUEUED_BYTES_MAX) -> None:
        self.bytes_max = bytes_max
        self.used = 0


class Subscription:
    """A stream of notifications under one id. `method` names them on the wire."""

    def __init__(self, connection: Connection, identity: str, method: str) -> None:
        self.id = identity
        self.method = method
        self.is_open = True
        self._connection = connection
        self._waiting: list[bytes] | None = []  # None once the response went out
        self._on_close: list[Callable[[], None]] = []

    def on_close(self, action: Callable[[], None]) -> None:
        """Run `action` when the subscription ends, for whatever reason."""
        self._on_close.append(action)

    def notify(self, result: Json) -> None:
        """Send a notification; nothing happens once the subscription ended."""
        if not self.is_open:
            return
        message = orjson.dumps(
            {
                "jsonrpc": "2.0",
                "method": self.method,
                "params": {"subscription": self.id, "result": result},
            }
        )
        if self._waiting is not None:
            self._waiting.append(message)
        else:
            self._connection.queue_notification(message)

    def activate(self) -> None:
        """The response is queued: let the notifications follow."""
        waiting, self._waiting = self._waiting or [], None
        for message in waiting:
            self._connection.queue_notification(message)

    def close(self) -> None:
        """End the subscription; what waits for the response still goes out."""
        if self.is_open:
            self.is_open = False
            self._connection.forget(self)
            for action in self._on_close:
                action()


class Connection:
    """What one client has open."""

    def __init__(self, budget: SendBudget, *, queued_bytes_max: int = QUEUED_BYTES_MAX) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self.follows: dict[str, Follow] = {}
        self.is_overrun = asyncio.Event()
        self._budget = budget
        self._queued_bytes_max = queued_bytes_max
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._has_messages = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._fresh: list[Subscription] = []
        self._after_response: list[Callable[[], None]] = []
        self._subscribed = 0

    def subscribe(self, method: str) -> Subscription:
        """Open a subscription. Raises RpcError if there are too many."""
        if len(self.subscriptions) >= SUBSCRIPTIONS_MAX:
            raise RpcError(
                TOO_MANY_SUBSCRIPTIONS,
                "Too many subscriptions on the connection",
                f"Exceeded max limit of {SUBSCRIPTIONS_MAX}",
            )
        self._subscribed += 1
        subscription = Subscription(self, f"{self._subscribed:016x}", method)
        self.subscriptions[subscription.id] = subscription
        self._fresh.append(subscription)
        return subscription

    def unsubscribe(self, identity: str, method: str | None = None) -> bool:
        """End a subscription (of one kind); False if there is none."""
        found = self.subscriptions.get(identity)
        if found is None or (method is not None and found.method != method):
            return False
        found.close()
        return True

    def forget(self, subscription: Subscription) -> None:
        """The subscription ended."""
        self.subscriptions.pop(subscription.id, None)

    def respond(self, message: bytes | None) -> None:
        """Queue a response; then the notifications of what it opened."""
        if message is not None:
            self._put(message)
        fresh, self._fresh = self._fresh, []
        for subscription in fresh:
            subscription.activate()
        actions, self._after_response = self._after_response, []
        for action in actions:
            action()

    def after_response(self, action: Callable[[], None]) -> None:
        """Run `action` once the response to the message in hand is queued."""
        self._after_response.append(action)

    def queue_notification(self, message: bytes) -> None:
        """Queue a notification. A connection with too much unsent is overrun."""
        if self.is_overrun.is_set():
            return
        used, size = self._budget.used, len(message)
        if (
            self._queued_bytes + size > self._queued_bytes_max
            or used + size > self._budget.bytes_max
        ):
            self.is_overrun.set()
            return
        self._put(message)

    def _put(self, message: bytes) -> None:
        self._queue.append(message)
        self._queued_bytes += len(message)
        self._budget.used += len(message)
        self._has_messages.set()
        if self._queued_bytes > RESUME_BYTES:
            self._has_room.clear()

    async def next_message(self) -> bytes:
        """The next message to send, in the order in which they were queued."""
        while not self._queue:
            self._has_messages.clear()
            await self._has_messages.wait()
        return self._queue[0]

    def sent(self) -> None:
        """The first message was handed to the transport."""
        size = len(self._queue.popleft())
        self._queued_bytes -= size
        self._budget.used -= size
        if self._queued_bytes <= RESUME_BYTES:
            self._has_room.set()

    async def wait_for_room(self) -> None:
        """Return when so little is unsent that another request may be answered."""
        await self._has_room.wait()

    def close(self) -> None:
        """End every subscription and free what is queued."""
        for subscription in list(self.subscriptions.values()):
            subscription.close()
        self._after_response.clear()
        self._budget.used -= self._queued_bytes
        self._queue.clear()
        self._queued_bytes = 0
