"""Whatever a node is sent, it answers with the reason or hangs up, and lives."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.sdk.signing import Validity, sign_call
from genesis.spec import load_chain_spec
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.primitives.era import IMMORTAL
from runtime.primitives.multi import Id
from runtime.primitives.types import FML
from tests.functional.conftest import StartNode
from tests.functional.node_process import NodeProcess, ensure_refused

BOB: Final = key_pair_from_uri("//Bob", "ed25519")
CHARLIE: Final = key_pair_from_uri("//Charlie", "ed25519")
NOBODY: Final = key_pair_from_uri("//Nobody", "ed25519")
GENESIS: Final = load_chain_spec("dev").genesis_hash()
HELLO: Final = b"\x13/multistream/1.0.0\n"
REQUEST_BYTES_MAX: Final = 15 * 1024 * 1024
REPLY_S: Final = 10


def noise(count: int) -> bytes:
    """Bytes that look random and are the same each time."""
    return random.Random(count).randbytes(count)


def transfer(key: KeyPair, nonce: int) -> bytes:
    """A signed extrinsic that pays one FML to Bob."""
    call = encode_call(Balances.transfer_keep_alive, Id(BOB.account), FML)
    validity = Validity(IMMORTAL, GENESIS)
    return sign_call(call, key, nonce=nonce, tip=0, validity=validity, genesis=GENESIS)


def submit(node: NodeProcess, data: bytes) -> dict[str, Any]:
    return asyncio.run(node.ask("author_submitExtrinsic", f"0x{data.hex()}"))


# -- chain specs


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"weight": 5', '"wieght": 5', "babe.authorities[0].wieght: unknown key; known are"),
        ('"10000000 FML"', '"many FML"', "balances.balances[0][1]: "),
    ],
)
def test_a_wrong_genesis_key_is_named(
    start_node: StartNode, tmp_path: Path, old: str, new: str, reason: str
) -> None:
    file = tmp_path / "chain.json"
    file.write_text(load_chain_spec("dev").to_json(is_raw=False).replace(old, new, 1))
    said = ensure_refused(start_node("--chain", str(file), "--tmp"))
    assert f"{file}: genesis.runtimeGenesis.patch" in said
    assert reason in said


# -- extrinsics


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (b"\xde\xad\xbe\xef", 1001, "Extrinsic has invalid format: "),
        (transfer(BOB, 0)[:-1], 1001, "Extrinsic has invalid format: "),
        (transfer(BOB, 0)[:60] + b"\x00" * 8 + transfer(BOB, 0)[68:], 1010, "a bad signature"),
        (transfer(NOBODY, 0), 1010, "Inability to pay some fees"),
        (b"\x00" * 1_000_000, 1010, "extrinsic of 1000000 bytes, the most is"),
    ],
    ids=["noise", "cut off", "forged", "poor", "too large"],
)
def test_a_bad_extrinsic_is_refused(
    dev_node: NodeProcess, data: bytes, code: int, reason: str
) -> None:
    error = submit(dev_node, data)["error"]
    assert error["code"] == code
    assert reason in f"{error['message']}: {error.get('data')}"


def test_a_used_nonce_is_refused_and_a_later_one_waits_for_its_turn(dev_node: NodeProcess) -> None:
    second, first = transfer(CHARLIE, 1), transfer(CHARLIE, 0)
    assert "result" in submit(dev_node, second)
    assert asyncio.run(dev_node.call("author_pendingExtrinsics")) == []
    assert asyncio.run(dev_node.call("system_accountNextIndex", CHARLIE.address())) == 0
    assert "result" in submit(dev_node, first)
    number = int(dev_node.wait_for(r"sealed #(\d+)")[1])
    block = asyncio.run(block_at(dev_node, number))
    assert block["extrinsics"][1:] == [f"0x{first.hex()}", f"0x{second.hex()}"]
    error = submit(dev_node, first)["error"]
    assert (error["code"], error["data"]) == (1010, "Transaction is outdated")


async def block_at(node: NodeProcess, number: int) -> Any:
    answer = await node.call("chain_getBlock", await node.call("chain_getBlockHash", number))
    return answer["block"]


# -- JSON-RPC


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 200, -32700),
        (noise(500), 200, -32700),
        (b'{"jsonrpc":"2.0","id":1}', 200, -32600),
        (b"[" * 100_000, 200, -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"state_nothing"}', 200, -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"chain_getHeader","params":["0x12"]}', 200, -32602),
        (b" " * (REQUEST_BYTES_MAX + 1), 413, -32007),
    ],
    ids=["cut off", "noise", "no method", "deep", "unknown method", "short hash", "too large"],
)
def test_a_bad_request_gets_its_code(
    dev_node: NodeProcess, body: bytes, status: int, code: int
) -> None:
    found, document = asyncio.run(dev_node.post(body))
    assert (found, document["error"]["code"]) == (status, code)
    assert document["error"]["message"]


# -- raw bytes


async def throw(port: int, *pieces: bytes) -> None:
    """Send bytes to a port and leave; whether the other side listens to the end is its choice."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    with suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()
        await writer.wait_closed()


async def reply(port: int, message: bytes, length: int) -> bytes:
    """The first bytes that a port answers to a message."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(message)
        async with asyncio.timeout(REPLY_S):
            return await reader.readexactly(length)
    finally:
        writer.close()


def test_garbage_on_the_rpc_port_is_answered_400_and_not_logged(dev_node: NodeProcess) -> None:
    async def run() -> None:
        for garbage in (noise(300), b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 70_000):
            assert b" 400 " in await reply(dev_node.rpc_port, garbage, 13)
        assert await dev_node.call("system_chain") == "FLock Development"

    before = len(dev_node.lines)
    asyncio.run(run())
    assert dev_node.lines[before:] == []


def test_malformed_frames_on_the_p2p_port_do_no_harm(dev_node: NodeProcess) -> None:
    async def run() -> None:
        port = dev_node.p2p_port
        for garbage in (noise(300), b"\xff" * 70_000, noise(70_000)):
            await throw(port, garbage)
            await throw(port, HELLO, garbage)
            await throw(port, HELLO, b"\x07/noise\n", garbage)
            await throw(port, HELLO, b"\x07/noise\n", b"\x00\x20" + noise(32), garbage)
        assert await reply(port, HELLO, len(HELLO)) == HELLO
        assert await dev_node.call("system_health") == {
            "peers": 0,
            "isSyncing": False,
            "shouldHavePeers": False,
        }

    asyncio.run(run())
    assert dev_node.find(" ERROR ") is None, dev_node.log
