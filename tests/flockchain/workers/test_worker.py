"""The worker as a whole: which tasks it works in, and that it rests when nothing changes."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from flockchain.keys import key_pair_from_uri
from flockchain.sdk import Client
from flockchain.workers.creator import CreatorDuty
from flockchain.workers.moment import Moment
from flockchain.workers.worker import Member, WorkerRole
from runtime.economy.tasks import Task
from tests.flockchain.fast_chain import fast_chain
from tests.flockchain.workers.digits_world import CREATOR, create_task, step, working


def test_a_task_that_does_not_exist_is_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        members = [Member(CREATOR, WorkerRole.CREATOR)]
        async with (
            fast_chain(tmp_path, [CREATOR]) as chain,
            await Client.connect(chain.url) as client,
        ):
            await create_task(client, chain, tmp_path, days=2)
            async with working(client, members, tmp_path, tasks=[0, 7]) as worker:
                for _ in range(3):
                    await step(chain, worker)

    caplog.set_level(logging.INFO, logger="flockchain.workers.worker")
    asyncio.run(run())
    lines = [r.getMessage() for r in caplog.records if r.name == "flockchain.workers.worker"]
    assert lines == ["task 7 is unknown to the chain: waiting for it"]


def test_a_worker_whose_every_job_fails_does_not_spin(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody uploaded the task's data, so nothing can begin."""
    keys = [key_pair_from_uri(f"//Key{n}", "ed25519") for n in range(3)]
    members = [Member(key, WorkerRole.TRAINER) for key in keys]
    blocks = 12

    async def run() -> tuple[int, int]:
        async with (
            fast_chain(tmp_path / "node", [CREATOR, *keys]) as chain,
            await Client.connect(chain.url) as client,
        ):
            await create_task(client, chain, tmp_path / "state", days=2)
            async with working(client, members, tmp_path / "state") as worker:
                for _ in range(blocks):
                    await step(chain, worker)
                async with asyncio.timeout(60):
                    await worker.settled(chain.backend.best.hash)
                ticks = worker.ticks
                for _ in range(1_000):
                    await asyncio.sleep(0)
                return ticks, worker.ticks

    caplog.set_level(logging.WARNING, logger="flockchain.workers.jobs")
    ticks, later = asyncio.run(run())
    failures = [r for r in caplog.records if r.name == "flockchain.workers.jobs"]
    # The keys share the check of the task, tried at once and 1, 3 and 7 blocks later.
    assert len(failures) == 4
    # A tick for each block, the start, the libraries that are loaded, and each failure.
    assert ticks <= blocks + 2 + len(failures)
    assert later == ticks


def test_more_duties_than_a_tick_serves_at_once_are_all_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flockchain.workers.worker.SERVED_AT_ONCE_MAX", 2)
    served: list[bytes] = []
    keys = [key_pair_from_uri(f"//Key{n}", "ed25519") for n in range(5)]

    async def serve(duty: CreatorDuty, now: Moment, task: Task) -> None:
        served.append(duty._desk.key.account)

    monkeypatch.setattr(CreatorDuty, "step", serve)

    async def run() -> None:
        members = [Member(key, WorkerRole.CREATOR) for key in keys]
        async with (
            fast_chain(tmp_path / "node", [CREATOR, *keys]) as chain,
            await Client.connect(chain.url) as client,
        ):
            await create_task(client, chain, tmp_path / "state", days=2)
            async with working(client, members, tmp_path / "state") as worker:
                await step(chain, worker)
                await step(chain, worker)

    asyncio.run(run())
    assert served[:10] == [key.account for key in keys] * 2
