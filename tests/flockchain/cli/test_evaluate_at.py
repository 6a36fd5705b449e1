"""`flockchain economics evaluate --at`: a live node's rules and state as the start."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from flockchain.cli.economics import app
from runtime.economy.parameters import VestingRules
from runtime.pallets.emission import Curve
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.flockchain.economics.live_world import address, begin
from tests.flockchain.rpc.dev_node import build, dev_node
from tests.runtime.pallets.world import World
from tests.runtime.played_state import top_of

NODES = [{"id": "a", "own": "2"}, {"id": "b", "own": "1"}]
SCORES = {"a": 950_000_000, "b": 900_000_000}
DAY = {
    "kind": "arena_day",
    "reward": "1000",
    "nodes": NODES,
    "validators": [{"id": "v", "own": "1", "scores": SCORES}],
}


@pytest.fixture(scope="module")
def world() -> World:
    """A chain whose rules are not the built-in ones."""
    world = begin()
    rules = replace(
        world.tasks.parameters_on(2),
        vesting=VestingRules(Rational(1, 2), Rational(1, 1), 1, Rational(1, 4)),
        creator_share=Rational(1, 10),
    )
    world.tasks.parameters.put(rules)
    world.emission.next_curve.put(Curve(7 * FML, Rational(1, 2), 2))
    return world


def run(world: World, folder: Path, *questions: tuple[Any, list[str]]) -> list[Result]:
    """Ask about documents with options, one after another, of a node with the world's state."""

    async def serve() -> list[Result]:
        async with dev_node(made=build(top_of(world))) as node:
            results = []
            for index, (document, words) in enumerate(questions):
                file = folder / f"{index}.json"
                file.write_text(json.dumps(document))
                arguments = ["evaluate", str(file), "--at", node.ws_url, *words]
                results.append(await asyncio.to_thread(CliRunner().invoke, app, arguments))
            return results

    return asyncio.run(serve())


def test_the_chains_rules_stand_in_for_what_a_file_leaves_out(world: World, tmp_path: Path) -> None:
    by_chain, by_file, by_set = run(
        world,
        tmp_path,
        (DAY, ["--json"]),
        ({**DAY, "k1": None, "creator_share": "0", "delta": "1"}, ["--json"]),
        (DAY, ["--json", "--set", "k1=null", "--set", "creator_share=0", "--set", "delta=1"]),
    )
    told = json.loads(by_chain.stdout)
    assert told["at"].keys() == {"block", "number", "proven"}
    assert (told["at"]["number"], told["at"]["proven"]) == (0, True)
    # kappa_c = 1/10, then halves; k_1 = 1 and delta = 1/4.
    assert told["creator"] == "100"
    assert told["ranking"] == ["a"]
    assert (told["payouts"]["a"], told["vesting"]) == ("113", "337")
    assert json.loads(by_file.stdout)["payouts"] == {"a": "400", "b": "100", "v": "500"}
    assert json.loads(by_set.stdout) == json.loads(by_file.stdout)


def test_the_curve_of_the_chain_and_what_is_scheduled(world: World, tmp_path: Path) -> None:
    emission = {"kind": "emission", "days": [0, 30, 60, 90], "horizon": 61}
    chain, own, split, limits = run(
        world,
        tmp_path,
        (emission, ["--json"]),
        ({**emission, "c0": "1000"}, ["--json"]),
        ({"kind": "task_split", "arena": [{"id": "x", "stake": "1"}], "fl": []}, ["--json"]),
        ({"kind": "rate_limit", "stakes": [str(29 * FML), str(120 * FML)]}, ["--json"]),
    )
    daily = json.loads(chain.stdout)["daily"]
    assert daily == {
        "0": str(100_000 * FML),
        "30": str(99_000 * FML),
        "60": str(7 * FML),
        "90": str(7 * FML // 2),
    }
    assert json.loads(chain.stdout)["cumulative"] == str((199_000 * 30 + 7) * FML)
    # A curve of the file's own begins with day 0 and is followed by none.
    assert json.loads(own.stdout)["daily"] == {"0": "1000", "30": "990", "60": "980", "90": "970"}
    assert json.loads(split.stdout)["rewards"] == {"x": str(100_000 * FML)}
    assert list(json.loads(limits.stdout)["limits"].values()) == [0, 8]


def test_a_curve_that_began_later_answers_for_its_own_days(world: World, tmp_path: Path) -> None:
    changed = begin()
    changed.emission.curve.put(Curve(5 * FML, Rational(1, 2), 1))
    (early, whole, later) = run(
        changed,
        tmp_path,
        ({"kind": "emission", "days": [29]}, []),
        ({"kind": "emission", "days": [30], "horizon": 31}, []),
        ({"kind": "emission", "days": [30, 60]}, ["--json"]),
    )
    for refused in (early, whole):
        assert refused.exit_code == 1
        assert refused.stderr == "error: scenario.days: the curve begins with day 30\n"
    assert list(json.loads(later.stdout)["daily"].values()) == [str(5 * FML), str(5 * FML // 2)]


def test_what_would_i_earn_if(world: World, tmp_path: Path) -> None:
    question = {
        "kind": "live_day",
        "task": 0,
        "delegate": [{"operator": address("v2"), "amount": str(70 * FML)}],
    }
    told, shown, stricter, cases = run(
        world,
        tmp_path,
        (question, ["--json"]),
        ({"name": "mine", "scenario": question}, []),
        (question, ["--json", "--set", "lambda=2000", "--set", "days=2"]),
        ([{"name": "mine", "scenario": question, "expected": {"task": 0}}], []),
    )
    assert told.exit_code == 0, told.output
    assert told.stderr == ""  # no bar where there is no terminal
    document = json.loads(told.stdout)
    assert document["at"]["proven"] is True
    mine = document["payouts"]["you"]
    assert mine["without"] == "0"
    assert mine["difference"] == mine["with"] != "0"
    assert [day["day"] for day in document["days"]] == [3]
    assert [day["day"] for day in json.loads(stricter.stdout)["days"]] == [3, 4]
    assert json.loads(stricter.stdout)["payouts"] != document["payouts"]
    assert "from the state after final block #0 0x" in shown.stdout
    assert "proven by its state root" in shown.stdout
    assert "you" in shown.stdout
    assert "- creators open Dataset B in time" in shown.stdout
    assert "1 passed, 0 failed" in cases.stdout


def test_refusals(world: World, tmp_path: Path) -> None:
    (unknown,) = run(world, tmp_path, ({"kind": "live_day", "task": 9}, []))
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert unknown.stderr == "error: scenario.task: there is no live task 9\n"
    file = tmp_path / "0.json"
    alone = CliRunner().invoke(app, ["evaluate", str(file)])
    assert alone.stderr == ("error: scenario.kind: live_day needs a chain: name a node with --at\n")
    nobody = CliRunner().invoke(app, ["evaluate", str(file), "--at", "ws://127.0.0.1:1"])
    assert nobody.exit_code == 1
    assert nobody.stderr.startswith("error: ws://127.0.0.1:1 cannot be reached: ")
    assert nobody.stderr.endswith("or name another with --at\n")
