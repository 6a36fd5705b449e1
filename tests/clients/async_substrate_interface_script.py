"""What a user of async-substrate-interface does, against the node whose WebSocket URL is given.

Runs in the client's own environment; prints one JSON document of what the client understood.
Keys: ed25519 through PyNaCl, sr25519 through py-sr25519-bindings; the client wants no more of a
key than what `Key` has.
"""

import asyncio
import hashlib
import json
import sys

import sr25519
from async_substrate_interface import AsyncSubstrateInterface, SubstrateInterface
from nacl.signing import SigningKey
from scalecodec.utils.ss58 import ss58_encode

FML = 10**18
DEV_SEED = bytes.fromhex("fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e")
ALICE_SR_SEED = bytes.fromhex("e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a")


class Key:
    """A key pair as the client expects it."""

    ss58_format = 42

    def __init__(self, scheme: str, seed: bytes) -> None:
        self.crypto_type = 0 if scheme == "ed25519" else 1
        if scheme == "ed25519":
            self._signing = SigningKey(seed)
            self.public_key = bytes(self._signing.verify_key)
        else:
            self._pair = sr25519.pair_from_seed(seed)
            self.public_key = bytes(self._pair[0])
        self.ss58_address = ss58_encode(self.public_key, self.ss58_format)

    def sign(self, message: object) -> bytes:
        raw = getattr(message, "data", message)
        data = bytes.fromhex(raw[2:]) if isinstance(raw, str) else bytes(raw)
        if self.crypto_type == 0:
            return self._signing.sign(data).signature
        return sr25519.sign(self._pair, data)


def ed25519_of(name: str) -> Key:
    """The development key of a hard junction: blake2b-256 of "Ed25519HDKD", seed, chain code."""
    code = (bytes([len(name) << 2]) + name.encode()).ljust(32, b"\0")
    preimage = bytes([len("Ed25519HDKD") << 2]) + b"Ed25519HDKD" + DEV_SEED + code
    return Key("ed25519", hashlib.blake2b(preimage, digest_size=32).digest())


async def run(url: str) -> dict[str, object]:
    found: dict[str, object] = {}
    async with AsyncSubstrateInterface(url, ss58_format=42, chain_name="flock") as substrate:
        alice, bob = ed25519_of("Alice"), ed25519_of("Bob")
        keys = (alice, Key("sr25519", ALICE_SR_SEED))
        found["properties"] = await substrate.properties
        constant = await substrate.get_constant("Balances", "ExistentialDeposit")
        found["deposit"] = getattr(constant, "value", constant)
        accounts = await substrate.query_map("System", "Account", page_size=5)
        found["accounts"] = len([item async for item in accounts])
        nonce = await substrate.runtime_call(
            "AccountNonceApi", "account_nonce", [alice.ss58_address]
        )
        found["nonce"] = getattr(nonce, "value", nonce)
        before = await free_of(substrate, bob)
        found["transfers"] = [await transfer(substrate, key, bob) for key in keys]
        found["received"] = await free_of(substrate, bob) - before
        found["failure"] = await fail(substrate, alice, bob)
        found["heads"] = await heads(substrate, alice, bob)
    return found


async def free_of(substrate: AsyncSubstrateInterface, key: Key) -> int:
    account = await substrate.query("System", "Account", [key.ss58_address])
    return getattr(account, "value", account)["data"]["free"]


async def payment(substrate: AsyncSubstrateInterface, dest: Key, value: int) -> object:
    params = {"dest": dest.ss58_address, "value": value}
    return await substrate.compose_call("Balances", "transfer_keep_alive", params)


async def transfer(substrate: AsyncSubstrateInterface, key: Key, dest: Key) -> dict[str, object]:
    call = await payment(substrate, dest, FML)
    fee = await substrate.get_payment_info(call, key)
    extrinsic = await substrate.create_signed_extrinsic(call, key, era={"period": 16})
    receipt = await substrate.submit_extrinsic(extrinsic, wait_for_finalization=True)
    events = await receipt.triggered_events
    return {
        "is_success": await receipt.is_success,
        "is_finalized": receipt.finalized,
        "fee": fee["partial_fee"],
        "events": [item["event"]["event_id"] for item in events],
    }


async def fail(substrate: AsyncSubstrateInterface, key: Key, dest: Key) -> dict[str, object]:
    call = await payment(substrate, dest, 10**30)
    extrinsic = await substrate.create_signed_extrinsic(call, key)
    receipt = await substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)
    return {"is_success": await receipt.is_success, "error": await receipt.error_message}


async def heads(substrate: AsyncSubstrateInterface, key: Key, dest: Key) -> list[int]:
    """Two heads: the first comes at once, the second with an extrinsic sent meanwhile."""
    numbers: list[int] = []
    call = await payment(substrate, dest, FML)
    extrinsic = await substrate.create_signed_extrinsic(call, key)
    sent: list[asyncio.Task[object]] = []

    async def on_head(head: dict[str, object]) -> object:
        numbers.append(head["header"]["number"])
        if len(numbers) == 1:
            sent.append(asyncio.create_task(substrate.submit_extrinsic(extrinsic)))
        return numbers if len(numbers) >= 2 else None

    await substrate.subscribe_block_headers(on_head)
    await asyncio.gather(*sent)
    return numbers


def run_sync(url: str) -> dict[str, object]:
    """The same library's class without asyncio."""
    alice, bob = ed25519_of("Alice"), ed25519_of("Bob")
    with SubstrateInterface(url, ss58_format=42) as substrate:
        params = {"dest": bob.ss58_address, "value": FML}
        call = substrate.compose_call("Balances", "transfer_keep_alive", params)
        extrinsic = substrate.create_signed_extrinsic(call, alice)
        receipt = substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)
        return {"chain": substrate.chain, "is_success": receipt.is_success}


if __name__ == "__main__":
    result = asyncio.run(run(sys.argv[1]))
    result["sync"] = run_sync(sys.argv[1])
    print(json.dumps(result))
