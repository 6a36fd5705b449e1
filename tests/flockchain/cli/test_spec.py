"""`build-spec`, `spec-hash` and `purge-chain`, run as their users run them."""

from __future__ import annotations

import json
from pathlib import Path

import plyvel
import pytest
import typer
from typer.testing import CliRunner, Result

from flockchain.cli.spec import build_spec, purge_chain, spec_hash
from flockchain.directories import database_directory, keystore_directory
from genesis.spec import load_chain_spec

app = typer.Typer()
for _command in (build_spec, spec_hash, purge_chain):
    app.command(_command.__name__.replace("_", "-"))(_command)


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner(env={"NO_COLOR": "1"}).invoke(app, list(arguments), input=stdin)


def refusal(*arguments: str, stdin: str | None = None) -> str:
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    return result.stderr.removesuffix("\n")


def test_build_spec_prints_what_it_read() -> None:
    result = run("build-spec", "--chain", "devnet")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(load_chain_spec("devnet").to_json(is_raw=False))


def test_the_raw_spec_is_the_same_chain(tmp_path: Path) -> None:
    raw = run("build-spec", "--chain", "dev", "--raw")
    assert raw.stdout == run("build-spec", "--chain", "dev", "--raw").stdout
    file = tmp_path / "raw.json"
    file.write_text(raw.stdout)
    assert run("spec-hash", str(file)).stdout == run("spec-hash", "dev").stdout
    assert run("build-spec", "--chain", str(file), "--raw").stdout == raw.stdout


def test_spec_hash_prints_hash_and_root() -> None:
    genesis, root = load_chain_spec("dev").genesis_roots()
    assert run("spec-hash", "dev").stdout == (
        f"genesis hash: 0x{genesis.hex()}\nstate root:   0x{root.hex()}\n"
    )
    assert json.loads(run("spec-hash", "dev", "--json").stdout) == {
        "genesis_hash": f"0x{genesis.hex()}",
        "state_root": f"0x{root.hex()}",
    }


def test_the_state_version_changes_the_root_of_long_values() -> None:
    newer, older = run("spec-hash", "dev"), run("spec-hash", "dev", "--state-version", "0")
    assert newer.exit_code == older.exit_code == 0
    assert newer.stdout != older.stdout


def test_a_wrong_spec_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text('{"name": "x"}')
    assert refusal("build-spec", "--chain", str(file)) == f"error: {file}: id: the key is missing"


@pytest.fixture
def base_path(tmp_path: Path) -> Path:
    """A base path with a chain's database and a key."""
    database = database_directory(tmp_path, "flock_dev")
    database.mkdir(parents=True)
    plyvel.DB(str(database), create_if_missing=True).close()
    keystore_directory(tmp_path, "flock_dev").mkdir()
    return tmp_path


def test_purge_chain_deletes_the_database_and_keeps_the_keys(base_path: Path) -> None:
    result = run("purge-chain", "--chain", "dev", "--base-path", str(base_path), "-y")
    assert result.exit_code == 0
    assert not database_directory(base_path, "flock_dev").exists()
    assert keystore_directory(base_path, "flock_dev").is_dir()


def test_purge_chain_asks_first(base_path: Path) -> None:
    arguments = ("purge-chain", "--chain", "dev", "--base-path", str(base_path))
    declined = run(*arguments, stdin="n\n")
    assert declined.exit_code == 1
    assert declined.stderr.endswith("error: nothing was deleted\n")
    assert database_directory(base_path, "flock_dev").is_dir()
    assert run(*arguments, stdin="y\n").exit_code == 0


def test_purge_chain_follows_no_link(base_path: Path) -> None:
    database = database_directory(base_path, "flock_dev")
    elsewhere = base_path / "elsewhere"
    database.rename(elsewhere)
    database.symlink_to(elsewhere)
    assert refusal("purge-chain", "--chain", "dev", "--base-path", str(base_path), "-y") == (
        f"error: {database} is a link: delete what it points to yourself"
    )
    assert elsewhere.is_dir()


def test_purge_chain_without_a_database(tmp_path: Path) -> None:
    assert refusal("purge-chain", "--chain", "dev", "--base-path", str(tmp_path), "-y") == (
        f"error: there is no database at {database_directory(tmp_path, 'flock_dev')}"
    )


def test_purge_chain_means_the_chain_that_a_node_means(tmp_path: Path) -> None:
    said = refusal("purge-chain", "--base-path", str(tmp_path), "-y")
    assert said == f"error: there is no database at {tmp_path}/chains/flock_local/db"
