"""The worker as a whole: which tasks it works in."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from flockchain.sdk import Client
from flockchain.workers.worker import Member, WorkerRole
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
