"""`flockchain economics`: documents, tables and exit statuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from flockchain.cli.economics import app

SCENARIO = {"kind": "rate_limit", "s_min": 100, "l0": 4, "stakes": [99, 100, 400]}
LIMITS = {"99": 0, "100": 4, "400": 8}


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write(folder: Path, document: Any) -> Path:
    file = folder / "scenario.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


@pytest.mark.parametrize("document", [SCENARIO, {"name": "x", "scenario": SCENARIO}])
def test_one_scenario_as_json(tmp_path: Path, document: object) -> None:
    result = run("evaluate", write(tmp_path, document), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"limits": LIMITS}


def test_settings_replace_fields(tmp_path: Path) -> None:
    file = write(tmp_path, SCENARIO)
    result = run("evaluate", file, "--json", "--set", "l0=8", "--set", "l_max=10")
    assert json.loads(result.stdout) == {"limits": {"99": 0, "100": 8, "400": 10}}


def test_one_scenario_as_a_table(tmp_path: Path) -> None:
    scenario = {
        "kind": "task_split",
        "emission": "1000000000000000000",
        "arena": [{"id": "a", "stake": "1"}],
        "fl": [],
    }
    result = run("evaluate", write(tmp_path, scenario))
    assert result.exit_code == 0
    assert "1000000000000000000" in result.stdout
    assert "1.000000" in result.stdout


def test_a_list_is_checked(tmp_path: Path) -> None:
    good = {"name": "good", "scenario": SCENARIO, "expected": {"limits": LIMITS}}
    result = run("evaluate", write(tmp_path, [good]))
    assert result.exit_code == 0
    assert "1 passed, 0 failed" in result.stdout


def test_names_in_a_list_are_not_markup(tmp_path: Path) -> None:
    case = {"name": "[/red] :fire:", "scenario": SCENARIO}
    assert "[/red] :fire:" in run("evaluate", write(tmp_path, [case])).stdout


def test_a_mismatch_in_a_list_fails(tmp_path: Path) -> None:
    bad = {"name": "bad", "scenario": SCENARIO, "expected": {"limits": {"99": 1}}}
    result = run("evaluate", write(tmp_path, [bad]))
    assert result.exit_code == 1
    assert "FAIL limits.99: 0 instead of 1" in result.stdout
    report = json.loads(run("evaluate", write(tmp_path, [bad]), "--json").stdout)
    assert report == {
        "passed": 0,
        "failed": 1,
        "cases": [
            {
                "name": "bad",
                "passed": False,
                "fault": "limits.99: 0 instead of 1",
                "answer": {"limits": LIMITS},
            }
        ],
    }


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"kind": "fl"}, "error: scenario.pool: missing\n"),
        ({**SCENARIO, "s_min": "-1"}, "error: scenario.s_min: an integer from 0 to 2^128 - 1"),
        ("{", "is no JSON document: "),
        ("[" * 100_000, "is no JSON document: "),
        ("5", "error: scenario: an object is expected, not 5\n"),
    ],
)
def test_refusals_are_one_line_and_status_1(tmp_path: Path, document: object, message: str) -> None:
    result = run("evaluate", write(tmp_path, document))
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_wrong_usage_is_status_2(tmp_path: Path) -> None:
    assert run("evaluate", tmp_path / "absent.json").exit_code == 2
    assert run("evaluate").exit_code == 2


def test_table2_as_json_and_as_tables() -> None:
    document = json.loads(run("table2", "--json").stdout)
    assert document["paper"]["totals"]["Node 1"] == "195000000000000000000"
    assert document["exact"]["totals"]["Validator 2"] == "280000000000000000000"
    shown = run("table2").stdout
    assert "Node 1 195.000000" in shown
    assert "Node 1 194.363460" in shown
    assert "Node 3 190.048591" in run("table2", "--reversed").stdout
