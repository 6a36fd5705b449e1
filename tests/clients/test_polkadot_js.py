"""@polkadot/api, as npm gives it, against a development node. Needs Node.js 18.14 or later."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from runtime.constants import EXISTENTIAL_DEPOSIT
from runtime.pallets.multisig.records import multi_account
from runtime.primitives.ss58 import decode_account
from runtime.primitives.types import FML
from tests.clients.conftest import ensure_locked, npm_home, run_node_script

pytestmark = [pytest.mark.clients, pytest.mark.npm]

EVENTS: Final = {
    "balances.Withdraw",
    "balances.Transfer",
    "transactionPayment.TransactionFeePaid",
    "system.ExtrinsicSuccess",
}


@pytest.fixture(scope="module")
def home() -> Path:
    """Where the client is."""
    return npm_home("polkadot")


@pytest.fixture(scope="module")
def found(home: Path, node_url: str) -> dict[str, Any]:
    """What the client understood."""
    return run_node_script(home, "polkadot_api_script.mjs", node_url)


@pytest.fixture(scope="module")
def duties(home: Path, node_url: str) -> dict[str, Any]:
    """What a validator's operator got done."""
    return run_node_script(home, "duties_script.mjs", node_url)


def test_lock_names_every_package_by_its_hash_and_no_host() -> None:
    ensure_locked("polkadot", "@polkadot/api", "16.5.6")


def test_connects_and_reads(found: dict[str, Any]) -> None:
    assert found["chain"] == "FLock Development"
    assert found["specName"] == "flockchain"
    assert found["metadata"] == 15
    assert (found["tokens"], found["decimals"], found["prefix"]) == (["FML"], [18], 42)
    assert {"system", "timestamp", "balances", "tasks", "arena"} <= set(found["pallets"])
    assert "accountNonceApi" in found["apis"]
    assert int(found["deposit"]) == EXISTENTIAL_DEPOSIT
    reads = found["reads"]
    assert reads["hasAlice"]
    assert reads["accounts"] >= 12
    assert reads["many"] == 2
    assert reads["oldNumber"] == 1
    assert reads["nonce"] >= 1
    assert reads["proofNodes"] > 0
    assert reads["derivedBest"] >= 2
    assert 0 < int(reads["available"]) < 10_000_000 * FML
    assert found["overHttp"] >= reads["derivedBest"]


def test_signs_with_both_schemes_and_follows_to_finality(found: dict[str, Any]) -> None:
    assert len(found["transfers"]) == 2
    for transfer in found["transfers"]:
        assert transfer["isSuccess"]
        assert transfer["isHashRight"]
        assert transfer["statuses"][-1] == "Finalized"
        assert int(transfer["fee"]) > 0
        assert set(transfer["events"]) >= EVENTS
        assert transfer["calls"] == ["timestamp.set", "balances.transferKeepAlive"]
    assert int(found["received"]) == 2 * FML


def test_understands_the_errors_of_calls(found: dict[str, Any]) -> None:
    arena, balances = found["arenaFailure"], found["balancesFailure"]
    assert (arena["section"], arena["name"]) == ("tasks", "UnknownTask")
    assert arena["docs"] == "There is no task of this number."
    assert (balances["section"], balances["name"]) == ("balances", "InsufficientBalance")
    assert balances["docs"].startswith("Free balance is below the amount")


def test_is_told_why_an_extrinsic_is_refused(found: dict[str, Any]) -> None:
    assert found["refused"] == "1010: Invalid Transaction: Transaction is outdated"


def test_subscribes_to_heads_and_events(found: dict[str, Any]) -> None:
    first, second = found["subscriptions"]["heads"][:2]
    assert second == first + 1
    assert set(found["subscriptions"]["events"]) >= EVENTS


def ensure_done(*sent: dict[str, Any]) -> None:
    for each in sent:
        assert each["error"] is None, each
        assert "system.ExtrinsicSuccess" in each["events"]


def test_rotates_and_registers_session_keys(duties: dict[str, Any]) -> None:
    keys = duties["sessionKeys"]
    assert keys["length"] == 64
    assert keys["hasRotated"]
    assert keys["hasForOwner"]
    assert (keys["hasBabe"], keys["hasBabeAsGran"], keys["hasInserted"]) == (True, False, True)
    assert keys["unproven"]["error"] == "KeysNotOwned"
    ensure_done(keys["set"])
    assert keys["isStored"]


def test_stakes_as_a_validator_and_as_a_nominator(duties: dict[str, Any]) -> None:
    stakes = duties["staking"]
    assert stakes["unkeyed"]["error"] == "NoSessionKeys"
    names = ("bonded", "validates", "backed", "nominates", "chilled")
    ensure_done(*(stakes[name] for name in names))
    assert (int(stakes["active"]), stakes["unlocking"]) == (490 * FML, [str(10 * FML)])
    assert stakes["prefs"] == {"commission": 25_000_000}
    assert stakes["tooEarly"]["error"] == "NothingToWithdraw"


def test_batches_stop_go_on_or_are_undone(duties: dict[str, Any]) -> None:
    batches = duties["batches"]
    ensure_done(batches["all"], batches["stopped"], batches["forced"])
    assert batches["all"]["events"].count("utility.ItemCompleted") == 2
    assert batches["none"]["error"] == "InsufficientBalance"
    assert batches["stopped"]["index"] == 1
    assert "utility.BatchCompletedWithErrors" in batches["forced"]["events"]
    assert batches["derived"]["error"] == "InsufficientBalance"


def test_proxies_act_within_their_kind(duties: dict[str, Any]) -> None:
    proxies = duties["proxies"]
    ensure_done(*(proxies[name] for name in ("added", "within", "outside", "pure", "removed")))
    assert proxies["definitions"] == ["Staking"]
    assert (proxies["within"]["isOk"], proxies["outside"]["isOk"]) == (True, False)
    assert "balances.Transfer" in proxies["pure"]["events"]
    assert proxies["refused"]["error"] == "NotProxy"


def test_two_of_three_act_together(duties: dict[str, Any]) -> None:
    together = duties["together"]
    signatories = sorted(decode_account(each) for each in together["signatories"])
    assert decode_account(together["account"]) == multi_account(signatories, 2)
    ensure_done(together["opened"], together["executed"])
    assert together["approvals"] == together["signatories"][:1]
    assert {"multisig.MultisigExecuted", "balances.Transfer"} <= set(together["executed"]["events"])
    assert together["isClosed"]
    assert int(duties["received"]) == (2 + 1 + 1 + 1 + 2) * FML
