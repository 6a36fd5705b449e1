"""Storage, proofs, metadata and runtime calls over RPC."""

from __future__ import annotations

import asyncio

from flockchain.storage.trie_proof import verify_read_proof
from runtime.api import runtime_at
from runtime.frame.api_types import FeeDetails, RuntimeDispatchInfo, RuntimeVersion
from runtime.frame.metadata.generate import decode_metadata
from runtime.frame.metadata.types import MetadataV14, MetadataV15
from runtime.primitives.hashing import blake2b_256, twox_128
from runtime.primitives.scale import codec_of
from tests.flockchain.rpc.dev_node import ALICE, DevNode, dev_node
from tests.flockchain.rpc.rpc_client import call, connected

NUMBER = "0x" + (twox_128(b"System") + twox_128(b"Number")).hex()
CODE = "0x" + b":code".hex()
UNKNOWN = "0x" + "22" * 32


def test_storage_by_key() -> None:
    async def run() -> None:
        async with dev_node() as node:
            url = node.http_url
            code = node.backend.state_at(node.backend.best.hash).get(b":code")
            assert code is not None
            assert await call(url, "state_getStorage", CODE) == "0x" + code.hex()
            assert await call(url, "state_getStorageAt", CODE[2:], None) == "0x" + code.hex()
            assert await call(url, "state_getStorageSize", CODE) == len(code)
            digest = "0x" + blake2b_256(code).hex()
            assert await call(url, "state_getStorageHash", CODE) == digest
            for method in ("state_getStorage", "state_getStorageHash", "state_getStorageSize"):
                assert await call(url, method, "0x00") is None

    asyncio.run(run())


def test_a_block_that_is_not_here_is_told_in_the_words_that_clients_match() -> None:
    async def run() -> None:
        async with dev_node() as node:
            calls: list[tuple[str, list[object]]] = [
                ("state_getStorage", [CODE, UNKNOWN]),
                ("state_getMetadata", [UNKNOWN]),
                ("state_getRuntimeVersion", [UNKNOWN]),
                ("state_call", ["Core_version", "0x", UNKNOWN]),
                ("state_getKeysPaged", ["0x", 1, None, UNKNOWN]),
                ("state_queryStorageAt", [[CODE], UNKNOWN]),
                ("state_getReadProof", [[CODE], UNKNOWN]),
            ]
            for method, params in calls:
                assert await call(node.http_url, method, *params) == {
                    "code": 4003,
                    "message": "Client error: Api called for an unknown Block: "
                    f"State already discarded for {UNKNOWN}",
                }

    asyncio.run(run())


def test_keys_come_in_pages() -> None:
    async def run() -> None:
        async with dev_node() as node:
            url, state = node.http_url, node.backend.state_at(node.backend.genesis)
            prefix = twox_128(b"System") + twox_128(b"Account")
            expected = ["0x" + key.hex() for key in state.keys(prefix)]
            assert expected == sorted(expected)
            text = "0x" + prefix.hex()
            found: list[str] = []
            start: str | None = text  # as async-substrate-interface begins
            while page := await call(url, "state_getKeysPaged", text, 5, start):
                found += page
                start = page[-1]
            assert found == expected
            assert await call(url, "state_getKeysPaged", text, 1000) == expected
            everything = await call(url, "state_getKeysPaged", None, 1000, None, None)
            assert everything == ["0x" + key.hex() for key in state.keys(b"")]
            refused = await call(url, "state_getKeysPaged", text, 1001)
            assert refused["message"] == "count exceeds maximum value. value: 1001, max: 1000"

    asyncio.run(run())


def test_queries_give_every_key_in_order() -> None:
    async def run() -> None:
        async with dev_node() as node:
            first = "0x" + node.seal().hash.hex()
            second = "0x" + node.seal().hash.hex()
            url = node.http_url
            assert await call(url, "state_queryStorageAt", [NUMBER, "0x00", CODE], first) == [
                {
                    "block": first,
                    "changes": [
                        [NUMBER, "0x01000000"],
                        ["0x00", None],
                        [CODE, await call(url, "state_getStorage", CODE)],
                    ],
                }
            ]
            changes = await call(url, "state_queryStorage", [NUMBER, "0x00"], first)
            assert changes == [
                {"block": first, "changes": [[NUMBER, "0x01000000"], ["0x00", None]]},
                {"block": second, "changes": [[NUMBER, "0x02000000"]]},
            ]

    asyncio.run(run())


def test_a_read_proof_verifies_against_the_header() -> None:
    async def run() -> None:
        async with dev_node() as node:
            node.seal()
            keys = [CODE, NUMBER, "0xdead"]
            answer = await call(node.http_url, "state_getReadProof", keys)
            header = await call(node.http_url, "chain_getHeader", answer["at"])
            nodes = [bytes.fromhex(item[2:]) for item in answer["proof"]]
            values = verify_read_proof(
                bytes.fromhex(header["stateRoot"][2:]), nodes, [bytes.fromhex(k[2:]) for k in keys]
            )
            state = node.backend.state_at(node.backend.best.hash)
            wanted = {bytes.fromhex(k[2:]): state.get(bytes.fromhex(k[2:])) for k in keys}
            assert values == wanted

    asyncio.run(run())


def test_metadata_and_version() -> None:
    async def run() -> None:
        async with dev_node() as node:
            url = node.http_url
            legacy = bytes.fromhex((await call(url, "state_getMetadata"))[2:])
            assert isinstance(decode_metadata(legacy), MetadataV14)
            raw = await call(url, "state_call", "Metadata_metadata_at_version", "0f000000")
            newest = codec_of(bytes).decode_all(bytes.fromhex(raw[4:]))
            metadata = decode_metadata(newest)
            assert isinstance(metadata, MetadataV15)
            version = await call(url, "state_getRuntimeVersion", None)
            assert {item.name for item in metadata.apis} >= {"Core", "Metadata", "AccountNonceApi"}
            assert len(version["apis"]) == len(metadata.apis)
            raw = await call(url, "state_call", "Core_version", "0x")
            decoded = codec_of(RuntimeVersion).decode_all(bytes.fromhex(raw[2:]))
            assert version["specVersion"] == decoded.spec_version
            assert version["specName"] == decoded.spec_name == "flockchain"
            assert version["apis"] == [["0x" + name.hex(), n] for name, n in decoded.apis]
            assert version["stateVersion"] == 1
            constants = {
                (pallet.name, item.name): item.value
                for pallet in metadata.pallets
                for item in pallet.constants
            }
            assert constants["System", "SS58Prefix"] == (42).to_bytes(2, "little")
            properties = await call(url, "system_properties")
            assert properties == {"ss58Format": 42, "tokenDecimals": 18, "tokenSymbol": "FML"}

    asyncio.run(run())


def test_runtime_calls_and_how_they_fail() -> None:
    async def run() -> None:
        async with dev_node() as node:
            url, account = node.http_url, ALICE.public.hex()
            nonce = await call(url, "state_call", "AccountNonceApi_account_nonce", account)
            assert nonce == "0x00000000"
            node.node.submit(node.transfer(0))
            node.seal()
            nonce = await call(url, "state_call", "AccountNonceApi_account_nonce", "0x" + account)
            assert nonce == "0x01000000"
            missing = await call(url, "state_call", "Nothing_here", "0x")
            assert missing["message"] == (
                "Client error: Execution failed: Other: Exported method Nothing_here is not found"
            )
            broken = await call(url, "state_call", "AccountNonceApi_account_nonce", "0x00")
            assert broken["code"] == 4003
            assert "Bad input data provided to AccountNonceApi_account_nonce" in broken["message"]

    asyncio.run(run())


def test_fees_are_told_as_they_are_charged() -> None:
    async def run() -> None:
        async with dev_node() as node:
            url, data = node.http_url, node.transfer(0)
            argument = (data + len(data).to_bytes(4, "little")).hex()
            raw = await call(url, "state_call", "TransactionPaymentApi_query_info", argument)
            info = codec_of(RuntimeDispatchInfo).decode_all(bytes.fromhex(raw[2:]))
            raw = await call(url, "state_call", "TransactionPaymentApi_query_fee_details", argument)
            details = codec_of(FeeDetails).decode_all(bytes.fromhex(raw[2:]))
            fee = details.inclusion_fee
            assert fee is not None
            total = fee.base_fee + fee.len_fee + fee.adjusted_weight_fee
            assert total == info.partial_fee
            asked = await call(url, "payment_queryInfo", "0x" + data.hex())
            assert asked["partialFee"] == str(total)
            assert asked["class"] == "normal"
            parts = await call(url, "payment_queryFeeDetails", "0x" + data.hex())
            assert parts["inclusionFee"]["lenFee"] == hex(fee.len_fee)
            before = free_of(node)
            node.node.submit(data)
            node.seal()
            assert before - free_of(node) == total + 10**18

    asyncio.run(run())


def free_of(node: DevNode) -> int:
    """Alice's free balance on the best block, in planck."""
    state = node.backend.state_at(node.backend.best.hash)
    return runtime_at(state).system.account_info(ALICE.account).data.free


def test_storage_subscriptions_tell_what_changed() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            subscription = await socket.call("state_subscribeStorage", [NUMBER, CODE, "0x00"])
            first = await socket.notification("state_storage", subscription)
            assert [key for key, _ in first["changes"]] == [NUMBER, CODE, "0x00"]
            block = node.seal().hash
            second = await socket.notification("state_storage", subscription)
            expected = {"block": "0x" + block.hex(), "changes": [[NUMBER, "0x01000000"]]}
            assert second == expected
            assert await socket.call("state_unsubscribeStorage", subscription) is True
            refused = await socket.call("state_subscribeStorage")
            assert refused["code"] == -32602

    asyncio.run(run())


def test_the_runtime_version_is_told_once_while_it_stays() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            subscription = await socket.call("state_subscribeRuntimeVersion")
            version = await socket.notification("state_runtimeVersion", subscription)
            assert version == await socket.call("state_getRuntimeVersion")
            node.seal()
            assert await socket.call("state_unsubscribeRuntimeVersion", subscription) is True

    asyncio.run(run())
