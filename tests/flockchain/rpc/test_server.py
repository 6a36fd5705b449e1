"""The RPC port over real sockets: messages, batches, admission, limits."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import orjson
import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from flockchain.rpc.access import Access, MethodPolicy
from flockchain.rpc.methods import METHODS, visible_methods
from flockchain.rpc.server import RpcConfig
from tests.flockchain.rpc.dev_node import dev_node
from tests.flockchain.rpc.rpc_client import call, connected, post, request, settle

LEGACY_MINIMUM = (
    "rpc_methods",
    "system_chain",
    "system_name",
    "system_version",
    "system_properties",
    "chain_getBlockHash",
    "chain_getHead",
    "chain_getHeader",
    "chain_getBlock",
    "chain_getFinalizedHead",
    "chain_subscribeNewHead",
    "chain_unsubscribeNewHead",
    "chain_subscribeNewHeads",
    "chain_unsubscribeNewHeads",
    "chain_subscribeAllHeads",
    "chain_unsubscribeAllHeads",
    "chain_subscribeFinalizedHeads",
    "chain_unsubscribeFinalizedHeads",
    "state_getMetadata",
    "state_getRuntimeVersion",
    "state_call",
    "state_getStorage",
    "state_getStorageAt",
    "state_getStorageHash",
    "state_queryStorageAt",
    "state_getKeysPaged",
    "state_subscribeRuntimeVersion",
    "state_unsubscribeRuntimeVersion",
    "state_subscribeStorage",
    "state_unsubscribeStorage",
    "account_nextIndex",
    "author_submitExtrinsic",
    "author_submitAndWatchExtrinsic",
    "author_unwatchExtrinsic",
    "system_accountNextIndex",
    "system_health",
    "system_chainType",
    "state_getReadProof",
    "state_getStorageSize",
    "author_pendingExtrinsics",
    "payment_queryInfo",
    "system_syncState",
)
UNSAFE = ("system_peers", "system_dryRun", "state_queryStorage")


def test_every_method_that_clients_need_is_there() -> None:
    assert set(LEGACY_MINIMUM) <= set(visible_methods(is_trusted=False))


def test_a_request_over_http_and_its_id() -> None:
    async def run() -> None:
        async with dev_node() as node:
            for identity in ("Rm30", 0, 2**63, None):
                status, answer = await post(
                    node.http_url, request("system_chain", identity=identity)
                )
                expected = {"jsonrpc": "2.0", "id": identity, "result": "FLock Development"}
                assert (status, answer) == (200, expected)

    asyncio.run(run())


def test_errors_have_codes() -> None:
    async def run() -> None:
        async with dev_node() as node:
            url = node.http_url
            assert (await call(url, "no_such"))["code"] == -32601
            assert (await call(url, "state_getStorage"))["code"] == -32602
            assert (await call(url, "chain_subscribeNewHeads"))["code"] == -32601
            status, answer = await post(url, b"{")
            expected = {
                "jsonrpc": "2.0",
                "id": None,
                "error": {"code": -32700, "message": "Parse error"},
            }
            assert (status, answer) == (200, expected)
            assert await post(url, {"jsonrpc": "2.0", "method": "system_chain"}) == (200, b"")

    asyncio.run(run())


def test_batches() -> None:
    async def run() -> None:
        async with dev_node() as node:
            batch = [request("system_name", identity=i) for i in range(100)]
            batch[3] = {"bad": 1}
            batch[4] = request("no_such", identity="x")
            del batch[5]["id"]
            _, answers = await post(node.http_url, batch)
            assert len(answers) == 99
            assert answers[0] == {"jsonrpc": "2.0", "id": 0, "result": "flockchain"}
            assert answers[3]["error"]["code"] == -32600
            assert answers[4]["id"] == "x"
            assert answers[5]["id"] == 6
            _, refused = await post(node.http_url, [*batch, batch[0]])
            assert refused["error"]["code"] == -32010

    asyncio.run(run())


def test_a_batch_over_websocket_answers_before_it_notifies() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            batch = [
                request("chain_subscribeNewHeads", identity="a"),
                request("chain_subscribeFinalizedHeads", identity="b"),
            ]
            await socket.socket.send_bytes(orjson.dumps(batch))
            answers = await socket.receive()
            assert [item["id"] for item in answers] == ["a", "b"]
            first, second = (item["result"] for item in answers)
            assert (await socket.notification("chain_newHead", first))["number"] == "0x0"
            assert (await socket.notification("chain_finalizedHead", second))["number"] == "0x0"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "attacker.example"}, 403),
        ({"Host": "attacker.example:9944", "Origin": "http://attacker.example:9944"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "https://polkadot.js.org"}, 200),
        ({"Origin": "https://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
    ],
    ids=str,
)
def test_who_may_post(headers: dict[str, str], status: int) -> None:
    async def run() -> None:
        async with dev_node() as node:
            found, _ = await post(node.http_url, request("system_chain"), **headers)
            assert found == status

    asyncio.run(run())


def test_pages_of_foreign_origins_get_no_websocket() -> None:
    async def run() -> None:
        async with dev_node() as node:
            async with connected(node.ws_url, Origin="http://localhost:3000") as socket:
                assert await socket.call("system_name") == "flockchain"
            for headers in ({"Origin": "https://attacker.example"}, {"Host": "attacker.example"}):
                with pytest.raises(WSServerHandshakeError) as refused:
                    async with connected(node.ws_url, **headers):
                        pass
                assert refused.value.status == 403

    asyncio.run(run())


def test_browsers_are_told_what_they_may_send() -> None:
    async def run() -> None:
        async with dev_node() as node, ClientSession() as session:
            headers = {
                "Origin": "http://localhost:3000",
                "Access-Control-Request-Method": "POST",
            }
            async with session.options(node.http_url, headers=headers) as response:
                assert response.status == 204
                allowed = response.headers["Access-Control-Allow-Origin"]
                assert allowed == "http://localhost:3000"
                assert "content-type" in response.headers["Access-Control-Allow-Headers"]
            headers["Origin"] = "https://attacker.example"
            async with session.options(node.http_url, headers=headers) as response:
                assert response.status == 403
                assert "Access-Control-Allow-Origin" not in response.headers

    asyncio.run(run())


@pytest.mark.parametrize("policy", list(MethodPolicy))
@pytest.mark.parametrize("is_external", [False, True])
@pytest.mark.parametrize("forwarded", [{}, {"X-Forwarded-For": "203.0.113.9"}])
@pytest.mark.parametrize("origin", [{}, {"Origin": "https://polkadot.js.org"}])
def test_unsafe_methods_leak_to_nobody(
    policy: MethodPolicy, is_external: bool, forwarded: dict[str, str], origin: dict[str, str]
) -> None:
    async def run() -> None:
        config = RpcConfig(port=0, access=Access(policy, is_external))
        async with dev_node(config) as node:
            headers = {**forwarded, **origin}
            is_trusted = policy is MethodPolicy.UNSAFE or (
                policy is MethodPolicy.AUTO and not is_external and not headers
            )
            _, listed = await post(node.http_url, request("rpc_methods"), **headers)
            names = listed["result"]["methods"]
            assert names == visible_methods(is_trusted=is_trusted)
            for name in UNSAFE:
                assert not METHODS[name].is_safe
                assert (name in names) is is_trusted
                _, answer = await post(node.http_url, request(name), **headers)
                is_refused = answer.get("error") == {
                    "code": -32601,
                    "message": "RPC call is unsafe to be called externally",
                }
                assert is_refused is not is_trusted

    asyncio.run(run())


def test_one_connection_too_many_is_told_so() -> None:
    async def run() -> None:
        async with (
            dev_node(RpcConfig(port=0, connections_max=3)) as node,
            connected(node.ws_url) as first,
            connected(node.ws_url),
            connected(node.ws_url),
        ):
            assert node.server.connection_count == 3
            status, _ = await post(node.http_url, request("system_chain"))
            assert status == 503
            assert await first.call("system_name") == "flockchain"
            await first.socket.close()
            await settle(lambda: node.server.connection_count < 3)
            status, _ = await post(node.http_url, request("system_chain"))
            assert status == 200

    asyncio.run(run())


def test_a_socket_that_asks_nothing_is_closed() -> None:
    async def run() -> None:
        async with dev_node(RpcConfig(port=0, idle_s=0.05)) as node:
            for sent in (b"", b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "):
                reader, writer = await asyncio.open_connection("127.0.0.1", node.server.port)
                writer.write(sent)
                assert await asyncio.wait_for(reader.read(), 5) == b""
                writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", node.server.port)
            head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: 99\r\n\r\n{{".encode())
            answer = await asyncio.wait_for(reader.readline(), 5)
            assert answer == b"HTTP/1.1 408 Request Timeout\r\n"
            writer.close()

    asyncio.run(run())


def test_bombs_cost_one_error_and_the_connection_lives() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            for bomb in (b"[" * 1_000_000, b"[" + b"[]," * 400_000, b'{"a":' * 70_000):
                await socket.socket.send_bytes(bomb)
                assert (await socket.receive())["error"]["code"] == -32600
            assert await socket.call("system_name") == "flockchain"

    asyncio.run(run())


def test_too_large_a_message_ends_the_connection_and_no_other() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as other:
            async with connected(node.ws_url) as socket:
                with suppress(ConnectionError):  # the server need not take it all in
                    await socket.socket.send_bytes(b" " * (15 * 1024 * 1024 + 1))
                await settle(lambda: node.server.connection_count == 1)
            assert await other.call("system_name") == "flockchain"

    asyncio.run(run())


def test_too_large_a_body_is_refused() -> None:
    async def run() -> None:
        async with dev_node() as node:
            status, answer = await post(node.http_url, b" " * (15 * 1024 * 1024 + 1))
            assert status == 413
            assert (answer["error"]["code"], answer["id"]) == (-32007, None)

    asyncio.run(run())


def test_compression_is_not_negotiated() -> None:
    async def run() -> None:
        async with (
            dev_node() as node,
            ClientSession() as session,
            session.ws_connect(node.ws_url, compress=15) as socket,
        ):
            assert socket.compress == 0

    asyncio.run(run())


def test_health() -> None:
    async def run() -> None:
        async with dev_node() as node, ClientSession() as session:
            async with session.get(node.http_url + "health") as response:
                expected = {"peers": 0, "isSyncing": False, "shouldHavePeers": False}
                assert await response.json() == expected
            node.sync.is_major_syncing = True
            async with session.get(node.http_url + "health/readiness") as response:
                assert response.status == 500
            for path in ("", "nothing", "..", "%2e%2e/etc/passwd"):
                async with session.get(node.http_url + path) as response:
                    assert response.status in (404, 405)

    asyncio.run(run())


def test_the_next_task_runs_between_calls_of_a_batch() -> None:
    """A batch may not keep the node from its slot: other tasks run between any two calls."""

    async def run() -> None:
        async with dev_node() as node:
            turns = 0

            async def author() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            task = asyncio.create_task(author())
            batch = [request("state_getMetadata", identity=i) for i in range(50)]
            await post(node.http_url, batch)
            task.cancel()
            assert turns >= 50

    asyncio.run(run())


def test_a_client_that_does_not_read_is_disconnected_and_others_are_not() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as other:
            subscription = await other.call("chain_subscribeNewHeads")
            await other.receive()
            before = list(node.backend.notifications.on_imported)
            async with connected(node.ws_url) as deaf:
                for _ in range(2):
                    batch = [request("chain_subscribeAllHeads", identity=i) for i in range(64)]
                    await deaf.socket.send_bytes(orjson.dumps(batch))
                await settle(lambda: len(node.backend.notifications.on_imported) > 128)
                for number in range(1, 1_000):
                    node.seal()
                    head = await other.notification("chain_newHead", subscription)
                    assert head["number"] == hex(number)
                    if node.server.connection_count == 1:
                        break
                await settle(lambda: node.server.connection_count == 1)
            assert node.backend.notifications.on_imported == before

    asyncio.run(run())


def test_subscriptions_of_a_connection_are_limited() -> None:
    async def run() -> None:
        async with dev_node() as node, connected(node.ws_url) as socket:
            for _ in range(2):
                batch = [request("chain_subscribeNewHeads", identity=i) for i in range(64)]
                await socket.socket.send_bytes(orjson.dumps(batch))
            await settle(lambda: len(node.backend.notifications.on_imported) > 128)
            refused = request("chain_subscribeNewHeads", identity="one more")
            await socket.socket.send_bytes(orjson.dumps(refused))
            message = await socket.receive()
            while isinstance(message, list) or message.get("id") != "one more":
                message = await socket.receive()
            assert message["error"]["message"] == "Too many subscriptions on the connection"

    asyncio.run(run())
