"""`flockchain delegate`, `task bounty` and `task cancel` against a real node."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from typer import Typer
from typer.testing import Result

from flockchain.cli import arena, delegate, task
from runtime.primitives.types import FML
from tests.flockchain.cli.test_chain_commands import ALICE, BOB, RUNNER, run_all
from tests.flockchain.fast_chain import fast_chain


def test_stake_is_delegated_listed_and_taken_back(tmp_path: Path) -> None:
    create = ["create", "--budget", "300 FML", "--digits", "--key", "//Alice", "--json"]
    as_alice = ["--key", "//Alice", "--json"]
    results, _ = run_all(
        tmp_path / "node",
        (task.app, [*create, "--state-dir", str(tmp_path / "state")]),
        (arena.app, ["register", "0", "node", "--key", "//Bob", "--share", "1/5"]),
        (delegate.app, ["share", "0", "0.6", "--key", "//Bob", "--json"]),
        (delegate.app, ["add", "0", BOB.address(), "12.5 FML", *as_alice]),
        (delegate.app, ["remove", "0", "//Bob", "2.5 FML", *as_alice]),
        (delegate.app, ["list", "//Alice", "--json"]),
        (delegate.app, ["list", ALICE.address()]),
        (task.app, ["cancel", "0", *as_alice]),
    )
    for result in results:
        assert result.exit_code == 0, result.output
    shared, added, removed, listed = (json.loads(each.stdout) for each in results[2:6])
    assert (shared["share_ratio"], shared["from_day"]) == ("3/5", 1)
    assert (added["role"], added["delegated"]) == ("training_node", str(25 * FML // 2))
    assert (removed["unbonding"], removed["free_day"]) == (str(5 * FML // 2), 2)
    (row,) = listed["delegations"]
    assert (row["operator"], row["share_ratio"]) == (BOB.address(), "3/5")
    assert (row["delegated"], row["unbonding"]) == (str(10 * FML), str(5 * FML // 2))
    assert "10 FML" in results[6].stdout
    assert json.loads(results[7].stdout)["returned"] == str(300 * FML)


def test_refusals_name_the_chains_reason(tmp_path: Path) -> None:
    (closed, unknown), _ = run_all(
        tmp_path,
        (delegate.app, ["add", "7", "//Bob", "1 FML", "--key", "//Alice"]),
        (delegate.app, ["share", "7", "1/2", "--key", "//Alice"]),
    )
    assert (closed.exit_code, unknown.exit_code) == (1, 1)
    assert "Delegation.TaskClosed" in closed.stderr
    assert "Tasks.UnknownTask" in unknown.stderr
    wrong = RUNNER.invoke(delegate.app, ["share", "0", "6/10", "--key", "//Alice"])
    assert wrong.exit_code == 2


def test_a_bounty_is_paid_and_shown(tmp_path: Path) -> None:
    create = ["create", "--budget", "300 FML", "--digits", "--key", "//Alice", "--json"]
    results, _ = run_all(
        tmp_path / "node",
        (
            task.app,
            [*create, "--duplicate-distance", "4", "--state-dir", str(tmp_path / "state")],
        ),
        (task.app, ["bounty", "0", "12.5 FML", "--key", "//Bob", "--json"]),
        (task.app, ["bounty", "0", "1 FML", "--key", "//Alice"]),
        (task.app, ["show", "0", "--json"]),
        (task.app, ["bounty", "0", "0.9 FML", "--key", "//Bob"]),
    )
    for result in results[:-1]:
        assert result.exit_code == 0, result.output
    told = json.loads(results[1].stdout)
    assert (told["payer"], told["bounty"]) == (BOB.address(), str(25 * FML // 2))
    assert "13.5 FML" in results[2].stdout
    shown = json.loads(results[3].stdout)
    assert (shown["bounty"], shown["duplicate_distance"]) == (str(27 * FML // 2), 4)
    assert "Tasks.BountyTooSmall" in results[-1].stderr


def test_what_matured_is_freed(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    create = ["create", "--budget", "300 FML", "--digits", "--days", "9", "--key", "//Alice"]
    as_alice = ["--key", "//Alice", "--json"]
    before: list[tuple[Typer, list[str]]] = [
        (task.app, [*create, "--state-dir", state]),
        (arena.app, ["register", "0", "node", "--key", "//Bob"]),
        (delegate.app, ["add", "0", "//Bob", "3 FML", *as_alice]),
        (delegate.app, ["remove", "0", "//Bob", "3 FML", *as_alice]),
        (delegate.app, ["free", "0", "//Bob", *as_alice]),
    ]

    async def run() -> None:
        async with fast_chain(tmp_path / "node", [ALICE, BOB]) as chain:
            chain.seal()
            chain.seal_when_asked()

            async def invoke(app: Typer, words: list[str]) -> Result:
                return await asyncio.to_thread(RUNNER.invoke, app, [*words, "--rpc", chain.url])

            results = [await invoke(*command) for command in before]
            assert [result.exit_code for result in results] == [0, 0, 0, 0, 1]
            assert "Delegation.NothingToFree" in results[-1].stderr
            free_day = json.loads(results[-2].stdout)["free_day"]
            calendar = chain.runtime().preset.calendar
            chain.seal(calendar.first_block(free_day) - chain.backend.best.number)
            freed = await invoke(*before[-1])
            assert json.loads(freed.stdout) == {
                "task": 0,
                "operator": BOB.address(),
                "delegator": ALICE.address(),
                "freed": str(3 * FML),
            }

    asyncio.run(run())
