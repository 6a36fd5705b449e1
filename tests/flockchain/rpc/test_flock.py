"""`flock_*` over a node's socket, on a chain whose task was played to its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flockchain.model_hash_message import ModelHashError
from runtime.frame.pallet import encode_call
from runtime.pallets.system import System
from runtime.pallets.tasks import Tasks
from runtime.primitives.content_id import cid_text
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import FML
from tests.flockchain.rpc.dev_node import ALICE, build, dev_node
from tests.flockchain.rpc.rpc_client import call, connected, settle
from tests.runtime.pallets.world import account, content, terms
from tests.runtime.played_state import play, top_of

FIRST, SECOND = encode_address(account("n1")), encode_address(account("n2"))


@pytest.fixture(scope="module")
def ended() -> dict[bytes, bytes]:
    return top_of(play())


def test_tasks(ended: dict[bytes, bytes]) -> None:
    async def run() -> None:
        async with dev_node(made=build(top_of(play(days=1)))) as node:
            (live,) = await call(node.http_url, "flock_tasks")
            assert (live["task"], live["today"], live["standing"]) == (0, 2, 3)
            assert live["record"]["status"] == "active"
            assert live["record"]["terms"]["spec"] == cid_text(content("spec"))
            assert live["record"]["creator"] == encode_address(account("creator"))
        async with dev_node(made=build(ended)) as node:
            assert await call(node.http_url, "flock_tasks") == []
            task = await call(node.http_url, "flock_task", 0)
            assert task["record"]["status"] == "completed"
            assert await call(node.http_url, "flock_task", 1) is None
            refused = await call(node.http_url, "flock_task", 2**32)
            assert refused["code"] == -32602

    asyncio.run(run())


def test_rankings_payments_and_the_model(ended: dict[bytes, bytes]) -> None:
    async def run() -> None:
        async with dev_node(made=build(ended)) as node:
            url = node.http_url
            board = await call(url, "flock_leaderboard", 0)
            assert board["day"] == 3
            assert [item["owner"] for item in board["ranking"]] == [FIRST, SECOND]
            assert board["ranking"][0]["stake"] == str(10 * FML)
            assert board["ranking"][0]["content"] == cid_text(content("good"))
            assert (await call(url, "flock_leaderboard", 0, 1))["day"] == 1
            nothing: Any = {"task": 9, "day": None, "ranking": []}
            assert await call(url, "flock_leaderboard", 9, None) == nothing
            report = await call(url, "flock_dayReport", 0, 2)
            assert report["result"]["reward"] == str(100_000 * FML)
            assert report["result"]["parameters"]["vesting"]["rankRatio"] == "17/20"
            assert {item["kind"] for item in report["payments"]} == {
                "creation",
                "rewardA",
                "validation",
            }
            assert await call(url, "flock_dayReport", 0, 9) is None
            model = await call(url, "flock_model", 0)
            assert (model["owner"], model["content"]) == (FIRST, cid_text(content("good")))
            made = await call(url, "flock_submissions", 0)
            assert [item["record"]["owner"] for item in made[:2]] == [FIRST, SECOND]
            assert await call(url, "flock_submissions", 0, 1) == made[1:]

    asyncio.run(run())


def test_rules_and_issuance(ended: dict[bytes, bytes]) -> None:
    async def run() -> None:
        async with dev_node(made=build(ended)) as node:
            rules = await call(node.http_url, "flock_parameters")
            assert rules["arena"]["vesting"]["paidDaily"] == "1/10"
            assert rules["emission"]["daily"] == str(100_000 * FML)
            figures = await call(node.http_url, "flock_issuance")
            assert figures["minted"] == str(300_000 * FML)
            genesis, minted, burned = (int(figures[k]) for k in ("genesis", "minted", "burned"))
            assert int(figures["total"]) == genesis + minted - burned

    asyncio.run(run())


def test_an_announcement_goes_to_the_node_and_a_refusal_comes_back() -> None:
    announced: list[bytes] = []

    def announce(data: bytes) -> None:
        if not data:
            raise ModelHashError("its account announces too often")
        announced.append(data)

    async def run() -> None:
        async with dev_node() as node:
            refused = await call(node.http_url, "flock_announceModel", "0x01")
            assert refused["message"] == "Client error: this node announces no models"
            node.context.announce_model = announce
            assert await call(node.http_url, "flock_announceModel", "0x0102") is True
            refused = await call(node.http_url, "flock_announceModel", "0x")
            assert refused["code"] == 7001
            assert refused["data"] == "its account announces too often"

    asyncio.run(run())
    assert announced == [b"\1\2"]


def test_events_of_tasks_are_told_when_their_block_is_final() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            everything = await socket.call("flock_subscribeTaskEvents")
            one = await socket.call("flock_subscribeTaskEvents", 99)
            create = encode_call(Tasks.create_task, terms(), 300 * FML)
            node.node.submit(node.sign(create, 0))
            node.node.submit(node.sign(encode_call(System.remark, b"no task's event"), 1))
            block = node.seal().hash
            event: Any = await socket.notification("flock_taskEvent", everything)
            assert (event["block"], event["number"]) == ("0x" + block.hex(), 1)
            assert (event["pallet"], event["event"]) == ("Tasks", "TaskCreated")
            assert event["data"]["creator"] == encode_address(ALICE.account)
            assert event["data"]["budget"] == str(300 * FML)
            # The next message is an answer: the follower of task 99 heard nothing.
            assert await socket.call("flock_unsubscribeTaskEvents", one) is True
            assert await socket.call("flock_unsubscribeTaskEvents", one) is False
            listeners = node.backend.notifications.on_finalized
            before = len(listeners)
            assert await socket.call("flock_unsubscribeTaskEvents", everything) is True
            await settle(lambda: len(listeners) == before - 1)

    asyncio.run(run())
