"""Connections to the node that aliases speak to: each alias has its own, made when it first acts.

Two aliases never share one, nor does an account, so the node cannot tell by connections what
belongs together. Invariant: a connection is used only for the chain of the worker's own node.

Source: WP V.B (blind validation), Table I (free riders).
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Final

from flockchain.sdk import Client, Head, SdkError
from flockchain.sdk.errors import Disconnected
from runtime.primitives.types import Hash

CATCH_UP_S: Final = 10.0  # a node that is further behind is asked again at the next block


class AliasLines:
    """One client an alias. `url` is the node; `close` ends all of them."""

    def __init__(self, url: str, genesis: Hash) -> None:
        self.url = url
        self._genesis = genesis
        self._clients: dict[bytes, asyncio.Task[Client]] = {}

    async def client(self, alias: bytes) -> Client:
        """The alias's own client. Raises Disconnected, WrongChain."""
        made = self._clients.get(alias)
        if made is None or (made.done() and (made.cancelled() or made.exception())):
            made = asyncio.create_task(Client.connect(self.url, genesis=self._genesis))
            self._clients[alias] = made
        return await asyncio.shield(made)

    async def caught_up(self, alias: bytes, number: int) -> Head:
        """The node's best block, once it is as high as `number`. Raises SdkError."""
        client = await self.client(alias)
        try:
            async with asyncio.timeout(CATCH_UP_S), aclosing(client.best_heads()) as heads:
                async for head in heads:
                    if head.number >= number:
                        return head
        except TimeoutError:
            raise Disconnected(f"{self.url} is behind block {number}") from None
        raise Disconnected(f"{self.url} tells of no more blocks")

    async def end(self, alias: bytes) -> None:
        """The alias is done."""
        made = self._clients.pop(alias, None)
        if made is not None:
            await _close(made)

    async def close(self) -> None:
        """End all of them."""
        made, self._clients = list(self._clients.values()), {}
        for each in made:
            await _close(each)


async def _close(made: asyncio.Task[Client]) -> None:
    made.cancel()
    (found,) = await asyncio.gather(made, return_exceptions=True)
    if isinstance(found, Client):
        await found.close()
    elif not isinstance(found, SdkError | asyncio.CancelledError):
        raise found
