"""`flock_yields` over a node's socket, on chains whose tasks were played."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flockchain.rpc import yields
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import FML
from tests.flockchain.economics.delegated_task import play_delegated
from tests.flockchain.rpc.dev_node import build, dev_node
from tests.flockchain.rpc.played_node import node_of
from tests.flockchain.rpc.rpc_client import call
from tests.runtime.pallets.world import account
from tests.runtime.played_state import play, top_of

NAMES = ("creator", "n1", "n2", "n3", "v1", "v2", "v3")


def test_yields_of_live_tasks() -> None:
    async def run() -> None:
        async with dev_node(made=build(top_of(play(days=2)))) as node:
            url = node.http_url
            answer: Any = await call(url, "flock_yields")
            assert (answer["number"], answer["unit"]) == (0, str(10**18))
            assert answer["block"] == "0x" + node.backend.genesis.hex()
            assert set(answer["assumptions"]) >= {"paid", "expected", "delegation"}
            (task,) = answer["tasks"]
            assert (task["task"], task["days"], task["finalDay"]) == (0, 2, 3)
            assert [row["operator"] for row in task["operators"]] == [
                encode_address(account(name)) for name in NAMES
            ]
            n1 = task["operators"][1]
            assert (n1["role"], n1["own"], n1["ratio"]) == ("trainingNode", str(10 * FML), "0/1")
            assert isinstance(n1["staked"]["paid"], str)  # integers, and wide ones as text
            assert n1["staked"]["days"] == 2
            assert await call(url, "flock_yields", 0, 30) == answer
            (last,) = (await call(url, "flock_yields", 0, 1))["tasks"]
            assert (last["days"], last["firstDay"]) == (1, 2)
            assert (await call(url, "flock_yields", 7))["tasks"] == []

    asyncio.run(run())


def test_a_block_may_be_named() -> None:
    played = play_delegated()
    node = node_of(played)

    async def run() -> None:
        async with dev_node(made=node):
            assert (await call(node.http_url, "flock_yields"))["tasks"] == []  # it has ended
            number = max(number for number in played.numbers if number < 60)
            block = node.backend.blocks.hash_at(number)
            assert block is not None
            answer = await call(node.http_url, "flock_yields", None, None, "0x" + block.hex())
            assert answer["number"] == number
            (task,) = answer["tasks"]
            assert [row["slashes"] for row in task["operators"] if row["slashes"]] == [
                [{"day": 2, "rate": "1/200"}]
            ]

    asyncio.run(run())


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with dev_node(made=build(top_of(play(days=1)))) as node:
            for days in (0, 31):
                refused = await call(node.http_url, "flock_yields", 0, days)
                assert refused["code"] == -32602
                assert refused["message"] == f"Invalid params: expected 1 to 30 days, got {days}"
            refused = await call(node.http_url, "flock_yields", 2**32)
            assert refused["code"] == -32602
            unknown = await call(node.http_url, "flock_yields", 0, 1, "0x" + "00" * 32)
            assert "unknown Block" in unknown["message"]
            monkeypatch.setattr(yields, "OPERATORS_MAX", 6)
            refused = await call(node.http_url, "flock_yields")
            assert refused["message"] == (
                "Client error: the tasks have more than 6 operators, ask for one"
            )
            assert len((await call(node.http_url, "flock_yields", 0))["tasks"]) == 1

    asyncio.run(run())
