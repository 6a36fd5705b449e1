"""Ticks on a virtual clock."""

from __future__ import annotations

import asyncio

from flockchain.workers.pace import Pace


class Time:
    """A clock that only sleeping and working move."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept_s: list[float] = []

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds


def test_a_storm_of_changes_makes_eight_ticks_a_second() -> None:
    async def run() -> int:
        time, ticks = Time(), 0
        pace = Pace(0.125, time.clock, time.sleep)
        while time.now_s < 10:  # something changes all the time
            await pace.wait()
            ticks += 1
            pace.done()
        return ticks

    assert asyncio.run(run()) == 81  # one before the first second


def test_a_change_after_a_quiet_second_waits_for_nothing() -> None:
    async def run() -> list[float]:
        time = Time()
        pace = Pace(0.1, time.clock, time.sleep)
        for _ in range(5):
            await pace.wait()
            time.now_s += 0.3  # the tick itself takes longer than the gap
            pace.done()
            time.now_s += 0.7
        return time.slept_s

    assert asyncio.run(run()) == []
