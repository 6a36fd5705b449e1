"""The node's driver sleeps until something is due, and is woken by nothing less."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from flockchain.wake_up import WakeUp

NOW_MS = 1_000_000
HOUR_MS = 3_600_000


class StoppedClock:
    """Always the same moment."""

    def now_ms(self) -> int:
        return NOW_MS


async def is_woken(wake_up: WakeUp, due_ms: int, expected: Iterable[int]) -> bool:
    """Whether a sleeper until `due_ms` wakes when these are told to be due."""
    sleeper = asyncio.create_task(wake_up.sleep_until(due_ms))
    await asyncio.sleep(0)
    for other_ms in expected:
        wake_up.expect(other_ms)
    for _ in range(10):
        await asyncio.sleep(0)
    woken = sleeper.done()
    sleeper.cancel()
    return woken


@pytest.mark.parametrize(
    ("expected", "woken"),
    [
        ((), False),
        ((NOW_MS + 20_000, NOW_MS + HOUR_MS), False),
        ((NOW_MS + HOUR_MS, NOW_MS + 19_999), True),
        ((NOW_MS,), True),
    ],
)
def test_only_what_is_due_earlier_wakes_the_sleeper(expected: tuple[int, ...], woken: bool) -> None:
    async def main() -> None:
        wake_up = WakeUp(StoppedClock(), step_ms_max=HOUR_MS)
        assert await is_woken(wake_up, NOW_MS + 20_000, expected) is woken

    asyncio.run(main())


def test_the_longest_sleep_counts() -> None:
    async def main() -> None:
        wake_up = WakeUp(StoppedClock(), step_ms_max=10_000)
        assert not await is_woken(wake_up, NOW_MS + HOUR_MS, [NOW_MS + 10_000])
        assert await is_woken(wake_up, NOW_MS + HOUR_MS, [NOW_MS + 9_999])

    asyncio.run(main())


def test_what_is_due_wakes_by_itself_and_what_was_told_awake_wakes_the_next_sleep() -> None:
    async def main() -> None:
        wake_up = WakeUp(StoppedClock(), step_ms_max=HOUR_MS)
        async with asyncio.timeout(30):
            await wake_up.sleep_until(NOW_MS - HOUR_MS)
            wake_up.expect(NOW_MS)
            await wake_up.sleep_until(NOW_MS + HOUR_MS)

    asyncio.run(main())
