"""`flockchain delegate suggest` against a real node whose chain was played."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner, Result

from flockchain.cli.delegate import app
from runtime.constants import DEVNET
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import FML
from tests.flockchain.rpc.dev_node import build, dev_node
from tests.runtime.pallets.world import World, account
from tests.runtime.played_state import play, top_of

RUNNER = CliRunner()
NAMES = ("creator", "n1", "n2", "n3", "v1", "v2", "v3")


@pytest.fixture(scope="module")
def played() -> World:
    return play(days=1)


def run(world: World, *commands: list[str]) -> list[Result]:
    """Run commands one after another against a node with the world's state as its genesis."""

    async def serve() -> list[Result]:
        async with dev_node(made=build(top_of(world))) as node:
            return [
                await asyncio.to_thread(
                    RUNNER.invoke, app, ["suggest", *words, "--rpc", node.ws_url]
                )
                for words in commands
            ]

    return asyncio.run(serve())


def test_a_ranking_as_json_and_as_lines(played: World) -> None:
    document, lines, one, few = run(
        played,
        ["--amount", "10 FML", "--json"],
        ["--amount", "10 FML"],
        ["--task", "0", "--days", "1", "--amount", "10 FML", "--json"],
        ["--amount", "10 FML", "--top", "2"],
    )
    assert document.exit_code == 0, document.output
    told = json.loads(document.stdout)
    assert (told["amount"], told["days"], told["candidates"]) == (str(10 * FML), 30, 7)
    assert {row["operator"] for row in told["suggestions"]} == {
        encode_address(account(name)) for name in NAMES
    }
    creator = told["suggestions"][0]
    assert (creator["role"], creator["share_ratio"]) == ("creator", "1/2")
    assert int(creator["daily"]) == int(creator["daily_paid"]) + int(creator["daily_expected"])
    assert int(creator["yearly"]) == 365 * int(creator["daily"])
    assert creator["warnings"] == ["1 day of history", "task ends in 1 day"]
    assert json.loads(one.stdout)["suggestions"] == told["suggestions"]
    # The creator's 2,000 FML a day on 100 FML; a tenth more stake; half of it shared.
    assert creator["daily"] == str(2_000 * FML * 10 // 110 // 2)
    assert creator["yearly_percent"] == "331818.18"
    shown = lines.stdout.splitlines()
    assert shown[0].split("\t")[:3] == ["task", "operator", "role"]
    assert shown[1].split("\t")[4] == "90.909090"
    assert "Assumed:" in shown
    assert "5 more: see them with --top" in few.stdout


def test_an_account_is_not_shown_whom_it_cannot_back(played: World) -> None:
    node, none = run(
        played,
        ["--key", encode_address(account("n1")), "--json"],
        ["--account", "//Alice", "--json"],
    )
    told = json.loads(node.stdout)
    assert {row["role"] for row in told["suggestions"]} == {"creator", "training_node"}
    assert told["left_out"] == {
        "are the account itself": 1,
        "the account's own role in the task forbids": 3,
    }
    assert json.loads(none.stdout)["candidates"] == 7


def test_full_operators_are_left_out() -> None:
    world = play(days=1)
    for name in ("n1", "n2"):
        found = world.ledger.operators.get((0, account(name)))
        full = replace(found, delegators=DEVNET.delegators_max)
        world.ledger.operators.put((0, account(name)), full)
    told, lines = run(world, ["--account", "//Alice", "--json"], [])
    assert json.loads(told.stdout)["left_out"] == {"have no free slot": 2}
    assert "left out: 2 that have no free slot" in lines.stdout


def test_a_chain_without_tasks_has_nobody_to_back() -> None:
    ended = play()
    (nobody, unknown) = run(ended, [], ["--task", "0"])
    assert nobody.exit_code == 0
    assert nobody.stdout.startswith("no operator can be backed\nAssumed:\n")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert unknown.stderr == (
        "error: there is no live task 0; `flockchain task list` shows those that live\n"
    )


def test_refusals_and_wrong_usage(played: World) -> None:
    little, many, long, nobody = run(
        played,
        ["--amount", "0.5 FML"],
        ["--amount", "much"],
        ["--days", "31"],
        ["--key", "5xyz"],
    )
    assert (little.exit_code, little.stdout) == (1, "")
    assert little.stderr == "error: 0.5 FML is too little: the least delegation is 1 FML\n"
    assert [each.exit_code for each in (many, long, nobody)] == [2, 2, 2]
