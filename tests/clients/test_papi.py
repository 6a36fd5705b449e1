"""polkadot-api (PAPI) as npm gives it, without generated descriptors. Needs Node.js 20 or later."""

from __future__ import annotations

from typing import Any, Final

import pytest

from runtime.constants import DEVNET, EXISTENTIAL_DEPOSIT
from runtime.primitives.types import FML
from tests.clients.conftest import ensure_locked, npm_home, run_node_script

pytestmark = [pytest.mark.clients, pytest.mark.npm]

FEE_EVENTS: Final = {"Balances.Withdraw", "TransactionPayment.TransactionFeePaid"}


@pytest.fixture(scope="module")
def found(node_url: str) -> dict[str, Any]:
    """What the client understood."""
    return run_node_script(npm_home("papi"), "papi_script.mjs", node_url)


def test_lock_names_every_package_by_its_hash_and_no_host() -> None:
    ensure_locked("papi", "polkadot-api", "1.23.3")


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
