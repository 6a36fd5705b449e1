"""`flockchain stake` against a real node: bond, keys of a keystore, candidate, nominator."""

from __future__ import annotations

import json
from pathlib import Path

from flockchain.cli import stake
from flockchain.keystore import FileKeystore
from runtime.primitives.types import FML
from tests.flockchain.cli.test_chain_commands import ALICE, BOB, run_all

AS_ALICE = ["--key", "//Alice", "--json"]
AS_BOB = ["--key", "//Bob", "--json"]


def keystore_of(directory: Path) -> list[str]:
    """Options for a keystore with a key of each kind."""
    password = directory / "password"
    password.write_text("correct horse\n")
    keystore = FileKeystore(directory / "keys", scrypt_log_n=4)
    for kind in ("babe", "gran"):
        keystore.insert(kind, f"//Vera//{kind}", "correct horse")
    return ["--keystore", str(directory / "keys"), "--password-file", str(password)]


def test_a_bond_becomes_a_candidate_and_is_backed(tmp_path: Path) -> None:
    keys = keystore_of(tmp_path)
    results, _ = run_all(
        tmp_path / "node",
        (stake.app, ["bond", "500 FML", *AS_ALICE]),
        (stake.app, ["bond", "100 FML", *AS_ALICE]),
        (stake.app, ["set-keys", *keys, *AS_ALICE]),
        (stake.app, ["validate", "--commission", "2.5", *AS_ALICE]),
        (stake.app, ["bond", "50 FML", *AS_BOB]),
        (stake.app, ["nominate", ALICE.address(), *AS_BOB]),
        (stake.app, ["unbond", "10 FML", *AS_BOB]),
        (stake.app, ["chill", *AS_BOB]),
        (stake.app, ["show", "//Bob"]),
    )
    for result in results:
        assert result.exit_code == 0, result.output
    told = [json.loads(result.stdout) for result in results[:8]]
    assert [each["bonded"] for each in told[:2]] == [str(500 * FML), str(600 * FML)]
    assert told[2]["session_keys"].count("0x") == 2
    assert (told[3]["role"], told[3]["validates_now"]) == ("candidate", False)
    assert (told[5]["role"], told[5]["backs"]) == ("nominator", [ALICE.address()])
    assert told[6]["unbonding"] == [f"{10 * FML} until era 2"]
    assert told[7]["role"] == "none"
    assert BOB.address() in results[8].stdout
    assert "40 FML" in results[8].stdout


def test_a_node_rotates_its_keys_for_the_account(tmp_path: Path) -> None:
    results, _ = run_all(
        tmp_path / "node",
        (stake.app, ["bond", "500 FML", *AS_ALICE]),
        (stake.app, ["rotate-keys", *AS_ALICE]),
        (stake.app, ["rotate-keys", *AS_ALICE]),
    )
    for result in results:
        assert result.exit_code == 0, result.output
    first, second = (json.loads(result.stdout)["session_keys"] for result in results[1:])
    assert first.count("0x") == 2
    assert first != second


def test_of_several_keys_one_pair_is_named(tmp_path: Path) -> None:
    options = keystore_of(tmp_path)
    keystore = FileKeystore(tmp_path / "keys", scrypt_log_n=4)
    made = [keystore.insert(kind, f"//Other//{kind}", "correct horse") for kind in ("babe", "gran")]
    named = "0x" + b"".join(entry.public for entry in made).hex()
    results, _ = run_all(
        tmp_path / "node",
        (stake.app, ["bond", "500 FML", *AS_ALICE]),
        (stake.app, ["set-keys", *options, *AS_ALICE]),
        (stake.app, ["set-keys", *options, "--keys", "0x00", *AS_ALICE]),
        (stake.app, ["set-keys", *options, "--keys", named, *AS_ALICE]),
    )
    assert results[1].exit_code == 1
    assert "has 2 keys of type babe: name one with --keys" in results[1].stderr
    assert results[2].exit_code == 2
    keys = json.loads(results[3].stdout)["session_keys"]
    assert keys == " ".join(f"0x{entry.public.hex()}" for entry in made)


def test_refusals_name_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    password = tmp_path / "password"
    password.write_text("x\n")
    empty = ["--keystore", str(tmp_path / "empty"), "--password-file", str(password)]
    results, _ = run_all(
        tmp_path / "node",
        (stake.app, ["withdraw", "--key", "//Alice"]),
        (stake.app, ["payout", "//Bob", "0", "--key", "//Alice"]),
        (stake.app, ["set-keys", *empty, "--key", "//Alice"]),
    )
    reasons = ("Staking.NotStash", "Staking.NothingToClaim", "has no such key of type babe")
    for result, reason in zip(results, reasons, strict=True):
        assert result.exit_code == 1
        assert reason in result.stderr
