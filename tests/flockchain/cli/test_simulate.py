"""`flockchain simulate` at the command line."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from flockchain.cli.simulate import build
from flockchain.simulation.fl import experiment
from flockchain.simulation.fl.experiment import CELLS_FILE, Plan, key_of
from flockchain.simulation.fl.settings import DEFENCES

RUNNER = CliRunner()
APP = build()
SMALL = ["fl", "--clients", "10", "--rounds", "2", "--seed", "100"]


def test_one_json_document() -> None:
    found = RUNNER.invoke(APP, [*SMALL, "--defence", "none", "--json"])
    assert found.exit_code == 0
    document = json.loads(found.stdout)
    assert [played["round"] for played in document["rounds"]] == [0, 1]
    assert (document["defence"], document["seed"]) == ("none", 100)


def test_a_table_for_people() -> None:
    found = RUNNER.invoke(APP, [*SMALL, "--attack", "backdoor"])
    assert found.exit_code == 0
    assert "4 of 10 clients: backdoor" in found.stdout
    assert "the trigger turns" in found.stdout


def test_refusals_end_with_status_1() -> None:
    found = RUNNER.invoke(APP, [*SMALL, "--defence", "luck"])
    assert found.exit_code == 1
    known = ", ".join(DEFENCES)
    assert found.stderr == f"error: defence 'luck' is not one of {known}\n"
    found = RUNNER.invoke(APP, ["fl", "--clients", "256"])
    assert found.stderr == "error: 256 clients have 5 examples each, 6 for tests\n"


def test_what_is_there_is_not_played_again(tmp_path: Path) -> None:
    cells = [key_of(settings) for settings in Plan(1, 3, rounds=2).cells()]
    text = "".join(json.dumps({"key": key}) + "\n" for key in cells)
    (tmp_path / CELLS_FILE).write_text(text, encoding="utf-8")
    options = ["--seeds", "1", "--first", "3", "--rounds", "2", "--processes", "1"]
    found = RUNNER.invoke(APP, ["poisoning", "--out", str(tmp_path), *options])
    assert found.stdout == f"{len(cells)} of {len(cells)} simulations\n"
    assert experiment.read_cells(tmp_path / CELLS_FILE) == [{"key": key} for key in cells]


def test_a_page_needs_finished_simulations(tmp_path: Path) -> None:
    options = ["poisoning-page", "--from", str(tmp_path), "--write", str(tmp_path / "page.md")]
    found = RUNNER.invoke(APP, options)
    assert found.exit_code == 1
    assert found.stderr == f"error: {tmp_path} has no finished simulations\n"


def test_an_earlier_page_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / CELLS_FILE).write_text('{"key": "a"}\n', encoding="utf-8")
    (tmp_path / "old.json").write_text("[", encoding="utf-8")
    options = ["--from", str(tmp_path), "--write", str(tmp_path / "page.md")]
    found = RUNNER.invoke(
        APP, ["poisoning-page", *options, "--earlier", str(tmp_path / "old.json")]
    )
    assert found.exit_code == 1
    assert found.stderr.startswith(f"error: {tmp_path / 'old.json'} holds no JSON: ")
