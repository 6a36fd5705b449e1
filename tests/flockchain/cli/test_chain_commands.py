"""`flockchain wallet`, `task` and `arena` against a real node."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from flockchain.cli import arena, task, wallet, worker
from flockchain.cli.chain_access import in_words
from flockchain.keys import key_pair_from_uri
from flockchain.sdk import Disconnected
from flockchain.workers.blob_folder import BlobFolder
from flockchain.workers.creator import find_key
from runtime.constants import DEVNET
from runtime.primitives.types import FML
from tests.flockchain.fast_chain import ENDOWMENT, FastChain, fast_chain

ALICE, BOB = key_pair_from_uri("//Alice", "sr25519"), key_pair_from_uri("//Bob", "sr25519")
RUNNER = CliRunner()


def run_all(directory: Path, *commands: tuple[Typer, list[str]]) -> tuple[list[Result], FastChain]:
    """Run commands one after another against a chain that seals when it is asked to."""

    async def run() -> tuple[list[Result], FastChain]:
        async with fast_chain(directory, [ALICE, BOB]) as chain:
            chain.seal()
            chain.seal_when_asked()
            results = [
                await asyncio.to_thread(RUNNER.invoke, app, [*words, "--rpc", chain.url])
                for app, words in commands
            ]
            return results, chain

    return asyncio.run(run())


def test_a_transfer_moves_human_amounts(tmp_path: Path) -> None:
    (sent, seen, plain), chain = run_all(
        tmp_path,
        (wallet.app, ["transfer", "//Bob", "12.5 FML", "--key", "//Alice", "--json"]),
        (wallet.app, ["balance", BOB.address(), "--json"]),
        (wallet.app, ["balance", "//Bob"]),
    )
    assert sent.exit_code == 0, sent.output
    told = json.loads(sent.stdout)
    assert told["amount"] == str(12 * FML + FML // 2)
    assert int(told["fee"]) > 0
    assert json.loads(seen.stdout)["free"] == str(ENDOWMENT + 12 * FML + FML // 2)
    assert "100012.5 FML" in plain.stdout
    assert chain.free(ALICE) == ENDOWMENT - int(told["amount"]) - int(told["fee"])


def test_refusals_are_one_line_with_the_chains_reason(tmp_path: Path) -> None:
    (too_much, no_task, no_day), _ = run_all(
        tmp_path,
        (wallet.app, ["transfer", "//Bob", "1000000 FML", "--key", "//Alice"]),
        (arena.app, ["register", "7", "node", "--key", "//Alice"]),
        (arena.app, ["leaderboard", "7"]),
    )
    for result, reason in (
        (too_much, "Balances."),
        (no_task, "Tasks.UnknownTask"),
        (no_day, "there is no task 7"),
    ):
        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.startswith("error: ")
        assert reason in result.stderr
        assert result.stderr.count("\n") == 1


def test_wrong_usage_is_status_2() -> None:
    for app, words in (
        (wallet.app, ["transfer", "//Bob", "many", "--key", "//Alice"]),
        (wallet.app, ["balance", "0x12"]),
        (task.app, ["create", "--budget", "1 FML", "--key", "//Alice", "--days", "1"]),
        (arena.app, ["register", "0", "node", "--share", "x", "--key", "//Alice"]),
        (worker.app, ["trainer"]),
        (worker.app, ["trainer", "--key", "//A", "--key", "//A"]),
        (worker.app, ["validator", "--key", "//A", "--log", "loud"]),
        (worker.app, ["trainer", "--key", "//A", "--stake", "1 FML", "--stake", "2 FML"]),
        (worker.app, ["validator", "--key", "//A", "--share", "2/4"]),
        (worker.app, ["validator", "--key", "//A", *(2 * ["--behaviour", "copier"])]),
    ):
        assert RUNNER.invoke(app, words).exit_code == 2, words


def test_what_people_mistype_is_named(tmp_path: Path) -> None:
    empty, latin = tmp_path / "empty", tmp_path / "latin"
    empty.write_text("\n")
    latin.write_bytes(b"\xe9\n")
    pay = ["transfer", "//Bob", "1 FML"]
    for words, status, said in (
        (["balance", "Alice"], 2, "'Alice' is no account"),
        ([*pay, "--key", ""], 1, "error: the secret URI is empty: it needs one line\n"),
        ([*pay, "--key-file", str(empty)], 1, f"error: {empty} is empty: it needs one line\n"),
        ([*pay, "--key-file", str(latin)], 1, f"error: cannot read {latin}: it holds no text\n"),
        (
            [*pay, "--key-file", str(tmp_path / "no")],
            1,
            f"error: cannot read {tmp_path}/no: No such file or directory\n",
        ),
    ):
        result = RUNNER.invoke(wallet.app, words)
        assert result.exit_code == status, words
        assert said in result.stderr
        assert status == 2 or said == result.stderr


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (False, "no"),
        (None, "none"),
        ([], "none"),
        (["a", "b"], "a, b"),
        (0, "0"),
        (
            [{"amount": "1 FML", "free_at_block": 7}, {"amount": "2 FML", "free_at_block": 9}],
            "amount 1 FML, free at block 7; amount 2 FML, free at block 9",
        ),
    ],
)
def test_facts_are_told_in_words(value: object, text: str) -> None:
    assert in_words(value) == text


def test_a_worker_says_that_it_waits_for_a_node(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.MonkeyPatch.context() as patch, caplog.at_level("WARNING"):
        patch.setattr(worker, "CONNECT_TRIES", 1)
        patch.setattr(worker, "CONNECT_PAUSE_S", 0.0)
        with pytest.raises(Disconnected):
            asyncio.run(worker.connect("ws://127.0.0.1:9"))
    assert caplog.messages == ["ws://127.0.0.1:9 cannot be reached: Connection refused; trying on"]


def test_a_creator_s_questions_become_a_language_task(tmp_path: Path) -> None:
    asked, odd = tmp_path / "asked.json", tmp_path / "odd.json"
    asked.write_text(json.dumps([{"answer": "Here.", "questions": ["Where?", "Wo?", "Whither?"]}]))
    odd.write_text("[]")
    create = ["create", "--budget", "300 FML", "--key", "//Alice", "--state-dir", str(tmp_path)]
    (made, refused, listed), _ = run_all(
        tmp_path / "node",
        (task.app, [*create, "--questions", str(asked), "--title", "Places"]),
        (task.app, [*create, "--questions", str(odd)]),
        (task.app, ["list", "--json"]),
    )
    assert made.exit_code == 0, made.output
    assert refused.stderr == "error: questions: not a list of answers\n"
    (told,) = json.loads(listed.stdout)
    assert (told["name"], told["metric"]) == ("Places", "bits_per_byte")


def test_a_task_is_created_shown_and_joined(tmp_path: Path) -> None:
    state = tmp_path / "state"
    create = ["create", "--budget", "300 FML", "--digits", "--key", "//Alice", "--json"]
    (made, listed, shown, joined, submissions, unsettled), chain = run_all(
        tmp_path / "node",
        (task.app, [*create, "--state-dir", str(state)]),
        (task.app, ["list", "--json"]),
        (task.app, ["show", "0"]),
        (arena.app, ["register", "0", "node", "--key", "//Bob", "--json"]),
        (arena.app, ["submissions", "0", "--json"]),
        (arena.app, ["payouts", "0"]),
    )
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["start_day"] == 1
    (told,) = json.loads(listed.stdout)
    assert told["name"] == "Handwritten digits"
    assert told["budget"] == str(300 * FML)
    assert "300 FML" in shown.stdout
    assert json.loads(joined.stdout)["stake"] == str(DEVNET.node_stake)
    assert json.loads(submissions.stdout) == []
    assert "no day of task 0 is settled" in unsettled.stderr
    terms = chain.runtime().tasks.get_task(0).terms
    assert find_key(state, terms.validation_b.key_hash) is not None
    uploaded = [terms.spec, *terms.training, terms.validation_a, terms.validation_b.ciphertext]
    folder = BlobFolder(state)
    assert all(folder.find(digest) is not None for digest in uploaded)
