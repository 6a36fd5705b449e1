"""polkadot-api (PAPI) as npm gives it, without generated descriptors. Needs Node.js 20 or later."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from runtime.constants import DEVNET, EXISTENTIAL_DEPOSIT
from runtime.primitives.hashing import sha2_256
from runtime.primitives.types import FML
from tests.clients.conftest import ENVIRONMENTS, SCRIPT_S

pytestmark = [pytest.mark.clients, pytest.mark.npm]

SOURCE: Final = Path(__file__).parent / "papi"
FEE_EVENTS: Final = {"Balances.Withdraw", "TransactionPayment.TransactionFeePaid"}


@pytest.fixture(scope="module")
def found(node_url: str) -> dict[str, Any]:
    """What the client understood. Scripts find packages only from beside them."""
    directory = ENVIRONMENTS / "papi"
    pins = sha2_256((SOURCE / "package-lock.json").read_bytes()).hex()
    stamp = directory / "package-lock.sha256"
    directory.mkdir(parents=True, exist_ok=True)
    for path in SOURCE.iterdir():
        shutil.copy(path, directory)
    if not stamp.exists() or stamp.read_text() != pins:
        install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(install, cwd=directory, check=True)
        stamp.write_text(pins)
    command = ["node", "papi_script.mjs", node_url]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=SCRIPT_S)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_lock_names_every_package_by_its_hash_and_no_host() -> None:
    lock = json.loads((SOURCE / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages["node_modules/polkadot-api"]["version"] == "1.23.3"
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name


def test_connects_and_reads(found: dict[str, Any]) -> None:
    assert found["chain"] == "FLock Development"
    expected = {"ss58Format": 42, "tokenDecimals": 18, "tokenSymbol": "FML"}
    assert found["properties"] == expected
    assert int(found["deposit"]) == EXISTENTIAL_DEPOSIT
    assert found["accounts"] >= 12
    assert found["nonce"] >= 0


def test_a_transfer_is_final_and_the_watched_account_tells(found: dict[str, Any]) -> None:
    transfer = found["transfer"]
    assert transfer["ok"]
    assert transfer["hasBlock"]
    assert FEE_EVENTS | {"Balances.Transfer", "System.ExtrinsicSuccess"} <= set(transfer["events"])
    assert int(found["fee"]) > 0
    assert int(found["received"]) == FML
    assert found["watched"] >= 2
    assert found["finalized"] >= 3


def test_understands_the_error_of_a_call(found: dict[str, Any]) -> None:
    failure = found["failure"]
    assert not failure["ok"]
    expected = {"type": "Balances", "value": {"type": "InsufficientBalance"}}
    assert failure["error"] == {"type": "Module", "value": expected}
    assert FEE_EVENTS | {"System.ExtrinsicFailed"} == set(failure["events"])


def test_bonds_stake(found: dict[str, Any]) -> None:
    assert found["bond"]["error"] is None
    assert "Staking.Bonded" in found["bond"]["events"]
    assert int(found["ledger"]["active"]) == DEVNET.chain_stake == 500 * FML
