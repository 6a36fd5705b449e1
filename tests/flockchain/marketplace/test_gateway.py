"""The caller's gateway: an unmodified client without a key, free calls first, then vouchers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import openai
import orjson
import pytest
from aiohttp import ClientSession
from openai import AsyncOpenAI

from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.marketplace.errors import ApiError
from flockchain.marketplace.evidence import (
    EvidenceFolder,
    NotSigned,
    Question,
    answer_record,
    check_response,
)
from flockchain.marketplace.gateway import Gateway, Route, _planck
from flockchain.marketplace.ledger import Channel, Payer
from flockchain.marketplace.promises import Line, Promises
from flockchain.marketplace.signed_answers import AnswerSigner
from runtime.frame.executive import verify_signature
from runtime.primitives.multi import MULTI_SIGNATURE
from tests.flockchain.marketplace.market_world import (
    GENESIS,
    HOST,
    MODEL,
    PRICE,
    QUESTIONS,
    ROWS,
    World,
)

ASKED = "Who pays hosts?"


@dataclass
class ToldMarket:
    """A chain that says what the world's view says."""

    world: World
    routes_now: list[Route]
    has_channel: bool = True

    async def routes(self) -> list[Route]:
        return self.routes_now

    async def channel(self, line: Line) -> Channel | None:
        return self.world.view.current.channel if self.has_channel else None

    async def day(self) -> int:
        return self.world.view.day


@dataclass
class Door:
    """A gateway and a client for it."""

    gateway: Gateway
    market: ToldMarket
    promises: Promises
    client: AsyncOpenAI
    answers: Path

    async def ask(self, **changes: object) -> str:
        usual = {
            "model": "tiny",
            "messages": [{"role": "user", "content": ASKED}],
            "temperature": 0,
        }
        answer = await self.client.chat.completions.create(**{**usual, **changes})  # type: ignore[call-overload]
        return str(answer.choices[0].message.content)


@asynccontextmanager
async def gateway(
    world: World,
    directory: Path,
    pair: KeyPair,
    token: str | None = None,
) -> AsyncIterator[Door]:
    route = Route(Line(HOST.account, MODEL), "tiny", world.url, PRICE)
    gone = Route(Line(HOST.account, bytes(32)), "tiny", "http://127.0.0.1:1/v1", PRICE - 1)
    market, promises = ToldMarket(world, [gone, route]), Promises(directory, GENESIS, pair)
    evidence = EvidenceFolder(directory)
    served = Gateway(
        *(pair, GENESIS, market, promises, evidence),
        token=token,
        is_private_allowed=True,
    )
    await served.start()
    url = f"http://127.0.0.1:{served.port}/v1"
    client = AsyncOpenAI(base_url=url, api_key=token or "none", max_retries=0)
    try:
        yield Door(served, market, promises, client, directory / "answers")
    finally:
        await client.close()
        await served.stop()
        promises.close()


def test_free_calls_then_vouchers_and_the_answers_are_kept(world: World, tmp_path: Path) -> None:
    async def run() -> None:
        pair = key_pair_from_uri("//GatewayCaller")
        world.view.current = replace(world.view.current, free_calls=1)
        async with gateway(world, tmp_path, pair) as door:
            assert [model.id async for model in await door.client.models.list()] == ["tiny"]
            assert await door.ask() == QUESTIONS[ASKED]
            assert door.promises.of(Line(HOST.account, MODEL)).signed == 0
            for calls in (1, 2):
                assert await door.ask() == QUESTIONS[ASKED]
                assert door.promises.of(Line(HOST.account, MODEL)).signed == calls * PRICE
            stream = await door.client.chat.completions.create(
                model="tiny",
                messages=[{"role": "user", "content": "Say hello"}],
                temperature=0,
                stream=True,
            )
            chunks = [chunk async for chunk in stream]
            said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
            assert said == QUESTIONS["Say hello"]
            account = world.book.ledger.account(Payer(pair.account, MODEL))
            assert (account.spent, account.voucher.total) == (3 * PRICE, 3 * PRICE)
            kept = sorted(json.loads(path.read_text())["answer"] for path in door.answers.iterdir())
            assert kept == sorted([*[QUESTIONS[ASKED]] * 3, QUESTIONS["Say hello"]])
            evidence = json.loads(next(door.answers.iterdir()).read_text())
            record = answer_record(evidence, GENESIS)
            signature = bytes.fromhex(evidence["flock"]["signature"][2:])
            assert verify_signature(
                MULTI_SIGNATURE.decode_all(signature), HOST.account, record.payload()
            )

    world.run(run())


def forget_what_was_heard(directory: Path) -> None:
    stored = next(directory.glob("*-promises.json"))
    document = json.loads(stored.read_text())
    document["promises"][0]["spent"] = 0
    stored.write_text(json.dumps(document))


def test_a_crash_of_either_side_loses_at_most_the_call_that_was_not_signed(
    world: World, tmp_path: Path
) -> None:
    async def run() -> None:
        pair = key_pair_from_uri("//CrashingCaller")
        line, payer = Line(HOST.account, MODEL), Payer(pair.account, MODEL)
        async with gateway(world, tmp_path, pair) as door:
            await door.ask()
            # The caller dies after it signed and before the host heard of it.
            await door.promises.pay(line, PRICE)
        async with gateway(world, tmp_path, pair) as door:
            assert door.promises.of(line).signed == 2 * PRICE
            await door.ask()  # the same voucher pays
            assert door.promises.of(line).signed == 2 * PRICE
            # The caller dies after the host served and before it heard the answer.
            await door.ask()
        forget_what_was_heard(tmp_path)
        async with gateway(world, tmp_path, pair) as door:
            await door.ask()
            assert door.promises.of(line).signed == 4 * PRICE
        assert world.book.ledger.account(payer).spent == 4 * PRICE

    world.run(run())


def test_what_a_caller_is_told(world: World, tmp_path: Path) -> None:
    async def run() -> None:
        pair = key_pair_from_uri("//ToldCaller")
        async with gateway(world, tmp_path, pair, token="secret") as door:
            door.market.has_channel = False
            with pytest.raises(openai.APIStatusError, match="open one with `flockchain market"):
                await door.ask()
            with pytest.raises(openai.NotFoundError, match="the model 'other' is not served"):
                await door.ask(model="other")
            with pytest.raises(openai.AuthenticationError, match="started with --token"):
                await door.client.with_options(api_key="x").models.list()
            door.market.routes_now = door.market.routes_now[:1]
            with pytest.raises(openai.InternalServerError, match="no host of tiny can be reached"):
                await door.ask()
            async with (
                ClientSession(headers={"Origin": "http://a.page"}) as session,
                session.get(f"http://127.0.0.1:{door.gateway.port}/v1/models") as response,
            ):
                assert response.status == 403

    world.run(run())


def test_a_host_that_claims_more_than_was_signed_gets_nothing(world: World, tmp_path: Path) -> None:
    async def run() -> None:
        pair = key_pair_from_uri("//OverchargedCaller")
        async with gateway(world, tmp_path, pair) as door:
            await door.ask()
            payer = Payer(pair.account, MODEL)
            account = world.book.ledger.account(payer)
            world.book.ledger.accounts[payer] = replace(account, spent=9 * PRICE)
            with pytest.raises(openai.InternalServerError, match="are signed"):
                await door.ask()
            assert door.promises.of(Line(HOST.account, MODEL)).signed == 2 * PRICE

    world.run(run())


@pytest.mark.parametrize("said", ["", "-5", "1e9", "٣", "9" * 5_000])
def test_an_amount_that_is_none_is_the_hosts_fault(said: str) -> None:
    with pytest.raises(ApiError, match="as an amount in planck") as caught:
        _planck(said)
    assert caught.value.status == 502


def test_answers_that_nobody_signed_are_no_evidence() -> None:
    question = Question(GENESIS, HOST.account, HOST.account, MODEL, b"{}")
    for response in (b"", b"{}", b'{"choices":[]}', b'data: {"choices":[]}\n\ndata: [DONE]\n\n'):
        with pytest.raises(NotSigned, match="the answer is not signed"):
            check_response(question, response)


def test_an_answer_of_another_model_is_no_evidence() -> None:
    body, said = b"{}", b"yes"
    signed = AnswerSigner(HOST, GENESIS).sign(HOST.account, ROWS, body, said)
    response = orjson.dumps({"choices": [{"text": said.decode()}], "flock": signed})
    question = Question(GENESIS, HOST.account, HOST.account, ROWS, body)
    assert check_response(question, response)["answer"] == "yes"
    with pytest.raises(NotSigned, match="the signature is over another model"):
        check_response(replace(question, model=MODEL), response)


def test_the_same_words_to_other_questions_are_kept_beside_them(tmp_path: Path) -> None:
    folder, signer = EvidenceFolder(tmp_path), AnswerSigner(HOST, GENESIS)
    for body in (b"1", b"2", b"1"):
        folder.keep({"flock": signer.sign(HOST.account, MODEL, body, b"yes", seed=1)})
    assert len(list((tmp_path / "answers").iterdir())) == 2


def test_an_answer_that_cannot_be_kept_is_answered(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with gateway(world, tmp_path, key_pair_from_uri("//FullDisk")) as door:
            door.answers.rmdir()
            assert await door.ask() == QUESTIONS[ASKED]

    world.run(run())
    assert "an answer could not be kept" in caplog.text


def test_only_the_last_answers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flockchain.marketplace.evidence.KEPT_MAX", 2)
    folder = EvidenceFolder(tmp_path)
    for name in "abc":
        folder.keep({"flock": {"answer": name}})
    assert len(list((tmp_path / "answers").iterdir())) == 2
