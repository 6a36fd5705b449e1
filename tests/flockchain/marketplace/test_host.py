"""A host, a caller's gateway and the real pallet: stake, offer, follow, calls, pay, kill -9."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from openai import AsyncOpenAI

from flockchain.marketplace.chain_market import CallerView
from flockchain.marketplace.credentials import sign
from flockchain.marketplace.evidence import EvidenceFolder
from flockchain.marketplace.gateway import Gateway
from flockchain.marketplace.ledger import Channel, Ledger, Payer, Pledge, Record, Terms
from flockchain.marketplace.promises import Promises
from flockchain.sdk import CallFailed, Client
from flockchain.workers.host import Host, HostOptions, Offering
from ml.language.bundle import describe_bundle, pack_directory
from runtime.frame.pallet import encode_call
from runtime.pallets.marketplace import Marketplace, records
from runtime.pallets.marketplace.events import InferenceAnswered
from runtime.primitives.content_id import cid_text, content_id
from runtime.primitives.multi import MULTI_SIGNATURE
from runtime.primitives.types import FML, AccountId
from runtime.primitives.vouchers import Voucher
from tests.flockchain.fast_chain import FastChain, fast_chain
from tests.flockchain.marketplace.market_world import CALLER, HOST, PRICE, QUESTIONS, genesis_with
from tests.flockchain.workers.digits_world import events_of

ASKED = "What is FLock?"
BLOCKS_MAX = 12


async def until(chain: FastChain, host: Host, is_so: Callable[[], bool]) -> None:
    """Seal block after block, each once the host has done what the one before calls for."""
    for _ in range(BLOCKS_MAX):
        if is_so():
            return
        chain.seal()
        await host.settled(chain.backend.best.hash)
    raise AssertionError(f"not in {BLOCKS_MAX} blocks")


async def sealed(chain: FastChain, client: Client, call: bytes) -> None:
    """Have the caller's call in a block."""
    entered = asyncio.Event()
    sent = asyncio.create_task(client.submit(call, CALLER, on_pool=entered.set))
    await entered.wait()
    chain.seal()
    await sent


@asynccontextmanager
async def hosting(client: Client, directory: Path) -> AsyncIterator[Host]:
    # Files of the older model, which do not matter once a newer one is served.
    offerings = [Offering(0, PRICE, follows=True, directory=directory / "older")]
    options = HostOptions(port=0, device="cpu", settle_at=2 * PRICE)
    async with Host(client, HOST, offerings, directory, options, tick_gap_s=0.0) as host:
        running = asyncio.create_task(host.run())
        try:
            yield host
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@asynccontextmanager
async def calling(client: Client, directory: Path) -> AsyncIterator[AsyncOpenAI]:
    promises = Promises(directory, client.genesis, CALLER)
    view = CallerView(client, CALLER.account, frozenset())
    evidence = EvidenceFolder(directory)
    gateway = Gateway(CALLER, client.genesis, view, promises, evidence, is_private_allowed=True)
    await gateway.start()
    url = f"http://127.0.0.1:{gateway.port}/v1"
    try:
        async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as opened:
            yield opened
    finally:
        await gateway.stop()
        promises.close()


async def ask(client: AsyncOpenAI) -> str | None:
    answer = await client.chat.completions.create(
        model="task-1", messages=[{"role": "user", "content": ASKED}], temperature=0
    )
    return answer.choices[0].message.content


async def no_disk() -> None:
    raise OSError("no space left on device")


def test_the_life_of_a_host(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, blobs = pack_directory(tiny_llama)
    # The older model has one file more, so it is another one.
    files = {path.name: blob for blob, path in blobs.items()}
    older = describe_bundle({**files, "README.md": content_id(b"older")})
    model = content_id(listed)
    genesis = genesis_with([(content_id(older), []), (model, [content_id(older)])], [HOST, CALLER])

    def offers(chain: FastChain) -> dict[bytes, records.Offer]:
        return dict(chain.runtime().market.offers.items_of(HOST.account))

    def settled(chain: FastChain) -> int:
        line = records.Line(HOST.account, model)
        return chain.runtime().market.channels.get((CALLER.account, line)).settled

    async def run() -> None:
        async with (
            fast_chain(tmp_path / "node", [HOST, CALLER], genesis) as chain,
            await Client.connect(chain.url) as client,
        ):
            for blob, path in blobs.items():
                chain.blobs.put(path.read_bytes())
                assert chain.blobs.has(blob)
            chain.blobs.put(listed)
            async with hosting(client, tmp_path / "host") as host:
                await until(chain, host, lambda: model in offers(chain))
                assert list(offers(chain)) == [model]  # it began with the newest of the lineage
                offer = offers(chain)[model]
                assert (offer.price, offer.task, offer.endpoint) == (PRICE, 1, host.endpoint)
                call = encode_call(Marketplace.open_channel, HOST.account, model, 10 * FML)
                await sealed(chain, client, call)
                async with calling(client, tmp_path / "caller") as caller:
                    await until(chain, host, lambda: host._view.number >= chain.backend.best.number)
                    assert await ask(caller) == QUESTIONS[ASKED]
                payer = Payer(CALLER.account, model)
                unoffered = payer._replace(model=content_id(older))
                found = [(await host._view.terms(each)).price for each in (payer, unoffered)]
                assert found == [PRICE, None]
                account = host.book.ledger.account(payer)
                assert account.spent == PRICE
            assert settled(chain) == 0  # below its threshold
            before = chain.free(HOST)
            async with hosting(client, tmp_path / "host") as host:
                await until(chain, host, lambda: offers(chain)[model].endpoint == host.endpoint)
                async with calling(client, tmp_path / "caller") as caller:
                    assert await ask(caller) == QUESTIONS[ASKED]
                    await until(chain, host, lambda: settled(chain) == 2 * PRICE)
                    assert await ask(caller) == QUESTIONS[ASKED]
                # As after a start on the day after: below the threshold, and settled all the same;
                # faults of the disk do not end the worker.
                host.book.ledger.apply([Record(payer, "owing", -1)])
                host._settled_day = None
                with monkeypatch.context() as patch:
                    patch.setattr(host._view, "update", no_disk)
                    chain.seal()
                    await host.settled(chain.backend.best.hash)
                await until(chain, host, lambda: settled(chain) == 3 * PRICE)
            # 30 % burned, 10 % royalty, fees of three extrinsics.
            earned = chain.free(HOST) - before
            assert 3 * PRICE * 6 // 10 - FML // 10 < earned <= 3 * PRICE * 6 // 10
            chain.runtime().try_state()

    asyncio.run(run())


def test_requests_by_the_chain_are_answered_or_refunded(
    tiny_llama: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listed, blobs = pack_directory(tiny_llama)
    model = content_id(listed)
    older = content_id(b"older")
    genesis = genesis_with([(older, []), (model, [older])], [HOST, CALLER])

    def question(**changes: object) -> bytes:
        messages = [{"role": "user", "content": ASKED}]
        return orjson.dumps({"model": "any", "messages": messages, "temperature": 0, **changes})

    async def run() -> None:
        async with (
            fast_chain(tmp_path / "node", [HOST, CALLER], genesis) as chain,
            await Client.connect(chain.url) as client,
        ):
            for path in blobs.values():
                chain.blobs.put(path.read_bytes())
            chain.blobs.put(listed)

            async def request(asked: bytes, fee: int, *, host: AccountId | None = None) -> None:
                call = encode_call(
                    Marketplace.request_inference, model, content_id(asked), fee, host
                )
                await sealed(chain, client, call)

            def waiting() -> list[int]:
                return sorted(number for number, _ in chain.runtime().market.requests.items())

            async with hosting(client, tmp_path / "host") as host:
                await until(
                    chain,
                    host,
                    lambda: chain.runtime().market.offers.contains((HOST.account, model)),
                )
                before = chain.free(CALLER)
                cited = {"documents": [cid_text(model)]}
                asked = [question(), question(seed=1), question(seed=0), question(retrieval=cited)]
                for each in [*asked, b"{}"]:
                    chain.blobs.put(each)
                    await request(each, FML)
                await request(question(), PRICE, host=HOST.account)
                await request(question(), PRICE - 1)  # less than the price
                await request(question(top_p=0.5), FML)  # nobody has its blob
                await until(chain, host, lambda: waiting() == [2, 3, 4, 6, 7])
                answers = events_of(chain, InferenceAnswered)
                assert [each.request for each in answers] == [0, 1, 5]
                for answer in answers:
                    assert chain.blobs.get(answer.answer) == QUESTIONS[ASKED].encode()
                    assert (answer.host, answer.paid) == (HOST.account, PRICE)
                for _ in range(client.constants(Marketplace).calendar.day_blocks * 2):
                    chain.seal()
                    await host.settled(chain.backend.best.hash)
            assert waiting() == []
            assert 0 < before - 3 * PRICE - chain.free(CALLER) < FML // 10  # fees of extrinsics
            chain.runtime().try_state()

    caplog.set_level("WARNING", logger="flockchain.workers.request_answers")
    asyncio.run(run())
    said = [r.getMessage() for r in caplog.records if "request_answers" in r.name]
    assert sorted(said) == [  # they are judged side by side
        "request 2 is not answered: it names seed 0; a request's seed is its number",
        "request 3 is not answered: it names documents, which are not signed in answers to the "
        "chain",
        "request 4 is not answered: model is not a string",
    ]


def test_ten_thousand_calls_settle_in_one_extrinsic(tmp_path: Path) -> None:
    model = content_id(b"a model")
    calls, price = 10_000, FML // 1_000
    genesis = genesis_with([(model, [])], [HOST, CALLER])

    async def run() -> None:
        async with (
            fast_chain(tmp_path / "node", [HOST, CALLER], genesis) as chain,
            await Client.connect(chain.url) as client,
        ):
            chain.seal()
            chain.seal_when_asked()
            await client.submit(encode_call(Marketplace.register_host), HOST)
            offer = encode_call(Marketplace.offer, model, "http://h/v1", price, False)
            await client.submit(offer, HOST)
            deposit = encode_call(Marketplace.open_channel, HOST.account, model, 10 * FML)
            await client.submit(deposit, CALLER)
            ledger, payer = Ledger(), Payer(CALLER.account, model)
            terms = Terms(price, 0, 0, Channel(10 * FML, 0))
            for total in range(price, calls * price + 1, price):
                voucher = Voucher(client.genesis, CALLER.account, HOST.account, model, total)
                signature = ""
                if total == calls * price:
                    signature = MULTI_SIGNATURE.encode(sign(CALLER, voucher)).hex()
                ledger.charge(payer, terms, Pledge(total, signature), None)
            claim = next(ledger.claims(0))
            assert claim.total == calls * price == 10 * FML
            signed = MULTI_SIGNATURE.decode_all(bytes.fromhex(claim.signature))
            claims = [records.Claim(CALLER.account, model, claim.total, signed)]
            before = chain.free(HOST)
            receipt = await client.submit(encode_call(Marketplace.settle_many, claims), HOST)
            assert receipt.block is not None
            assert 59 * FML // 10 < chain.free(HOST) - before <= 6 * FML
            # The same again, and lower ones, earn nothing.
            for total in (claim.total, claim.total - 1):
                again = [replace(claims[0], total=total)]
                refused = encode_call(Marketplace.settle_many, again)
                with pytest.raises(CallFailed, match="NothingSettled"):
                    await client.submit(refused, HOST)
            assert chain.free(HOST) - before <= 6 * FML
            chain.runtime().try_state()

    asyncio.run(run())
