"""OpenAI's own client, unmodified, against a host that serves a Llama which the test trained."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path

import openai
import pytest
import torch
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.marketplace.asked import read_generate
from flockchain.marketplace.errors import ApiError
from flockchain.marketplace.ledger import Payer
from ml.language.language_model import LanguageModel
from ml.language.sampling import GenerationError
from ml.serving.turns import Turns
from tests.flockchain.marketplace.market_world import (
    DAY,
    MODEL,
    PRICE,
    QUESTIONS,
    World,
    api_key,
    language_model,
    voucher_header,
)

ASKED = "What is FLock?"
MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": ASKED}]


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> KeyPair:
    """A caller of the test's own."""
    return key_pair_from_uri(f"//{request.node.name}")


def client_of(world: World, key: str) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=world.url, api_key=key, max_retries=0)


async def ask(client: AsyncOpenAI, model: str = "tiny", **changes: object) -> str:
    usual = {"model": model, "messages": MESSAGES, "temperature": 0}
    answer = await client.chat.completions.create(**{**usual, **changes})  # type: ignore[call-overload]
    return str(answer.choices[0].message.content)


def test_chats_whole_and_streamed(world: World, pair: KeyPair) -> None:
    async def run() -> None:
        client = client_of(world, api_key(2 * PRICE, pair=pair))
        assert [model.id async for model in await client.models.list()] == ["tiny", "birds", "rows"]
        assert (await client.models.retrieve("tiny")).owned_by == "flock"
        answer = await client.chat.completions.create(
            model="tiny", messages=MESSAGES, temperature=0
        )
        assert answer.choices[0].message.content == QUESTIONS[ASKED]
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage is not None
        assert answer.usage.completion_tokens == len(QUESTIONS[ASKED]) + 1
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + 31
        stream = await client.chat.completions.create(
            model="tiny",
            messages=MESSAGES,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        pieces = [c.choices[0].delta.content or "" for c in chunks if c.choices]
        assert "".join(pieces) == QUESTIONS[ASKED]
        assert len([piece for piece in pieces if piece]) == len(QUESTIONS[ASKED])
        assert chunks[-1].usage == answer.usage
        assert chunks[-2].choices[0].finish_reason == "stop"

    world.run(run())


def test_completions_and_embeddings(world: World, pair: KeyPair) -> None:
    async def run() -> None:
        client = client_of(world, api_key(2 * PRICE, pair=pair))
        completed = await client.completions.create(
            model="tiny",
            prompt="<|user|>Say hello<|end|><|assistant|>",
            temperature=0,
            max_tokens=7,
        )
        assert completed.choices[0].text == "Hellö,"  # seven bytes
        assert completed.choices[0].finish_reason == "length"
        vectors = await client.embeddings.create(model="tiny", input=["one", "two", "one"])
        lengths = [sum(x * x for x in each.embedding) for each in vectors.data]
        assert lengths == pytest.approx([1, 1, 1], abs=1e-6)
        assert vectors.data[0].embedding == vectors.data[2].embedding
        assert vectors.data[0].embedding != vectors.data[1].embedding

    world.run(run())


def test_a_seed_repeats_an_answer_whatever_else_runs(world: World, pair: KeyPair) -> None:
    async def run() -> None:
        client = client_of(world, api_key(6 * PRICE, pair=pair))
        more = {"temperature": 1.7, "max_tokens": 24}
        alone = [await ask(client, seed=1, **more), await ask(client, seed=2, **more)]
        together = await asyncio.gather(*(ask(client, seed=seed, **more) for seed in (1, 2, 1, 2)))
        assert together == [*alone, *alone]
        assert alone[0] != alone[1]

    world.run(run())


def test_refusals_are_the_clients_own_exceptions(world: World, pair: KeyPair) -> None:
    async def run() -> None:
        client = client_of(world, api_key(pair=pair))
        with pytest.raises(openai.APIStatusError, match="no free calls are left") as unpaid:
            await ask(client)
        assert unpaid.value.status_code == 402
        assert unpaid.value.code == "payment_required"
        assert unpaid.value.response.headers["X-Flock-Due"] == str(PRICE)
        with pytest.raises(openai.NotFoundError, match="the model 'other' is not served here"):
            await ask(client, "other")
        tool = {"type": "function", "function": {"name": "f"}}
        with pytest.raises(openai.BadRequestError, match="tools is not supported here"):
            await ask(client, tools=[tool])
        with pytest.raises(openai.AuthenticationError, match="a key begins with sk-flock-"):
            await ask(client.with_options(api_key="sk-other"))
        with pytest.raises(openai.AuthenticationError, match="the key is for another model"):
            await ask(client, "rows")

    world.run(run())


def test_what_is_refused_or_failed_is_not_charged(world: World, pair: KeyPair) -> None:
    async def run() -> None:
        client = client_of(world, api_key(pair=pair))
        paying = client.with_options(default_headers=voucher_header(PRICE, pair=pair))
        with pytest.raises(openai.BadRequestError, match="leave no room in the model's 512"):
            await ask(paying, messages=[{"role": "user", "content": "x" * 600}])
        assert await ask(paying) == QUESTIONS[ASKED]
        with pytest.raises(openai.APIStatusError, match="no free calls are left"):
            await ask(paying)

    world.run(run())


def test_free_calls_come_first_and_a_day_later_again(world: World, pair: KeyPair) -> None:
    async def run() -> None:
        world.view.current = replace(world.view.current, free_calls=2)
        client = client_of(world, api_key(pair=pair, expires_day=DAY + 1))

        async def charged() -> str:
            answer = await client.completions.with_raw_response.create(
                model="tiny", prompt="x", max_tokens=1
            )
            return str(answer.headers["X-Flock-Charge"])

        assert [await charged(), await charged()] == ["0", "0"]
        with pytest.raises(openai.APIStatusError, match="no free calls are left today"):
            await charged()
        next_day(world)
        assert await charged() == "0"
        next_day(world)
        with pytest.raises(openai.AuthenticationError, match="the key has expired"):
            await charged()

    world.run(run())


def next_day(world: World) -> None:
    world.view.current = replace(world.view.current, day=world.view.day + 1)


def test_adapters_share_a_base(world: World, pair: KeyPair) -> None:
    async def run() -> None:
        client = client_of(world, api_key(4 * PRICE, pair=pair))
        said = await asyncio.gather(*(ask(client, m) for m in ("tiny", "birds") * 2))
        assert said == [QUESTIONS[ASKED], "A flock of birds."] * 2

    world.run(run())


def test_a_host_goes_on_when_its_process_dies(world: World, pair: KeyPair) -> None:
    async def run() -> None:
        client = client_of(world, api_key(PRICE, pair=pair))
        dying, starts = world.inference.process_id, world.inference.starts
        assert dying is not None
        stream = await client.chat.completions.create(
            model="tiny", messages=MESSAGES, temperature=0, stream=True
        )
        await anext(stream)
        os.kill(dying, signal.SIGKILL)
        with pytest.raises(openai.APIError, match="the serving process ended"):
            _ = [chunk async for chunk in stream]
        # The failed call was given back: the key's limit is one call.
        assert await ask(client) == QUESTIONS[ASKED]
        assert world.inference.starts == starts + 1

    world.run(run())


def test_a_model_that_fails_to_reopen_does_not_leave_a_half_filled_process(
    world: World, pair: KeyPair
) -> None:
    async def run() -> None:
        client = client_of(world, api_key(PRICE, pair=pair))
        dying = world.inference.process_id
        assert dying is not None
        lost = replace(language_model(Path("/nowhere"), "lost"), digest=bytes(32))
        world.inference._open = {lost.text: lost, **world.inference._open}
        os.kill(dying, signal.SIGKILL)
        assert world.inference._reading is not None
        await world.inference._reading
        with pytest.raises(openai.InternalServerError, match="the model could not answer"):
            await ask(client)
        del world.inference._open[lost.text]
        assert await ask(client) == QUESTIONS[ASKED]  # it was not charged for before

    world.run(run())


def test_who_does_not_take_an_answer_pays_for_it(world: World, pair: KeyPair) -> None:
    async def run() -> None:
        calls, account = world.server._calls, Payer(pair.account, MODEL)
        caller = calls.accounts.authenticate(f"Bearer {api_key(9 * PRICE, pair=pair)}", None)
        body = b'{"model":"tiny","prompt":"x","max_tokens":2}'

        async def ended_by(error: Exception, *, pieces: int = 0) -> int:
            """What a call costs that this ends after so many pieces."""
            spent = world.book.ledger.account(account).spent
            with suppress(ApiError, ConnectionError, ZeroDivisionError):
                async with calls.enter(caller, "tiny") as paid:
                    answer = calls.generate(paid, read_generate(body, calls.limits), body)
                    async with aclosing(answer):
                        for _ in range(pieces):
                            await anext(answer)
                        raise error
            return world.book.ledger.account(account).spent - spent

        assert await ended_by(TimeoutError(), pieces=1) == PRICE  # a slow reader
        assert await ended_by(TimeoutError()) == 0
        assert await ended_by(ConnectionResetError(), pieces=1) == PRICE
        assert await ended_by(ZeroDivisionError(), pieces=1) == 0

    world.run(run())


def test_no_text_is_embedded_if_one_is_refused(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns(torch.device("cpu"))
    opening = {"op": "open", "id": 1, "model": "m", "kind": "language", "path": str(tiny_llama)}
    turns.handle(opening)
    embedded: list[object] = []
    monkeypatch.setattr(LanguageModel, "embed", lambda *each: embedded.append(each))
    with pytest.raises(GenerationError, match="tokens are outside the model's"):
        turns.handle({"op": "embed", "id": 2, "model": "m", "texts": ["a", "x" * 600]})
    assert embedded == []
