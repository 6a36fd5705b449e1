"""substrate-interface and async-substrate-interface, as they are, against a development node."""

from __future__ import annotations

from typing import Any

import pytest

from flockchain.keys import key_pair_from_uri
from flockchain.storage.trie_proof import verify_read_proof
from runtime.constants import EXISTENTIAL_DEPOSIT
from runtime.frame.extrinsic import assemble
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.balances import Balances
from runtime.pallets.multisig.records import multi_account
from runtime.pallets.utility import Utility
from runtime.primitives.multi import Id
from runtime.primitives.ring_signature import RingSignature
from runtime.primitives.ss58 import decode_account
from runtime.primitives.types import FML, Hash
from tests.clients.conftest import RunClient
from tests.runtime.block_chain import call_of

pytestmark = pytest.mark.clients

PROPERTIES = {"ss58Format": 42, "tokenDecimals": 18, "tokenSymbol": "FML"}
EVENTS = {"Withdraw", "Transfer", "TransactionFeePaid", "ExtrinsicSuccess"}


def test_substrate_interface(run_client: RunClient) -> None:
    found = run_client("substrate-interface", "substrate_interface_script.py")
    assert found["chain"] == "FLock Development"
    assert found["properties"] == PROPERTIES
    assert found["spec_name"] == "flockchain"
    assert found["prefix"] == 42
    assert {"System", "Timestamp", "Balances", "TransactionPayment"} <= set(found["pallets"])
    assert found["deposit"] == EXISTENTIAL_DEPOSIT
    assert found["accounts"] >= 12
    assert len(found["transfers"]) == 2
    for transfer in found["transfers"]:
        assert transfer["is_success"]
        assert transfer["is_finalized"]
        assert set(transfer["events"]) >= EVENTS
        assert transfer["calls"] == ["set", "transfer_keep_alive"]
        assert 0 < transfer["fee"] <= transfer["paid"]
    assert found["received"] == 2 * FML
    assert found["failure"]["is_success"] is False
    assert found["failure"]["error"]["type"] == "Module"
    assert found["failure"]["error"]["name"] == "InsufficientBalance"
    first, second = found["heads"]
    assert second == first + 1
    assert "Transaction is outdated" in found["refused"]
    one, zero = b"\x11" * 32, bytes(32)
    signature = RingSignature(zero, [one])
    call = encode_call(Arena.commit_alias, 999_999, 1, 0, 0, one, Hash(one), zero, signature)
    assert found["unsigned"]["data"] == "0x" + assemble(call, None).hex()
    assert "1010" in found["unsigned"]["refused"]
    ensure_batch(found["batch"])
    ensure_together(found["together"])
    ensure_duties(found["duties"])
    proof = found["proof"]
    key = bytes.fromhex(proof["key"][2:])
    nodes = [bytes.fromhex(node[2:]) for node in proof["nodes"]]
    proven = verify_read_proof(bytes.fromhex(proof["root"][2:]), nodes, [key])
    assert proven == {key: bytes.fromhex(proof["value"][2:])}


def ensure_batch(found: dict[str, Any]) -> None:
    """Two transfers came in one extrinsic, encoded as the chain encodes them."""
    bob = Id(key_pair_from_uri("//Bob", "ed25519").account)
    calls = [call_of(Balances.transfer_keep_alive, bob, amount * FML) for amount in (1, 2)]
    assert found["call"] == "0x" + encode_call(Utility.batch_all, calls).hex()
    assert found["is_success"]
    assert found["received"] == 3 * FML
    assert [event for event in found["events"] if event.startswith("Item")] == ["ItemCompleted"] * 2
    assert "BatchCompleted" in found["events"]


def ensure_duties(found: dict[str, Any]) -> None:
    """Stake, session keys and a proxy, with what the client decodes by the metadata."""
    assert found["has_keys"] is True
    events = ("Bonded", "KeysSet", "ValidatorPrefsSet", "ProxyAdded", "Chilled")
    for expected, seen in zip(events, found["sent"], strict=True):
        assert expected in seen
    assert found["ledger"] == 60_000 * FML
    assert found["stored"] == found["keys"]


def ensure_together(found: dict[str, Any]) -> None:
    """The client's address for three keys is the chain's, and two of them moved its tokens."""
    signatories = sorted(decode_account(address) for address in found["signatories"])
    assert decode_account(found["address"]) == multi_account(signatories, 2)
    assert found["received"] == 3 * FML
    opened, executed = found["events"]
    assert "NewMultisig" in opened
    assert {"MultisigExecuted", "Transfer"} <= set(executed)


def test_async_substrate_interface(run_client: RunClient) -> None:
    found = run_client("async-substrate-interface", "async_substrate_interface_script.py")
    assert found["properties"] == PROPERTIES
    assert found["deposit"] == EXISTENTIAL_DEPOSIT
    assert found["accounts"] >= 12
    for transfer in found["transfers"]:
        assert transfer["is_success"]
        assert transfer["is_finalized"]
        assert transfer["fee"] > 0
        assert set(transfer["events"]) >= EVENTS
    assert found["received"] == 2 * FML
    assert found["failure"]["is_success"] is False
    assert found["failure"]["error"]["name"] == "InsufficientBalance"
    first, second = found["heads"]
    assert second == first + 1
    assert found["sync"] == {"chain": "FLock Development", "is_success": True}
