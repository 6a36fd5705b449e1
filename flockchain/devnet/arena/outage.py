"""A validator node that loses its power in the middle of the story and comes back.

Source: WP II.A (validators may fail).
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from flockchain.devnet.arena.cast import KILLED_NODE, VERIFIED_TASK
from flockchain.devnet.arena.reporter import Reporter
from flockchain.devnet.processes import Child, Devnet, DevnetError
from flockchain.sdk.client import Client
from flockchain.sdk.errors import SdkError
from runtime.pallets.tasks import Tasks

DOWN_BLOCKS: Final = 5
BACK_S_MAX: Final = 20


class Outage:
    """Kills one node on the task's second day and starts it again over the same disk."""

    def __init__(self, devnet: Devnet, reporter: Reporter, client: Client) -> None:
        self._devnet = devnet
        self._reporter = reporter
        self._client = client
        self._comeback: asyncio.Task[float] | None = None

    @property
    def _child(self) -> Child:
        return self._devnet.nodes[KILLED_NODE]

    async def on_block(self, number: int) -> None:
        """Kill at the end of the second day's submissions, start again some blocks later."""
        if len(self._devnet.nodes) <= KILLED_NODE or self._comeback is not None:
            return
        task = await self._client.query(Tasks.tasks, VERIFIED_TASK)
        calendar, child = self._client.preset.calendar, self._child
        middle = calendar.first_block(task.start_day + 1) + calendar.submit_end
        if number == middle:
            child.kill()
            child.process = None
            self._reporter.say(f"  {child.name} is killed (SIGKILL)")
        elif number == middle + DOWN_BLOCKS:
            child.start()
            self._reporter.say(f"  {child.name} is started again over the same disk")
            self._comeback = asyncio.create_task(self._time_comeback())

    async def end(self) -> None:
        """Wait for the node to be back. Raises DevnetError."""
        if self._comeback is not None:
            seconds = await self._comeback
            self._reporter.say(f"  {self._child.name} was back at the head after {seconds:.1f} s")

    async def _time_comeback(self) -> float:
        """Seconds until the restarted node has the head of the others. Raises DevnetError."""
        start = time.monotonic()
        while time.monotonic() - start < BACK_S_MAX:
            try:
                async with await Client.connect(self._devnet.url(KILLED_NODE)) as restarted:
                    async for head in restarted.best_heads():
                        others = await self._client.chain.best()
                        if head.number >= others.number:
                            return time.monotonic() - start
            except (SdkError, OSError):
                await asyncio.sleep(0.2)
        raise DevnetError(f"{self._child.name} was not back within {BACK_S_MAX} s")
