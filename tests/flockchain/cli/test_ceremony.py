"""`flockchain ceremony`: a folder goes around, anyone checks it, a chain uses the string."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flockchain.ceremony.transcript import read_transcript
from flockchain.cli.main import build_app
from genesis.errors import SpecError
from genesis.spec import load_chain_spec
from runtime.api import runtime_at
from runtime.frame.externalities import DictState


def run(*arguments: object) -> Result:
    app = build_app("ceremony")
    words = ["ceremony", *map(str, arguments)]
    return CliRunner(env={"NO_COLOR": "1"}).invoke(app, words)


def contribute(folder: Path, name: str, *more: object) -> str:
    done = run("contribute", folder, "--name", name, "--processes", 1, *more)
    assert done.exit_code == 0, done.output
    return done.output.split()[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ceremony"


@pytest.fixture
def digests(folder: Path) -> list[str]:
    first = contribute(folder, "Alice", "--label", "flock_dev", "--points", 12)
    return [first, contribute(folder, "Bob")]


def test_two_contribute_and_a_chain_uses_what_they_made(
    folder: Path, digests: list[str], tmp_path: Path
) -> None:
    done = run("verify", folder)
    transcript = read_transcript(folder)
    assert transcript is not None
    setup = transcript.contributions[-1].setup
    assert done.output.splitlines() == [
        f"1 Alice {digests[0]}",
        f"2 Bob {digests[1]}",
        "12 points for flock_dev",
        f"SHA-256 of the string: 0x{setup.hex()}",
    ]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["ceremony.json", f"{setup.hex()}.srs"]
    )
    plain = load_chain_spec("dev")
    spec = tmp_path / "spec.json"
    spec.write_text(plain.to_json(is_raw=False))
    done = run("finish", folder, spec)
    assert done.output == f"{spec} names the string 0x{setup.hex()} of 12 points\n"
    found = load_chain_spec(spec)
    alliance = runtime_at(DictState(found.genesis_top())).alliance
    assert alliance.reference_string().id == setup
    assert found.genesis_hash() != plain.genesis_hash()
    raw = tmp_path / "raw.json"
    raw.write_text(found.to_json(is_raw=True))
    assert load_chain_spec(raw).genesis_hash() == found.genesis_hash()
    (tmp_path / f"{setup.hex()}.srs").unlink()
    for path in (spec, raw):
        with pytest.raises(SpecError, match="cannot read the reference string"):
            load_chain_spec(path)
    (tmp_path / f"{setup.hex()}.srs").write_bytes(bytes(48 * 12 + 96))
    with pytest.raises(SpecError, match="the file has the SHA-256"):
        load_chain_spec(spec)


def test_altered_folders_are_refused(folder: Path, digests: list[str]) -> None:
    path = folder / "ceremony.json"
    honest = path.read_text()
    document = json.loads(honest)
    document["contributions"][0]["name"] = "Mallory"
    path.write_text(json.dumps(document))
    assert (
        "contribution 1: it does not show that its secret is known" in run("verify", folder).output
    )
    document["contributions"] = document["contributions"][:1]
    path.write_text(json.dumps(document))
    assert run("verify", folder).exit_code == 1
    for text in ("{}", "[", honest.replace("0x", "0y", 1), honest.replace(': "0x', ': "0x00', 1)):
        path.write_text(text)
        for command in ("verify", "contribute"):
            done = run(command, folder, *(("--name", "Eve") if command == "contribute" else ()))
            assert (done.exit_code, "ceremony.json" in done.output) == (1, True)
    path.write_text(honest)
    (found,) = folder.glob("*.srs")
    found.write_bytes(found.read_bytes()[:-1] + b"\0")
    assert "the file has the SHA-256" in run("verify", folder).output
    assert len(digests) == 2


def test_refusals(folder: Path, tmp_path: Path) -> None:
    assert "holds no ceremony" in run("verify", folder).output
    assert "nobody has begun" in run("contribute", folder, "--name", "Alice").output
    assert "a name has 1 to 64 bytes" in run("contribute", folder, "--name", "").output
    contribute(folder, "Alice", "--label", "flock_dev", "--points", 12)
    spec = tmp_path / "spec.json"
    spec.write_text(load_chain_spec("dev").to_json(is_raw=False))
    assert "1 contributions, 2 are needed" in run("finish", folder, spec).output
    contribute(folder, "Bob")
    other = tmp_path / "other.json"
    other.write_text(load_chain_spec("local").to_json(is_raw=False))
    assert "the ceremony is for flock_dev, the chain is " in run("finish", folder, other).output
    other.write_text(load_chain_spec("dev").to_json(is_raw=True))
    assert "a raw one cannot be changed" in run("finish", folder, other).output


def test_processes_share_the_points(folder: Path) -> None:
    done = run(
        *("contribute", folder, "--name", "Alice", "--label", "flock_dev"),
        *("--points", 1_100, "--processes", 2),
    )
    assert done.exit_code == 0
    assert run("verify", folder).exit_code == 0
