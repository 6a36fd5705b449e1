"""Subscriptions: in order, bounded, and ended with a reason."""

from __future__ import annotations

import asyncio

import pytest

from flockchain.sdk import Disconnected
from flockchain.sdk.transport import QUEUE_MAX, Subscription


def test_notifications_come_in_order_and_the_last_one_can_be_taken_alone() -> None:
    async def run() -> None:
        subscription = Subscription()
        for number in range(5):
            subscription.put(number)
        assert [await subscription.next(), await subscription.next()] == [0, 1]
        assert await subscription.latest() == 4
        waiting = asyncio.create_task(subscription.next())
        await asyncio.sleep(0)
        subscription.put(5)
        assert await waiting == 5

    asyncio.run(run())


def test_what_came_before_the_end_can_still_be_read() -> None:
    async def run() -> None:
        subscription = Subscription()
        subscription.put("news")
        subscription.end(Disconnected("the connection ended"))
        assert await subscription.next() == "news"
        with pytest.raises(Disconnected, match="the connection ended"):
            await subscription.next()

    asyncio.run(run())


def test_a_reader_that_is_far_behind_loses_the_subscription() -> None:
    async def run() -> None:
        subscription = Subscription()
        for number in range(QUEUE_MAX + 10):
            subscription.put(number)
        for number in range(QUEUE_MAX):
            assert await subscription.next() == number
        with pytest.raises(Disconnected, match="not read in time"):
            await subscription.next()

    asyncio.run(run())


def test_a_waiting_reader_learns_of_the_end() -> None:
    async def run() -> None:
        subscription = Subscription()
        waiting = asyncio.create_task(subscription.next())
        await asyncio.sleep(0)
        subscription.end(Disconnected("gone"))
        with pytest.raises(Disconnected, match="gone"):
            await waiting

    asyncio.run(run())
