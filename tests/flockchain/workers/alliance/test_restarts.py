"""A worker that dies in any phase goes on from it: nobody loses stake over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from flockchain.keys import KeyPair
from flockchain.sdk import Client
from flockchain.workers.fl_client import FlClient
from runtime.pallets.fl_alliance.stages import Outcome, Stage, Standing
from tests.flockchain.fast_chain import FastChain
from tests.flockchain.workers.alliance.alliance_chain import (
    KEYS,
    TASK,
    alliance_chain,
    participants,
    proven,
    result_of,
    step,
)

FEW = KEYS[:5]  # one proposes, three vote, one is passed over


class Killable:
    """Participants that die without a word and start again over the same directory."""

    def __init__(self, client: Client, directory: Path, keys: Sequence[KeyPair]) -> None:
        self._client = client
        self._directory = directory
        self._keys = keys
        self.worker = self._new()
        self._run = asyncio.create_task(self.worker.run())

    def _new(self) -> FlClient:
        members = participants(self._keys)
        return FlClient(self._client, members, self._directory, [TASK], device="cpu", tick_gap_s=0)

    async def kill(self) -> None:
        """What was in memory is lost, and what was on its way to the node may be."""
        self._run.cancel()
        with suppress(asyncio.CancelledError):
            await self._run
        await self.worker.close()

    async def restart(self) -> None:
        await self.kill()
        self.worker = self._new()
        self._run = asyncio.create_task(self.worker.run())


@asynccontextmanager
async def killable(
    client: Client, directory: Path, keys: Sequence[KeyPair]
) -> AsyncIterator[Killable]:
    found = Killable(client, directory, keys)
    try:
        yield found
    finally:
        await found.kill()


def stage_of(chain: FastChain) -> Stage | None:
    progress = chain.runtime().alliance.progress.find(TASK)
    return None if progress is None else progress.stage


async def killed_in_every_stage(
    directory: Path, keys: Sequence[KeyPair], **terms: object
) -> tuple[FastChain, set[Stage]]:
    """A round; in each stage killed as soon as its first block comes, and when all was sent."""
    seen: set[Stage] = set()
    async with (
        alliance_chain(directory, rounds=1, **terms) as (chain, client),
        killable(client, directory / "state", keys) as clients,
    ):
        while result_of(chain, 0) is None:
            stage = stage_of(chain)
            if stage is not None and stage.is_timed() and stage not in seen:
                seen.add(stage)
                await clients.restart()  # before it has seen the stage
                async with asyncio.timeout(300):
                    await clients.worker.settled(chain.backend.best.hash)
                await clients.restart()  # what it sent lies in the node's pool
            await step(chain, clients.worker)
        for _ in range(3):
            await step(chain, clients.worker)
    return chain, seen


def standings_of(chain: FastChain) -> list[Standing]:
    result = result_of(chain, 0)
    assert result is not None
    assert result.outcome is Outcome.ACCEPTED
    views = chain.runtime().alliance.views
    return [entry.payment.standing for entry in views.payments(TASK, 0)]


def test_killed_before_and_after_every_answer_nobody_loses_stake(tmp_path: Path) -> None:
    chain, seen = asyncio.run(killed_in_every_stage(tmp_path, FEW))
    assert len(seen) == 6, "every stage in which participants act"
    assert standings_of(chain) == [Standing.GOOD] * 4, "a proposer and three voters"


def test_killed_in_a_round_with_an_aggregator_nobody_loses_stake(tmp_path: Path) -> None:
    """What was committed to opens after any restart, and a sum is proved anew."""
    chain, seen = asyncio.run(killed_in_every_stage(tmp_path, KEYS, **proven()))
    assert len(seen) == 7, "every stage in which participants act"
    assert standings_of(chain) == [Standing.GOOD] * 7, "four proposers and three voters"
