"""`flockchain vectors run`: the project's own files hold, bent ones fail, each with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flockchain.cli.vectors import app

OWN = Path(__file__).parents[2] / "vectors" / "crypto"


def run(directory: Path) -> Result:
    return CliRunner().invoke(app, ["run", str(directory)])


def run_cases(directory: Path, scheme: str, *cases: object) -> Result:
    (directory / "file.json").write_text(json.dumps({"scheme": scheme, "cases": cases}))
    return run(directory)


def bent(expected: object) -> object:
    """Another answer of the same form."""
    if isinstance(expected, bool):
        return not expected
    return "00" if expected is None else "ff" * 40


def test_the_projects_own_files_hold() -> None:
    result = run(OWN)
    assert result.stdout.endswith(" cases, 0 failures\n"), result.stdout
    assert result.exit_code == 0


@pytest.mark.parametrize("path", sorted(OWN.glob("*.json")), ids=lambda path: path.stem)
def test_every_case_can_fail(path: Path, tmp_path: Path) -> None:
    document = json.loads(path.read_text())
    for case in document["cases"]:
        case["expected"] = bent(case["expected"])
    (tmp_path / path.name).write_text(json.dumps(document))
    result = run(tmp_path)
    count = len(document["cases"])
    assert result.stdout.endswith(f"{count} cases, {count} failures\n"), result.stdout
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("scheme", "case", "line"),
    [
        ("ed25519", {"expected": True}, "case 0: the field 'signature' is missing"),
        ("ed25519", 7, "case 0: no object"),
        ("blake2", {"bits": 9, "data": "", "expected": ""}, "case 0: 'bits' is none of 64, 128, "
         "256, 512"),
        ("twox", {"bits": 64, "data": "0", "expected": ""}, "case 0: 'data' is no hexadecimal text "
         "of whole bytes"),
        ("ecvrf", {"seed": "00", "alpha": "", "expected": ""}, "case 0: 'seed' has 1 bytes, not "
         "32"),
        ("scale", {"type": "Vec<u7>", "value": 0, "expected": ""}, "case 0: 'u7' is no type"),
        ("scale", {"type": "u8", "value": 300, "expected": "2c", "name": "wide"},
         "case 0 (wide): 44, expected 300"),
        ("trie", {"state_version": 2, "pairs": {}, "expected": ""}, "case 0: 'state_version' is "
         "neither 0 nor 1"),
        ("trie", {"root": "00" * 32, "proof": [], "keys": ["00"], "expected": [None]},
         "case 0: null, expected [None]"),
        ("grandpa-justification", {"authorities": [], "set_id": 0, "justification": "",
         "expected": True}, "case 0: 'authorities': 0 authorities, from 1 to"),
    ],
)  # fmt: skip
def test_a_failing_case_is_one_line(tmp_path: Path, scheme: str, case: object, line: str) -> None:
    result = run_cases(tmp_path, scheme, case)
    assert result.exit_code == 1
    first, count = result.stdout.splitlines()
    assert first.startswith(f"file.json: {line}")
    assert count == "1 cases, 1 failures"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", "no JSON: "),
        ("[]", "no object with a 'scheme'"),
        ('{"scheme": "zkagg", "cases": []}', "'cases' is no list of 1 to 1000000 cases"),
        ('{"scheme": "rot13", "cases": []}', "the scheme 'rot13' is none of ed25519, ecvrf"),
        ('{"scheme": "twox", "cases": []}', "'cases' is no list of 1 to 1000000 cases"),
    ],
)
def test_a_file_that_cannot_be_run_is_a_failure(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "file.json").write_text(text)
    result = run(tmp_path)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"file.json: {line}")
    assert result.stdout.endswith("0 cases, 1 failures\n")


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: there is no *.json below {tmp_path}\n"
    assert CliRunner().invoke(app, ["run", str(tmp_path / "none")]).exit_code == 2
