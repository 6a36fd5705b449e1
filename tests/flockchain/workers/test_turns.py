"""Turns at something scarce."""

from __future__ import annotations

import asyncio

from flockchain.workers.turns import Turns


async def work(turns: Turns, task: str, log: list[str], gate: asyncio.Event) -> None:
    async with turns.turn(task):
        log.append(task)
        await gate.wait()
        await asyncio.sleep(0)


def test_tasks_alternate_however_much_one_of_them_wants() -> None:
    async def run() -> list[str]:
        turns, log, gate = Turns(1), list[str](), asyncio.Event()
        wanted = ["a", "a", "a", "a", "b", "c", "b"]
        tasks = [asyncio.create_task(work(turns, task, log, gate)) for task in wanted]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks)
        return log

    assert asyncio.run(run()) == ["a", "b", "c", "a", "b", "a", "a"]


def test_a_task_holds_one_place_only_and_places_are_never_exceeded() -> None:
    async def run() -> None:
        turns, log, gate = Turns(2), list[str](), asyncio.Event()
        tasks = [asyncio.create_task(work(turns, task, log, gate)) for task in ["a", "a", "b", "c"]]
        for _ in range(5):
            await asyncio.sleep(0)
        assert log == ["a", "b"]
        gate.set()
        await asyncio.gather(*tasks)
        assert sorted(log) == ["a", "a", "b", "c"]

    asyncio.run(run())


def test_who_gives_up_costs_nobody_a_turn() -> None:
    async def run() -> list[str]:
        turns, log, gate = Turns(1), list[str](), asyncio.Event()
        first, second, third = (
            asyncio.create_task(work(turns, task, log, gate)) for task in ["a", "b", "c"]
        )
        await asyncio.sleep(0)
        second.cancel()  # while it waits
        await asyncio.sleep(0)
        first.cancel()  # while it holds the place
        third.cancel()  # before it learns that the place is its own
        await asyncio.gather(first, second, third, return_exceptions=True)
        gate.set()
        await work(turns, "d", log, gate)
        return log

    assert asyncio.run(run()) == ["a", "d"]
