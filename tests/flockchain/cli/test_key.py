"""`flockchain key`, run as its users run it: arguments in, exit status and streams out."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from flockchain.cli.key import app
from flockchain.keys import key_pair_from_uri
from flockchain.keystore import FileKeystore
from flockchain.node_keys import read_password

ALICE = key_pair_from_uri("//Alice")
ALICE_ADDRESS = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner(env={"NO_COLOR": "1"}).invoke(app, list(arguments), input=stdin)


def run_json(*arguments: str, stdin: str | bytes | None = None) -> dict[str, Any]:
    result = run(*arguments, "--json", stdin=stdin)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def refusal(*arguments: str, stdin: str | bytes | None = None) -> str:
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    return result.stderr.removesuffix("\n")


def test_generate_prints_a_phrase_that_inspect_understands() -> None:
    made = run_json("generate", "--words", "24", "--scheme", "ed25519", "--network", "0")
    phrase = made.pop("secret_phrase")
    assert len(phrase.split()) == 24
    arguments = ("inspect", "--suri-file", "-", "--scheme", "ed25519", "--network", "0")
    assert run_json(*arguments, stdin=phrase + "\n") == made


def test_inspect_of_a_development_key_in_words() -> None:
    result = run("inspect", "--suri", "//Alice")
    assert result.exit_code == 0
    assert result.stdout == (
        "scheme:     sr25519\n"
        "public key: 0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d\n"
        f"address:    {ALICE_ADDRESS}\n"
        "network:    42\n"
    )
    assert run("inspect", "--key", "//Alice").stdout == result.stdout  # as other commands name it


def test_inspect_of_public_keys_and_addresses() -> None:
    expected = {"public_key": f"0x{ALICE.public.hex()}", "address": ALICE_ADDRESS, "network": 42}
    assert run_json("inspect", f"0x{ALICE.public.hex()}") == expected
    assert run_json("inspect", ALICE.address(0)) == expected


def test_secret_is_prompted_for_without_echo() -> None:
    result = run("inspect", "--json", stdin="//Alice\n")
    assert json.loads(result.stdout)["address"] == ALICE_ADDRESS
    assert "Secret URI" in result.stderr
    assert "//Alice" not in result.output


def test_insert_stores_a_key_that_unlocks(tmp_path: Path) -> None:
    secret, password, store = tmp_path / "uri", tmp_path / "password", tmp_path / "keys"
    secret.write_text("//Alice\n")
    password.write_text("correct horse\n")
    arguments = ("insert", "--keystore", str(store), "--key-type", "gran")
    files = ("--suri-file", str(secret), "--password-file", str(password))
    made = run_json(*arguments, *files)
    expected = key_pair_from_uri("//Alice", "ed25519")
    assert made == {
        "key_type": "gran",
        "scheme": "ed25519",
        "public_key": f"0x{expected.public.hex()}",
    }
    assert FileKeystore(store).unlock("gran", expected.public, "correct horse") == expected
    assert refusal(*arguments, *files).endswith("already holds this key")


@pytest.mark.parametrize("scheme", ["ed25519", "sr25519"])
def test_what_is_signed_verifies(tmp_path: Path, scheme: str) -> None:
    message = tmp_path / "message"
    message.write_bytes(b"\x00\xffmessage\n")
    flags = ("--message-file", str(message), "--scheme", scheme)
    signed = run_json("sign", "--suri", "//Alice", *flags)
    signature, public = signed["signature"], signed["public_key"]
    assert run_json("verify", signature, public, *flags) == {"valid": True, "public_key": public}
    hexadecimal = ("--message", "0x" + message.read_bytes().hex(), "--hex", "--scheme", scheme)
    assert run("verify", signature, public, *hexadecimal).exit_code == 0
    piped = run("verify", signature, public, "--scheme", scheme, stdin=message.read_bytes())
    assert piped.exit_code == 0
    reason = refusal("verify", signature, public, "--message", "other", "--scheme", scheme)
    assert reason == f"error: the {scheme} signature is not valid for {public}"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("inspect", "--suri", "zebra"), "a phrase has 12, 15, 18, 21, 24 words, not 1"),
        (("inspect", "0xabcd"), "a public key has 32 bytes, not 2"),
        (("inspect", "0xabc"), "the public key is not hexadecimal"),
        (("inspect", "5Grw"), "address 5Grw holds 0 bytes, an account has 32"),
        (("inspect", "--suri-file", "/no/such"), "cannot read /no/such: No such file or directory"),
        (("verify", "xy", ALICE_ADDRESS, "--message", "m"), "the signature is not hexadecimal"),
        (("sign", "--suri", "//A", "--message", "xy", "--hex"), "the message is not hexadecimal"),
    ],
)
def test_refusals_are_one_line(arguments: tuple[str, ...], reason: str) -> None:
    assert refusal(*arguments) == f"error: {reason}"


@pytest.mark.parametrize(
    "arguments",
    [
        ("generate", "--words", "13"),
        ("generate", "--scheme", "ecdsa"),
        ("generate", "--network", "46"),
        ("inspect", ALICE_ADDRESS, "--suri", "//Alice"),
        ("inspect", "--suri", "//Alice", "--suri-file", "x"),
        ("sign", "--suri-file", "-"),
        ("sign", "--suri", "//A", "--message", "m", "--message-file", "x"),
        ("insert", "--key-type", "gran"),
        ("unknown",),
    ],
)
def test_wrong_usage_exits_with_two(arguments: tuple[str, ...]) -> None:
    result = run(*arguments, stdin="")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


def test_help_warns_of_secrets_in_arguments() -> None:
    result = run("sign", "--help")
    assert result.exit_code == 0
    assert "development" in result.stdout
    assert "default: sr25519" in result.stdout


def test_an_empty_secret_is_not_the_development_phrase(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    for text in ("", "\n", "  \n"):
        file.write_text(text)
        assert refusal("inspect", "--suri-file", str(file)) == (
            f"error: {file} is empty: it needs one line"
        )
    assert run("inspect", "--suri", "").exit_code == 2


def test_secrets_are_the_first_line_of_a_file_as_a_node_reads_it(tmp_path: Path) -> None:
    secret, password = tmp_path / "secret", tmp_path / "password"
    secret.write_bytes(b"//Vera\r\n\r\n")
    password.write_bytes(b"correct horse\nanother line\n")
    keys = tmp_path / "keys"
    made = run_json(
        *("insert", "--keystore", str(keys), "--key-type", "babe"),
        *("--suri-file", str(secret), "--password-file", str(password)),
    )
    assert read_password(password) == "correct horse"
    pair = FileKeystore(keys).unlock(
        "babe", bytes.fromhex(made["public_key"][2:]), read_password(password)
    )
    assert pair.public == key_pair_from_uri("//Vera", "ed25519").public
