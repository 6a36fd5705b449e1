"""`flockchain fl` against a real node: a task is created, joined, paused, left and looked at."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from typer.testing import Result

from flockchain.cli import fl
from ml.round_work import rows_of
from runtime.primitives.content_id import cid_text, content_id
from runtime.primitives.types import FML
from tests.flockchain.cli.test_chain_commands import RUNNER
from tests.flockchain.fast_chain import FastChain, fast_chain
from tests.flockchain.workers.alliance.alliance_chain import (
    CREATOR,
    KEYS,
    TASK,
    alliance_terms,
    digits,
    genesis_with_origin,
    proven,
)

CREATE = [
    *("create", "--origin", "0", "--pool", "100 FML", "--quantity", "10 FML", "--rounds", "3"),
    *("--windows", "6,6,6,6,6,6", "--units-max", "64", "--name", "digits together"),
    *("--attribute", "--days", "60", "--key", "//Creator", "--scheme", "ed25519", "--json"),
]
AS_CLIENT = ["--key", "//Client1"]


def run_all(directory: Path, *commands: list[str]) -> tuple[list[Result], FastChain]:
    """Run commands one after another on a chain with a finished Arena task."""

    async def run() -> tuple[list[Result], FastChain]:
        async with fast_chain(directory, [], genesis_with_origin()) as chain:
            for blob in (digits().spec, digits().model):
                chain.blobs.put(blob)
            chain.seal()
            chain.seal_when_asked()
            results = [
                await asyncio.to_thread(RUNNER.invoke, fl.app, [*words, "--rpc", chain.url])
                for words in commands
            ]
            return results, chain

    return asyncio.run(run())


def test_a_task_is_created_from_what_the_arena_left(tmp_path: Path) -> None:
    (created, listed, told), chain = run_all(
        tmp_path, CREATE, ["list", "--json"], ["status", "1", "--account", "//Client1"]
    )
    assert created.exit_code == 0, created.output
    made = json.loads(created.stdout)
    assert (made["task"], made["pool"]) == (TASK, str(100 * FML))
    assert made["model"] == cid_text(content_id(digits().model))
    record = chain.runtime().alliance.get_task(TASK)
    assert record.terms == alliance_terms()
    assert record.creator == CREATOR.account
    (row,) = json.loads(listed.stdout)
    assert (row["rounds"], row["members"], row["stake"]) == ("0 of 3", 0, str(10 * FML))
    assert "membership:       none" in told.stdout


def test_a_member_joins_pauses_and_leaves(tmp_path: Path) -> None:
    results, chain = run_all(
        tmp_path,
        CREATE,
        ["join", "1", "--units", "7", *AS_CLIENT, "--json"],
        ["status", "1", "--account", "//Client1", "--json"],
        ["pause", "1", *AS_CLIENT, "--json"],
        ["resume", "1", *AS_CLIENT, "--json"],
        ["leave", "1", *AS_CLIENT, "--json"],
        ["history", "1", "--json"],
        ["list"],
    )
    for result in results:
        assert result.exit_code == 0, result.output
    joined, seen, paused, resumed, left, rounds = (json.loads(r.stdout) for r in results[1:7])
    assert (joined["units"], joined["stake"]) == (7, str(10 * FML))
    assert (seen["membership"], seen["balance"]) == ("joined", str(10 * FML))
    assert paused["from_turn"] <= resumed["from_turn"] <= left["not_drawn_from_turn"]
    assert rounds == {"task": 1, "rounds": []}
    assert chain.runtime().alliance.members.contains((TASK, KEYS[0].account))


def test_refusals_are_one_line(tmp_path: Path) -> None:
    results, _ = run_all(
        tmp_path,
        ["status", "1"],
        ["join", "1", "--units", "1", *AS_CLIENT],
        ["create", "--origin", "9", "--pool", "1 FML", *AS_CLIENT],
        CREATE,
        ["claim", "1", *AS_CLIENT],
        ["explain", "1", "0", "//Client1"],
        [*CREATE, "--windows", "1,2"],
        [*CREATE, "--slash", "half"],
    )
    reasons = (
        (0, "there is no task 1 of the FL Alliance: `flockchain fl list` shows live ones"),
        (1, "there is no task 1 of the FL Alliance"),
        (2, "there is no task 9: `flockchain task list --all` shows all"),
        (4, "FlAlliance.NotAMember"),
        (5, "round 0 of task 1 did nothing to "),
    )
    for place, reason in reasons:
        assert results[place].exit_code == 1
        assert reason in results[place].stderr
    assert [results[place].exit_code for place in (6, 7)] == [2, 2]


def test_a_task_with_an_aggregator_is_created_and_joined(tmp_path: Path) -> None:
    proves = [word for word in CREATE if word != "--attribute"]
    proves[proves.index("6,6,6,6,6,6")] = "6,6,6,6,6,6,6"
    zk = ["--mode", "zk", "--proposing", "1/2"]
    results, chain = run_all(
        tmp_path,
        [*proves, *zk],
        ["join", "1", "--units", "7", *AS_CLIENT, "--json"],
        [*CREATE, *zk],  # one window is missing
    )
    assert [result.exit_code for result in results] == [0, 0, 2], results[0].output
    assert json.loads(results[0].stdout)["mode"] == "zk"
    assert chain.runtime().alliance.get_task(TASK).terms == alliance_terms(**proven())
    assert chain.runtime().alliance.members.contains((TASK, KEYS[0].account))


def test_rows_are_written_from_tables_and_digits(tmp_path: Path) -> None:
    table, out = tmp_path / "table.csv", tmp_path / "rows"
    table.write_text("x,y,class\n1,2,0\n3,4,1\n5,6,2\n")
    made = RUNNER.invoke(fl.app, ["rows", str(out), "--table", str(table), "--part", "1/2"])
    assert made.exit_code == 0, made.output
    assert "rows: 2" in made.stdout
    assert out.stat().st_mode & 0o777 == 0o600
    assert RUNNER.invoke(fl.app, ["rows", str(out), "--digits", "--part", "7/7"]).exit_code == 0
    assert rows_of(out.read_bytes()) == rows_of(digits().made.train) // 7
    table.write_text("1,2,x\n1,b,0\n")
    for words, code in (
        (["--table", str(table)], 1),
        (["--table", str(tmp_path / "missing")], 1),
        (["--table", str(table), "--digits"], 2),
        (["--digits", "--part", "3/2"], 2),
    ):
        assert RUNNER.invoke(fl.app, ["rows", str(out), *words]).exit_code == code
    nowhere = str(tmp_path / "missing" / "rows")
    assert RUNNER.invoke(fl.app, ["rows", nowhere, "--digits"]).exit_code == 1
