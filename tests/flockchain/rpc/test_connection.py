"""The queue of a connection: order, subscriptions' limit, slow consumers."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from flockchain.rpc.connection import SUBSCRIPTIONS_MAX, Connection, SendBudget
from flockchain.rpc.errors import RpcError


async def drain(connection: Connection, count: int) -> list[bytes]:
    messages = []
    for _ in range(count):
        messages.append(await connection.next_message())
        connection.sent()
    return messages


def test_notifications_wait_for_the_response() -> None:
    async def run() -> None:
        connection = Connection(SendBudget())
        old = connection.subscribe("old")
        connection.respond(b"first response")
        new = connection.subscribe("new")
        new.notify(1)
        old.notify(2)  # not held up by what is being opened
        connection.respond(b"second response")
        new.notify(3)
        messages = await drain(connection, 5)
        assert messages[0] == b"first response"
        assert orjson.loads(messages[1]) == {
            "jsonrpc": "2.0",
            "method": "old",
            "params": {"subscription": old.id, "result": 2},
        }
        assert messages[2] == b"second response"
        results = [orjson.loads(item)["params"]["result"] for item in messages[3:]]
        assert results == [1, 3]

    asyncio.run(run())


def test_ended_subscriptions_are_silent_and_clean_up_once() -> None:
    async def run() -> None:
        connection = Connection(SendBudget())
        ended: list[str] = []
        subscription = connection.subscribe("m")
        subscription.on_close(lambda: ended.append("closed"))
        connection.respond(None)
        assert not connection.unsubscribe(subscription.id, "other kind")
        assert connection.unsubscribe(subscription.id, "m")
        assert not connection.unsubscribe(subscription.id, "m")
        subscription.notify(1)
        connection.respond(b"only this")
        assert await drain(connection, 1) == [b"only this"]
        connection.close()
        assert ended == ["closed"]

    asyncio.run(run())


def test_what_a_watch_said_before_it_ended_still_goes_out() -> None:
    async def run() -> None:
        connection = Connection(SendBudget())
        subscription = connection.subscribe("m")
        subscription.notify("last")
        subscription.close()
        connection.respond(b"response")
        messages = await drain(connection, 2)
        assert messages[0] == b"response"
        assert orjson.loads(messages[1])["params"]["result"] == "last"

    asyncio.run(run())


def test_subscriptions_are_limited() -> None:
    async def run() -> None:
        connection = Connection(SendBudget())
        opened = [connection.subscribe("m") for _ in range(SUBSCRIPTIONS_MAX)]
        with pytest.raises(RpcError, match="Too many subscriptions on the connection"):
            connection.subscribe("m")
        opened[0].close()
        assert connection.subscribe("m").id not in {item.id for item in opened}

    asyncio.run(run())


def test_a_slow_consumer_is_overrun_and_frees_the_budget() -> None:
    async def run() -> None:
        budget = SendBudget()
        connection = Connection(budget, queued_bytes_max=1_000)
        subscription = connection.subscribe("m")
        connection.respond(None)
        for _ in range(5):
            subscription.notify("x" * 50)
        assert not connection.is_overrun.is_set()
        assert 0 < budget.used <= 1_000
        for _ in range(5):
            subscription.notify("x" * 50)
        assert connection.is_overrun.is_set()
        assert budget.used <= 1_000
        connection.close()
        assert budget.used == 0

    asyncio.run(run())


def test_all_connections_share_a_budget() -> None:
    async def run() -> None:
        budget = SendBudget(1_000)
        greedy, late = Connection(budget), Connection(budget)
        first, second = greedy.subscribe("m"), late.subscribe("m")
        greedy.respond(None)
        late.respond(None)
        first.notify("x" * 800)
        second.notify("x" * 200)
        assert not greedy.is_overrun.is_set()
        assert late.is_overrun.is_set()

    asyncio.run(run())


def test_requests_wait_while_much_is_unsent() -> None:
    async def run() -> None:
        connection = Connection(SendBudget())
        connection.respond(b"x" * (2 * 1024 * 1024))
        waiting = asyncio.create_task(connection.wait_for_room())
        await asyncio.sleep(0)
        assert not waiting.done()
        await drain(connection, 1)
        await waiting

    asyncio.run(run())
