"""The door of the command line: exit statuses, laziness, errors in one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest
from typer.testing import CliRunner

from flockchain.cli.main import build_app

PROGRAM = "from flockchain.cli.main import main; main()"
HEAVY = ("plyvel", "torch", "aiohttp", "libp2p", "cryptography", "runtime.runtime", "genesis.spec")


def run_process(
    *arguments: str, flags: Sequence[str] = (), program: str = PROGRAM
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_help_lists_commands_and_imports_none_of_them() -> None:
    probe = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print('loaded', [m for m in {HEAVY} if m in sys.modules]))\n"
    )
    done = run_process("--help", program=probe + PROGRAM)
    assert done.returncode == 0
    assert "build-spec" in done.stdout
    assert done.stdout.endswith("loaded []\n")


def test_version() -> None:
    done = run_process("--version")
    assert (done.returncode, done.stdout) == (0, "flockchain 0.1.0 (spec version 1)\n")


def test_wrong_usage_is_status_2() -> None:
    assert run_process("no-such-command").returncode == 2
    assert run_process("spec-hash").returncode == 2
    assert run_process("spec-hash", "dev", "--state-version", "7").returncode == 2


def test_a_refusal_is_status_1_and_one_line() -> None:
    done = run_process("spec-hash", "/no/such\x1b/file.json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "error: cannot read chain spec /no/such\\x1b/file.json: No such file or directory; "
        "give a file or one of dev, local, devnet, mainnet\n"
    )


def test_python_without_assertions_is_refused() -> None:
    done = run_process("--help", flags=("-O",))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: python -O removes the checks")


@pytest.mark.parametrize("command", ["key", "economics", "build-spec", "spec-hash", "purge-chain"])
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(build_app(command), [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_groups_are_mounted_whole() -> None:
    result = CliRunner().invoke(build_app("key"), ["key", "inspect", "--suri", "//Alice", "--json"])
    assert result.exit_code == 0
    assert '"network": 42' in result.stdout


# Python refuses to import what is None there, and torch itself takes seconds.
BUILD_WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from flockchain.cli.main import build_app
try:
    build_app(*sys.argv[1:])
except ModuleNotFoundError as error:
    print(error.name)
else:
    print("built")
"""


@pytest.mark.parametrize(("command", "found"), [("network", "built"), ("fl", "torch")])
def test_simulations_without_models_do_not_import_them(command: str, found: str) -> None:
    done = run_process("simulate", command, program=BUILD_WITHOUT_TORCH)
    assert (done.returncode, done.stdout) == (0, f"{found}\n"), done.stderr
