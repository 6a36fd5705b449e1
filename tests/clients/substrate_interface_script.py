"""What a user of substrate-interface does, against the node whose WebSocket URL is given.

Runs in the client's own environment; prints one JSON document of what the client understood.
"""

import hashlib
import json
import sys

from substrateinterface import Keypair, KeypairType, SubstrateInterface
from substrateinterface.exceptions import SubstrateRequestException

FML = 10**18
DEV_SEED = bytes.fromhex("fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e")


def main(url: str) -> dict[str, object]:
    substrate = SubstrateInterface(url=url)
    found: dict[str, object] = {
        "chain": substrate.chain,
        "name": substrate.name,
        "version": substrate.version,
        "properties": substrate.properties,
    }
    substrate.init_runtime()
    ed, bob = ed25519_of("Alice"), ed25519_of("Bob")
    sr = Keypair.create_from_uri("//Alice", ss58_format=42)
    found["pallets"] = [item["name"] for item in substrate.get_metadata_modules()]
    found["deposit"] = substrate.get_constant("Balances", "ExistentialDeposit").value
    found["prefix"] = substrate.get_constant("System", "SS58Prefix").value
    found["spec_name"] = substrate.get_constant("System", "Version").value["spec_name"]
    found["accounts"] = len(list(substrate.query_map("System", "Account", page_size=5)))
    before = free_of(substrate, bob)
    found["transfers"] = [transfer(substrate, key, bob) for key in (ed, sr)]
    found["received"] = free_of(substrate, bob) - before
    found["failure"] = fail(substrate, ed, bob)
    found["proof"] = prove(substrate, ed)
    found["heads"] = heads(substrate, ed, bob)
    found["refused"] = refuse(substrate, ed, bob)
    found["unsigned"] = submit_unsigned(substrate)
    found["batch"] = batch(substrate, ed, bob)
    found["together"] = together(substrate, ed, sr, bob)
    found["duties"] = duties(substrate, ed, bob)
    return found


def submit_unsigned(substrate: SubstrateInterface) -> dict[str, object]:
    """A call of an alias in a task that is not there: its bytes, and why it is refused."""
    hash_of, zero = ("0x" + "11" * 32, "0x" + "00" * 32)
    params = {
        "task": 999_999,
        "day": 1,
        "index": 0,
        "ring": 0,
        "alias": hash_of,
        "seal": hash_of,
        "tag": zero,
        "signature": {"challenge": zero, "responses": [hash_of]},
    }
    call = substrate.compose_call("Arena", "commit_alias", params)
    extrinsic = substrate.create_unsigned_extrinsic(call)
    try:
        substrate.submit_extrinsic(extrinsic)
    except SubstrateRequestException as error:
        return {"data": str(extrinsic.data), "refused": str(error)}
    return {"data": str(extrinsic.data), "refused": None}


def batch(substrate: SubstrateInterface, key: Keypair, dest: Keypair) -> dict[str, object]:
    """Two transfers in one extrinsic."""
    calls = [payment(substrate, dest, FML), payment(substrate, dest, 2 * FML)]
    call = substrate.compose_call("Utility", "batch_all", {"calls": calls})
    before = free_of(substrate, dest)
    extrinsic = substrate.create_signed_extrinsic(call, key)
    receipt = substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)
    return {
        "call": str(call.data),
        "is_success": receipt.is_success,
        "received": free_of(substrate, dest) - before,
        "events": [item.value["event_id"] for item in receipt.triggered_events],
    }


def duties(substrate: SubstrateInterface, key: Keypair, dest: Keypair) -> dict[str, object]:
    """Bond, have the node make session keys, register them, be a candidate; then by proxy."""

    def send(module: str, function: str, params: dict[str, object], by: Keypair = key) -> object:
        call = substrate.compose_call(module, function, params)
        extrinsic = substrate.create_signed_extrinsic(call, by)
        receipt = substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)
        error = None if receipt.is_success else receipt.error_message["name"]
        return error or [item.value["event_id"] for item in receipt.triggered_events]

    bond = send("Staking", "bond", {"value": 60_000 * FML})
    owner = "0x" + key.public_key.hex()
    made = substrate.rpc_request("author_rotateKeysWithOwner", [owner])["result"]
    keys, proof = made["keys"][2:], made["proof"][2:]
    named = {"babe": "0x" + keys[:64], "grandpa": "0x" + keys[64:]}
    proven = {"babe": "0x" + proof[:128], "grandpa": "0x" + proof[128:]}
    registered = send("Session", "set_keys", {"keys": named, "proof": proven})
    candidate = send("Staking", "validate", {"prefs": {"commission": {"parts": 0}}})
    proxy = {"delegate": dest.ss58_address, "proxy_type": "Staking", "delay": 0}
    added = send("Proxy", "add_proxy", proxy)
    chill = substrate.compose_call("Staking", "chill", {})
    acting = {"real": key.ss58_address, "force_proxy_type": None, "call": chill.value}
    return {
        "has_keys": substrate.rpc_request("author_hasSessionKeys", [made["keys"]])["result"],
        "sent": [bond, registered, candidate, added, send("Proxy", "proxy", acting, dest)],
        "ledger": substrate.query("Staking", "Ledger", [key.ss58_address]).value["active"],
        "stored": substrate.query("Session", "NextKeys", [key.ss58_address]).value,
        "keys": named,
    }


def together(
    substrate: SubstrateInterface, first: Keypair, second: Keypair, third: Keypair
) -> dict[str, object]:
    """Two of three pay the third, with the client's own address and calls for it."""
    signatories = [key.ss58_address for key in (first, second, third)]
    account = substrate.generate_multisig_account(signatories=signatories, threshold=2)
    fund = payment(substrate, account, 5 * FML)
    extrinsic = substrate.create_signed_extrinsic(fund, first)
    substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)
    call = payment(substrate, third, 3 * FML)
    before, receipts = free_of(substrate, third), []
    for key in (first, second):
        extrinsic = substrate.create_multisig_extrinsic(call, key, account, era={"period": 64})
        receipts.append(substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True))
    return {
        "address": account.ss58_address,
        "signatories": signatories,
        "received": free_of(substrate, third) - before,
        "events": [[e.value["event_id"] for e in one.triggered_events] for one in receipts],
    }


def ed25519_of(name: str) -> Keypair:
    """The development key of a hard junction, which this client derives for sr25519 only."""
    code = (bytes([len(name) << 2]) + name.encode()).ljust(32, b"\0")
    preimage = bytes([len("Ed25519HDKD") << 2]) + b"Ed25519HDKD" + DEV_SEED + code
    seed = hashlib.blake2b(preimage, digest_size=32).hexdigest()
    return Keypair.create_from_seed(seed, crypto_type=KeypairType.ED25519, ss58_format=42)


def free_of(substrate: SubstrateInterface, key: Keypair) -> int:
    return substrate.query("System", "Account", [key.ss58_address]).value["data"]["free"]


def payment(substrate: SubstrateInterface, dest: object, value: int) -> object:
    params = {"dest": dest.ss58_address, "value": value}
    return substrate.compose_call("Balances", "transfer_keep_alive", params)


def transfer(substrate: SubstrateInterface, key: Keypair, dest: Keypair) -> dict[str, object]:
    call = payment(substrate, dest, FML)
    fee = substrate.get_payment_info(call, key)["partialFee"]
    era = {"period": 64} if key.crypto_type == KeypairType.SR25519 else None
    extrinsic = substrate.create_signed_extrinsic(call, key, era=era)
    receipt = substrate.submit_extrinsic(extrinsic, wait_for_finalization=True)
    block = substrate.get_block(receipt.block_hash)
    return {
        "is_success": receipt.is_success,
        "is_finalized": receipt.finalized,
        "fee": fee,
        "paid": receipt.total_fee_amount,
        "events": [item.value["event_id"] for item in receipt.triggered_events],
        "calls": [item.value["call"]["call_function"] for item in block["extrinsics"]],
    }


def fail(substrate: SubstrateInterface, key: Keypair, dest: Keypair) -> dict[str, object]:
    extrinsic = substrate.create_signed_extrinsic(payment(substrate, dest, 10**30), key)
    receipt = substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)
    return {"is_success": receipt.is_success, "error": receipt.error_message}


def prove(substrate: SubstrateInterface, key: Keypair) -> dict[str, object]:
    storage = substrate.create_storage_key("System", "Account", [key.ss58_address])
    head = substrate.get_chain_head()
    answer = substrate.rpc_request("state_getReadProof", [[storage.to_hex()], head])["result"]
    header = substrate.rpc_request("chain_getHeader", [head])["result"]
    return {
        "key": storage.to_hex(),
        "root": header["stateRoot"],
        "nodes": answer["proof"],
        "value": substrate.rpc_request("state_getStorage", [storage.to_hex(), head])["result"],
    }


def heads(substrate: SubstrateInterface, key: Keypair, dest: Keypair) -> list[int]:
    """Two heads: the first comes at once, the second with the extrinsic that it submits."""
    numbers: list[int] = []
    extrinsic = substrate.create_signed_extrinsic(payment(substrate, dest, FML), key)
    other = SubstrateInterface(url=substrate.url)

    def on_head(head: dict[str, object], count: int, subscription: str) -> object:
        numbers.append(head["header"]["number"])
        if len(numbers) == 1:
            other.rpc_request("author_submitExtrinsic", [str(extrinsic.data)])
        return numbers if len(numbers) >= 2 else None

    substrate.subscribe_block_headers(on_head)
    other.close()
    return numbers


def refuse(substrate: SubstrateInterface, key: Keypair, dest: Keypair) -> str:
    extrinsic = substrate.create_signed_extrinsic(payment(substrate, dest, FML), key, nonce=0)
    try:
        substrate.submit_extrinsic(extrinsic)
    except SubstrateRequestException as error:
        return str(error)
    return ""


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
