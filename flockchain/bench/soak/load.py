"""Transfers at a steady rate to all nodes, over one WebSocket each.

Requests are not waited for: a node that answers late is sent to all the same, as by many users. A
node that does not read its socket holds back its own part alone.

Source: reliability goals for real processes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

_TICK_S: Final = 0.025
_SAMPLES_MAX: Final = 5  # refusals that are shown
_ANSWER_S: Final = 30.0


@dataclass
class Load:
    """What was sent, taken and refused so far."""

    rate: int
    sent: int = 0
    taken: int = 0
    refused: int = 0
    refusals: list[str] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """Requests without an answer."""
        return self.sent - self.taken - self.refused

    async def send(self, urls: Sequence[str], requests: Sequence[bytes]) -> None:
        """Send all requests at the rate, the k-th to node k modulo their number.

        Returns when all are answered, or half a minute after the last one was sent.
        Raises ExceptionGroup with ConnectionError, ClientError if a node goes away.
        """
        start = time.monotonic()
        async with ClientSession() as session, asyncio.TaskGroup() as group:
            for place, url in enumerate(urls):
                mine = requests[place :: len(urls)]
                group.create_task(self._send_one(session, url, mine, self.rate / len(urls), start))

    async def _send_one(
        self,
        session: ClientSession,
        url: str,
        requests: Sequence[bytes],
        rate: float,
        start: float,
    ) -> None:
        async with session.ws_connect(url, max_msg_size=0) as socket:
            reading = asyncio.create_task(self._read(socket, len(requests)))
            done = 0
            while done < len(requests):
                due = min(int((time.monotonic() - start) * rate) + 1, len(requests))
                for request in requests[done:due]:
                    await socket.send_str(request.decode())
                self.sent += due - done
                done = due
                await asyncio.sleep(_TICK_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(_ANSWER_S):
                    await reading

    async def _read(self, socket: ClientWebSocketResponse, count: int) -> None:
        for _ in range(count):
            message = await socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise ConnectionError(f"a node ended the connection: {message.type.name}")
            if '"error"' in message.data:
                self.refused += 1
                if len(self.refusals) < _SAMPLES_MAX:
                    self.refusals.append(message.data[:300])
            else:
                self.taken += 1
