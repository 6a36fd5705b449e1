"""Whoever leaves parts of the story leaves nothing of them running."""

from __future__ import annotations

import asyncio

import pytest

from flockchain.devnet.together import beside, together


class Part:
    """Goes on for ever, and takes a moment to end."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.has_ended = False

    async def run(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.has_ended = True


async def fail() -> None:
    await asyncio.sleep(0)
    raise ValueError("a step failed")


async def give() -> int:
    await asyncio.sleep(0)
    return 7


def test_the_first_that_fails_ends_the_others_and_waits_for_them() -> None:
    part = Part()

    async def run() -> None:
        with pytest.raises(ValueError, match=r"^a step failed$"):
            await together(part.run(), fail())
        assert part.has_ended
        await together(give(), give())

    asyncio.run(run())


def test_who_is_cancelled_takes_the_parts_along() -> None:
    part = Part()

    async def run() -> None:
        whole = asyncio.create_task(together(part.run(), give()))
        await part.begun.wait()
        whole.cancel()
        with pytest.raises(asyncio.CancelledError):
            await whole
        assert part.has_ended

    asyncio.run(run())


def test_beside_gives_what_leads_and_ends_what_follows() -> None:
    part, other = Part(), Part()

    async def run() -> None:
        assert await beside(give(), part.run()) == 7
        assert part.has_ended
        with pytest.raises(ValueError, match=r"^a step failed$"):
            await beside(other.run(), fail())
        assert other.has_ended
        assert await beside(give(), give()) == 7

    asyncio.run(run())
