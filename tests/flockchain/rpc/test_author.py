"""Extrinsics handed in over RPC, and what is told of them."""

from __future__ import annotations

import asyncio

import pytest

from flockchain.pool.entry import Status
from flockchain.rpc.author import status_json
from runtime.frame.extrinsic import extrinsic_hash
from runtime.frame.pallet import encode_call
from runtime.pallets.system import System
from runtime.primitives.types import FML, Hash
from tests.flockchain.rpc.dev_node import ALICE, ALICE_SR, dev_node
from tests.flockchain.rpc.rpc_client import call, connected

HASH = Hash(bytes(32))


def test_a_watched_extrinsic_becomes_ready_in_a_block_and_final() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            data = node.transfer(0)
            watched = await socket.call("author_submitAndWatchExtrinsic", "0x" + data.hex())
            name = "author_extrinsicUpdate"
            assert await socket.notification(name, watched) == "ready"
            pending = await socket.call("author_pendingExtrinsics")
            assert pending == ["0x" + data.hex()]
            block = "0x" + node.seal().hash.hex()
            assert await socket.notification(name, watched) == {"inBlock": block}
            assert await socket.notification(name, watched) == {"finalized": block}
            assert await socket.call("author_unwatchExtrinsic", watched) is False

    asyncio.run(run())


def test_a_gap_in_nonces_waits_and_is_told_so() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            late = await socket.call(
                "author_submitAndWatchExtrinsic", "0x" + node.transfer(1).hex()
            )
            name = "author_extrinsicUpdate"
            assert await socket.notification(name, late) == "future"
            assert await socket.call("account_nextIndex", ALICE.address()) == 0
            first = node.transfer(0)
            await socket.send("author_submitExtrinsic", "0x" + first.hex())
            messages = [await socket.receive(), await socket.receive()]
            results = [item.get("result", item.get("params")) for item in messages]
            assert {"subscription": late, "result": "ready"} in results
            assert "0x" + extrinsic_hash(first).hex() in results
            assert await socket.call("account_nextIndex", ALICE.address()) == 2
            usurper = node.transfer(1, tip=FML)
            await socket.send("author_submitExtrinsic", "0x" + usurper.hex())
            messages = [await socket.receive(), await socket.receive()]
            results = [item.get("result", item.get("params")) for item in messages]
            usurped = {"usurped": "0x" + extrinsic_hash(usurper).hex()}
            assert {"subscription": late, "result": usurped} in results

    asyncio.run(run())


def test_unwatching_ends_the_news() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            data = "0x" + node.transfer(0).hex()
            watched = await socket.call("author_submitAndWatchExtrinsic", data)
            await socket.receive()
            assert await socket.call("author_unwatchExtrinsic", watched) is True
            node.seal()
            assert await socket.call("system_name") == "flockchain"

    asyncio.run(run())


def test_bytes_that_are_no_extrinsic_have_a_code_of_their_own() -> None:
    async def run() -> None:
        async with dev_node() as node:
            for data in (b"", b"\x04\xff", node.transfer(0)[:-1]):
                answer = await call(node.http_url, "author_submitExtrinsic", "0x" + data.hex())
                assert answer["code"] == 1001
                assert answer["message"].startswith("Extrinsic has invalid format: ")

    asyncio.run(run())


def test_refusals_have_the_codes_and_words_that_wallets_show() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            good = node.transfer(0)
            node.node.submit(good)
            node.seal()
            forged = bytearray(node.transfer(1))
            forged[60] ^= 1
            table = [
                (good, 1010, "Invalid Transaction", "Transaction is outdated"),
                (bytes(forged), 1010, "Invalid Transaction", "Transaction has a bad signature"),
                (
                    node.transfer(1, tip=10**9 * FML),
                    1010,
                    "Invalid Transaction",
                    "Inability to pay some fees (e.g. account balance too low)",
                ),
            ]
            for data, code, message, reason in table:
                expected = {"code": code, "message": message, "data": reason}
                for method in ("author_submitExtrinsic", "author_submitAndWatchExtrinsic"):
                    answer = await socket.call(method, "0x" + data.hex())
                    if answer["code"] != 1012:  # refused a moment ago for the same reason
                        assert answer == expected
            fine = "0x" + node.transfer(1).hex()
            assert isinstance(await socket.call("author_submitExtrinsic", fine), str)
            again = await socket.call("author_submitExtrinsic", fine)
            assert (again["code"], again["message"]) == (1013, "Transaction is already imported")
            low = await socket.call(
                "author_submitExtrinsic", "0x" + node.transfer(1, amount=2 * FML).hex()
            )
            assert (low["code"], low["message"]) == (1014, "Priority is too low")
            assert not node.context.watch._watchers

    asyncio.run(run())


def test_both_schemes_sign() -> None:
    async def run() -> None:
        async with dev_node() as node:
            data = node.remark(0, 10)
            assert isinstance(await call(node.http_url, "author_submitExtrinsic", data.hex()), str)
            other = node.sign(encode_call(System.remark, b"x"), 0, ALICE_SR)
            submitted = await call(node.http_url, "author_submitExtrinsic", other.hex())
            assert submitted == "0x" + extrinsic_hash(other).hex()

    asyncio.run(run())


def test_a_dry_run_tells_and_changes_nothing() -> None:
    async def run() -> None:
        async with dev_node() as node:
            url = node.http_url
            assert await call(url, "system_dryRun", node.transfer(0).hex()) == "0x0000"
            failed = await call(url, "system_dryRun", node.transfer(0, amount=10**30).hex())
            assert failed == "0x0001030502000000"  # Ok(Err(Module(5, InsufficientBalance)))
            refused = await call(url, "system_dryRun", node.transfer(7).hex())
            assert refused == "0x010002"  # Err(Invalid(Future))
            assert await call(url, "account_nextIndex", ALICE.address()) == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "block", "expected"),
    [
        (Status.READY, None, "ready"),
        (Status.FUTURE, None, "future"),
        (Status.BROADCAST, None, {"broadcast": []}),
        (Status.IN_BLOCK, HASH, {"inBlock": "0x" + HASH.hex()}),
        (Status.RETRACTED, HASH, {"retracted": "0x" + HASH.hex()}),
        (Status.FINALITY_TIMEOUT, HASH, {"finalityTimeout": "0x" + HASH.hex()}),
        (Status.FINALIZED, HASH, {"finalized": "0x" + HASH.hex()}),
        (Status.USURPED, HASH, {"usurped": "0x" + HASH.hex()}),
        (Status.DROPPED, None, "dropped"),
        (Status.INVALID, None, "invalid"),
    ],
)
def test_every_status_has_its_form(status: Status, block: Hash | None, expected: object) -> None:
    assert status_json(status, block) == expected
