"""The client against a real node: reads, submissions, heads, reconnections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

from flockchain.keys import key_pair_from_uri
from flockchain.sdk import (
    BlockingClient,
    CallFailed,
    Client,
    Disconnected,
    ExtrinsicRefused,
    NothingStored,
    Wait,
    WrongChain,
)
from runtime.arena_api import ArenaApi
from runtime.constants import DEVNET
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances, Transfer
from runtime.pallets.system import System
from runtime.pallets.tasks import Tasks
from runtime.primitives.multi import Id
from runtime.primitives.types import FML, Hash
from tests.flockchain.fast_chain import AUTHOR, ENDOWMENT, FastChain, fast_chain

ALICE, BOB = key_pair_from_uri("//Alice", "sr25519"), key_pair_from_uri("//Bob", "ed25519")
NOBODY = key_pair_from_uri("//Nobody", "ed25519")
TO_BOB = encode_call(Balances.transfer_keep_alive, Id(BOB.account), 5 * FML)

T = TypeVar("T")


def on_chain(directory: Path, story: Callable[[FastChain, Client], Awaitable[T]]) -> T:
    """Run a story with a chain of one block and a client."""

    async def run() -> T:
        async with fast_chain(directory, [ALICE, BOB]) as chain:
            chain.seal()
            async with await Client.connect(chain.url) as client, asyncio.timeout(20):
                return await story(chain, client)

    return asyncio.run(run())


def test_values_are_read_and_decoded_by_the_runtimes_own_items(tmp_path: Path) -> None:
    async def story(chain: FastChain, client: Client) -> None:
        assert client.genesis == chain.backend.genesis
        assert client.preset is DEVNET
        assert client.constants(Tasks).creator_stake == DEVNET.creator_stake
        info = await client.query(System.account, ALICE.account)
        assert info.data.free == ENDOWMENT
        assert await client.find(Tasks.tasks, 0) is None
        assert await client.query(Tasks.live) == []
        with pytest.raises(NothingStored):
            await client.query(Tasks.tasks, 0)
        chain.seal()
        assert await client.query(System.number) == 2
        assert await client.query(System.number, at=client.genesis) == 0

    on_chain(tmp_path, story)


def test_maps_are_read_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flockchain.sdk.state_view.PAGE", 1)

    async def story(chain: FastChain, client: Client) -> None:
        accounts = {who: info.data.free async for who, info in client.query_map(System.account)}
        for key in (ALICE, BOB, AUTHOR):
            assert accounts[key.account] == ENDOWMENT
        found = await (await client.at_best()).query_many(
            System.account, [NOBODY.account, BOB.account]
        )
        assert found[0] is None
        assert found[1] is not None

    on_chain(tmp_path, story)


def test_a_submission_returns_its_block_and_events(tmp_path: Path) -> None:
    async def story(chain: FastChain, client: Client) -> None:
        chain.seal_when_asked()
        for key in (ALICE, BOB):  # both signature schemes
            receipt = await client.submit(
                encode_call(Balances.transfer_keep_alive, Id(AUTHOR.account), FML), key, tip=7
            )
            assert receipt.find(Transfer) == Transfer(key.account, AUTHOR.account, FML)
            assert receipt.block == chain.backend.best.hash
        final = await client.submit(TO_BOB, ALICE, wait=Wait.FINALIZED, era_blocks=None)
        assert final.block == chain.backend.finalized.hash

    on_chain(tmp_path, story)


def test_a_failed_call_names_the_pallets_error_and_says_what_to_do(tmp_path: Path) -> None:
    async def story(chain: FastChain, client: Client) -> None:
        chain.seal_when_asked()
        call = encode_call(Tasks.cancel_task, 7)
        with pytest.raises(CallFailed) as failure:
            await client.submit(call, ALICE)
        assert (failure.value.pallet, failure.value.name) == ("Tasks", "UnknownTask")
        assert str(failure.value) == "Tasks.UnknownTask: There is no task of this number."

    on_chain(tmp_path, story)


def test_submissions_of_one_account_get_one_nonce_each(tmp_path: Path) -> None:
    async def story(chain: FastChain, client: Client) -> None:
        in_pool = asyncio.Semaphore(0)
        work = [
            asyncio.create_task(client.submit(TO_BOB, ALICE, on_pool=in_pool.release))
            for _ in range(5)
        ]
        for _ in work:
            await in_pool.acquire()
        chain.seal()
        receipts = await asyncio.gather(*work)
        assert len({receipt.extrinsic for receipt in receipts}) == 5
        assert {receipt.block for receipt in receipts} == {chain.backend.best.hash}
        assert chain.free(BOB) == ENDOWMENT + 25 * FML

    on_chain(tmp_path, story)


def test_an_account_without_funds_is_refused_in_words(tmp_path: Path) -> None:
    async def story(chain: FastChain, client: Client) -> None:
        with pytest.raises(ExtrinsicRefused, match="Inability to pay some fees"):
            await client.submit(TO_BOB, NOBODY)

    on_chain(tmp_path, story)


def test_heads_go_on_after_the_node_restarted(tmp_path: Path) -> None:
    async def story(chain: FastChain, client: Client) -> None:
        heads = client.best_heads()
        assert (await anext(heads)).number == 1
        chain.seal()
        assert (await anext(heads)).number == 2
        await chain.stop()
        chain.seal()
        await chain.start()
        while (head := await anext(heads)).number < 3:
            pass
        assert head.hash == chain.backend.best.hash
        assert client.transport.connections == 2
        async for final in client.finalized_heads():
            assert final.number == 3
            break

    on_chain(tmp_path, story)


def test_a_submission_is_found_again_after_the_connection_was_lost(tmp_path: Path) -> None:
    async def story(chain: FastChain, client: Client) -> None:
        in_pool = asyncio.Event()
        work = asyncio.create_task(client.submit(TO_BOB, ALICE, on_pool=in_pool.set))
        await in_pool.wait()
        await chain.stop()
        included = chain.seal()
        chain.seal(2)
        await chain.start()
        receipt = await work
        assert receipt.block == included.hash
        assert receipt.find(Transfer) is not None

    on_chain(tmp_path, story)


def test_a_node_of_another_chain_or_release_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(chain: FastChain, client: Client) -> None:
        other = Hash(b"o" * 32)
        with pytest.raises(WrongChain, match=f"not on 0x{other.hex()}"):
            await Client.connect(chain.url, genesis=other)
        monkeypatch.setattr("flockchain.sdk.client.SPEC_VERSION", 99)
        with pytest.raises(WrongChain, match="use the release that the chain runs"):
            await Client.connect(chain.url)

    on_chain(tmp_path, story)


def test_a_connected_client_refuses_a_node_that_came_back_with_another_runtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(chain: FastChain, client: Client) -> None:
        await chain.stop()
        monkeypatch.setattr("flockchain.sdk.client.SPEC_VERSION", 99)
        await chain.start()
        with pytest.raises(WrongChain):
            async for _ in client.best_heads():
                pass

    on_chain(tmp_path, story)


def test_runtime_apis_are_asked_by_their_methods(tmp_path: Path) -> None:
    async def story(chain: FastChain, client: Client) -> None:
        view = client.at(chain.backend.best.hash)
        assert await view.ask(ArenaApi.live_tasks) == []
        assert await view.ask(ArenaApi.task_info, 7) is None
        assert await view.ask(ArenaApi.to_score, 7, 3, ALICE.account) == []

    on_chain(tmp_path, story)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ws://127.0.0.1:9", "Connection refused"),
        ("127.0.0.1:9", "it is no address as ws://host:port"),
        ("ws://host.invalid:9", "nobody knows that host"),
    ],
)
def test_no_node_is_a_clear_error(url: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    if url == "ws://host.invalid:9":
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Disconnected) as refused:
        asyncio.run(Client.connect(url))
    assert str(refused.value) == f"{url} cannot be reached: {reason}"


def test_scripts_do_the_same_without_await(tmp_path: Path) -> None:
    def script(url: str) -> None:
        with BlockingClient(url) as client:
            receipt = client.submit(TO_BOB, ALICE)
            assert receipt.block is not None
            assert client.query(System.number, at=receipt.block) == 2
            assert Tasks.live.default == client.query(Tasks.live)
            assert len(client.query_map(System.account)) >= 3
            assert any(
                isinstance(record.event, Transfer) for record in client.events_at(receipt.block)
            )
            blob = client.put_blob(b"data", ALICE)
            assert client.get_blob(blob) == b"data"

    async def story(chain: FastChain, client: Client) -> None:
        chain.seal_when_asked()
        await asyncio.to_thread(script, chain.url)

    on_chain(tmp_path, story)
