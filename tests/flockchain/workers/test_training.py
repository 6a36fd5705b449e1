"""The training process, killed and left alone."""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from flockchain.workers.strengths import Method
from flockchain.workers.training import TrainingPool, TrainingRequest
from ml.artifact import ArtifactError
from ml.tasks.digits import create_digits_task
from runtime.primitives.types import AccountId
from tests.flockchain.workers.child_work import has_loaded, kill_self, pid_of, refuse

WHO = AccountId(b"w" * 32)
PARENT = """
import asyncio, os
from flockchain.workers.training import TrainingPool
from tests.flockchain.workers.child_work import pid_of

async def main():
    print(await TrainingPool().run(pid_of, 0), flush=True)
    await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_a_killed_training_fails_alone_and_the_next_one_starts_anew() -> None:
    """Two that wait for a process that dies share its end, and one new process."""
    digits = create_digits_task(seed=2)
    options = Method().options(WHO, 0, 0)
    request = TrainingRequest(digits.spec.to_bytes(), (digits.train,), options, "cpu")

    async def run() -> None:
        pool = TrainingPool()
        try:
            victim = await pool.run(pid_of, 0)
            broken = await asyncio.gather(
                pool.run(kill_self, victim), pool.run(kill_self, victim), return_exceptions=True
            )
            assert [type(error) for error in broken] == [BrokenProcessPool] * 2
            trained = await asyncio.gather(pool.train(request, 0), pool.train(request, 1))
            assert trained[0] == trained[1]
            assert float(trained[0].held_out) > 0.9
            assert await pool.run(pid_of, 0) != victim
            assert await pool.run(has_loaded, "torch")
            assert not await pool.run(has_loaded, "torch._dynamo"), "as slow as torch itself"
        finally:
            await pool.close()

    asyncio.run(run())


def test_a_training_that_makes_no_numbers_is_an_error_and_the_process_lives_on() -> None:
    async def run() -> None:
        pool = TrainingPool()
        try:
            before = await pool.run(pid_of, 0)
            with pytest.raises(ArtifactError, match="NaN"):
                await pool.run(refuse, "tensor is NaN")
            assert await pool.run(pid_of, 0) == before
        finally:
            await pool.close()

    asyncio.run(run())


def test_a_killed_worker_leaves_no_process_behind() -> None:
    root = Path(__file__).parents[3]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert parent.stdout is not None
    child = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    ended, _, _ = select.select([child], [], [], 30)
    os.close(child)
    parent.stdout.close()
    assert ended
