"""Long work beside the event loop."""

from __future__ import annotations

import asyncio

from flockchain.workers.jobs import Jobs, NotYet


def test_a_job_runs_once_and_its_result_waits() -> None:
    async def run() -> None:
        changed = asyncio.Event()
        jobs = Jobs(changed.set)
        runs = 0

        async def work() -> str:
            nonlocal runs
            runs += 1
            return "done"

        assert jobs.poll("a", 1, work) is None
        assert jobs.poll("a", 1, work) is None
        assert jobs.running == 1
        await changed.wait()
        assert jobs.poll("a", 1, work) == "done"
        assert jobs.poll("a", 2, work) == "done"
        assert runs == 1
        jobs.forget("a")
        assert jobs.poll("a", 2, work) is None
        await jobs.close()

    asyncio.run(run())


def test_a_job_that_fails_pauses_longer_every_time() -> None:
    async def run() -> list[int]:
        changed = asyncio.Event()
        jobs = Jobs(changed.set)
        runs: list[int] = []
        number = 0

        async def work() -> None:
            runs.append(number)
            raise OSError("no such model")

        for number in range(20):
            changed.clear()
            before = len(runs)
            assert jobs.poll("a", number, work) is None
            if jobs.running:
                await changed.wait()
                assert len(runs) == before + 1
                assert jobs.poll("a", number, work) is None  # not again on the same block
                assert jobs.running == 0
        return runs

    assert asyncio.run(run()) == [0, 1, 3, 7, 15]


def test_what_has_not_come_is_looked_for_with_every_block() -> None:
    async def run() -> list[int]:
        changed = asyncio.Event()
        jobs = Jobs(changed.set)
        runs: list[int] = []

        async def work() -> str:
            runs.append(number)
            if number < 5:
                raise NotYet("block 5 is not final")
            return "done"

        for number in range(7):
            changed.clear()
            jobs.poll("a", number, work)
            if jobs.running:
                await changed.wait()
        assert jobs.failures("a") == 0
        assert jobs.poll("a", 7, work) == "done"
        return runs

    assert asyncio.run(run()) == [0, 1, 2, 3, 4, 5]


def test_closing_cancels_what_runs() -> None:
    async def run() -> bool:
        jobs = Jobs(lambda: None)
        was_cancelled = False
        started = asyncio.Event()

        async def work() -> None:
            nonlocal was_cancelled
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                was_cancelled = True
                raise

        jobs.poll("a", 1, work)
        await started.wait()
        await jobs.close()
        return was_cancelled

    assert asyncio.run(run())
