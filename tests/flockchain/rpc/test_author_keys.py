"""The node's session keys over RPC, as Substrate's clients ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

import pytest

from flockchain.keystore import MemoryKeystore
from flockchain.rpc.access import Access, MethodPolicy
from flockchain.rpc.methods import visible_methods
from flockchain.rpc.server import RpcConfig
from flockchain.session_keyring import SessionKeyring
from runtime.economy.authorities import SessionKeys, ownership_message
from runtime.primitives.signatures import ed25519_verify
from runtime.primitives.types import AccountId
from tests.flockchain.rpc.dev_node import ALICE, ALICE_SR, BOB, DevNode, build, dev_node
from tests.flockchain.rpc.rpc_client import call

METHODS = (
    "author_rotateKeys",
    "author_rotateKeysWithOwner",
    "author_insertKey",
    "author_hasKey",
    "author_hasSessionKeys",
)


def counted() -> Callable[[int], bytes]:
    """Entropy that counts."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


def keyed_node() -> DevNode:
    node = build()
    node.context.session_keys = SessionKeyring(MemoryKeystore(), "", node.backend, counted())
    return node


def test_rotated_keys_are_the_nodes_own() -> None:
    async def run() -> None:
        async with dev_node(made=keyed_node()) as node:
            url = node.http_url
            keys = await call(url, "author_rotateKeys")
            assert len(keys) == 2 + 2 * 64
            assert await call(url, "author_hasSessionKeys", keys) is True
            babe, gran = "0x" + keys[2:66], "0x" + keys[66:]
            table = [(babe, "babe", True), (gran, "gran", True), (babe, "gran", False)]
            for public, key_type, expected in table:
                assert await call(url, "author_hasKey", public, key_type) is expected
            mixed = "0x" + keys[66:] + keys[2:66]
            assert await call(url, "author_hasSessionKeys", mixed) is False
            assert await call(url, "author_rotateKeys") != keys
            assert await call(url, "author_hasSessionKeys", keys) is True

    asyncio.run(run())


def test_keys_with_an_owner_come_with_what_set_keys_asks_for() -> None:
    async def run() -> None:
        async with dev_node(made=keyed_node()) as node:
            owner = "0x" + ALICE.account.hex()
            made = await call(node.http_url, "author_rotateKeysWithOwner", owner)
            raw, proof = (bytes.fromhex(made[name][2:]) for name in ("keys", "proof"))
            keys = SessionKeys(raw[:32], raw[32:])
            message = ownership_message(node.backend.genesis, AccountId(ALICE.account), keys)
            assert ed25519_verify(proof[:64], message, keys.babe)
            assert ed25519_verify(proof[64:], message, keys.grandpa)
            answer = await call(node.http_url, "author_rotateKeysWithOwner", "0x00")
            assert answer == refused("an owner is an account of 32 bytes, got 1")

    asyncio.run(run())


def test_an_inserted_key_is_there_in_its_type() -> None:
    async def run() -> None:
        async with dev_node(made=keyed_node()) as node:
            url, public = node.http_url, "0x" + BOB.public.hex()
            assert await call(url, "author_insertKey", "gran", "//Bob", public) is None
            assert await call(url, "author_insertKey", "gran", "//Bob", public) is None
            assert await call(url, "author_hasKey", public, "gran") is True
            assert await call(url, "author_hasKey", public, "babe") is False
            other = "0x" + ALICE_SR.public.hex()
            assert await call(url, "author_insertKey", "acco", "//Alice", other) is None
            assert await call(url, "author_hasKey", other, "acco") is True

    asyncio.run(run())


def refused(message: str) -> dict[str, object]:
    return {"code": 1040, "message": message}


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        (
            "author_insertKey",
            ["gran", "//Alice", "0x" + BOB.public.hex()],
            f"0x{BOB.public.hex()} is not the ed25519 public key of that secret",
        ),
        (
            "author_insertKey",
            ["grandpa", "//Alice", "0x00"],
            "Invalid key type ID format (should be of length four)",
        ),
        ("author_hasKey", ["0x00", "é"], "Invalid key type ID format (should be of length four)"),
        ("author_hasSessionKeys", ["0x010203"], "Session keys are not encoded correctly"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(
    method: str, params: list[str], message: str
) -> None:
    async def run() -> None:
        async with dev_node(made=keyed_node()) as node:
            assert await call(node.http_url, method, *params) == refused(message)

    asyncio.run(run())


def test_a_bad_secret_is_refused() -> None:
    async def run() -> None:
        async with dev_node(made=keyed_node()) as node:
            secret = "no such words"
            answer = await call(node.http_url, "author_insertKey", "gran", secret, "0x00")
            assert answer["code"] == 1040
            assert secret not in answer["message"]

    asyncio.run(run())


def test_a_node_without_a_keystore_says_so() -> None:
    async def run() -> None:
        async with dev_node() as node:
            answer = await call(node.http_url, "author_rotateKeys")
            assert answer == refused("The key store is unavailable")

    asyncio.run(run())


def test_only_who_is_trusted_may_use_them() -> None:
    assert set(METHODS).isdisjoint(visible_methods(is_trusted=False))
    assert set(METHODS) <= set(visible_methods(is_trusted=True))

    async def run() -> None:
        config = RpcConfig(port=0, access=Access(MethodPolicy.SAFE))
        async with dev_node(config, made=keyed_node()) as node:
            for method in METHODS:
                assert (await call(node.http_url, method))["code"] == -32601

    asyncio.run(run())
