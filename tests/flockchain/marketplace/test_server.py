"""The rest of a host's port: predictions, documents with citations, limits, signed answers."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import ClientSession

from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.marketplace.signed_answers import documents_bytes, labels_bytes
from ml.datasets.labelled import LabelledData
from ml.tasks.ready_task import ReadyTask
from runtime.frame.executive import verify_signature
from runtime.primitives.content_id import cid_text, content_id, parse_cid_text
from runtime.primitives.multi import MULTI_SIGNATURE
from runtime.primitives.types import Hash
from runtime.primitives.vouchers import Answer
from tests.flockchain.marketplace.market_world import (
    GENESIS,
    HOST,
    MODEL,
    PRICE,
    ROWS,
    World,
    api_key,
    voucher_header,
)

CHAT: dict[str, Any] = {
    "model": "tiny",
    "messages": [{"role": "user", "content": "Who pays hosts?"}],
    "temperature": 0,
    "seed": 5,
}


async def post(
    world: World, path: str, body: object, key: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    sent = {"Authorization": f"Bearer {key}", **(headers or {})}
    async with (
        ClientSession() as session,
        session.post(world.url + path, json=body, headers=sent) as response,
    ):
        return response.status, await response.json()


def answer_of(signed: dict[str, Any], pair: KeyPair) -> tuple[Answer, bool]:
    """The record that a response's `flock` says was signed, and whether it was, by the host."""
    named = signed["documents"]
    record = Answer(
        genesis=GENESIS,
        host=HOST.account,
        caller=pair.account,
        model=parse_cid_text(signed["model"]),
        request=Hash(parse_cid_text(signed["request"])),
        documents=Hash(bytes(32) if named is None else parse_cid_text(named)),
        seed=signed["seed"],
        answer=Hash(parse_cid_text(signed["answer"])),
    )
    signature = MULTI_SIGNATURE.decode_all(bytes.fromhex(signed["signature"][2:]))
    return record, verify_signature(signature, record.host, record.payload())


def test_predictions(world: World, digits: ReadyTask) -> None:
    async def run() -> None:
        pair = key_pair_from_uri("//Predictions")
        data = LabelledData.from_bytes(digits.validation_a, 64, 10)
        rows = data.features[:50].tolist()
        key = api_key(2 * PRICE, pair=pair, model=ROWS)
        status, answer = await post(world, "/predict", {"model": "rows", "inputs": rows}, key)
        assert status == 200
        found = [each["class"] for each in answer["data"]]
        right = sum(a == b for a, b in zip(found, data.labels[:50].tolist(), strict=True))
        assert right > 40
        assert abs(sum(answer["data"][0]["probabilities"]) - 1) < 1e-9
        record, is_signed = answer_of(answer["flock"], pair)
        assert is_signed
        labels = [{"label": each} for each in found]
        assert (record.model, record.answer) == (ROWS, content_id(labels_bytes(labels)))
        status, answer = await post(world, "/predict", {"model": "rows", "inputs": [[1, 2]]}, key)
        assert status == 400
        assert answer["error"]["message"] == "a row of this model has 64 numbers"
        status, answer = await post(world, "/predict", {"model": "rows", "inputs": "x"}, key)
        assert answer["error"]["param"] == "inputs"

    world.run(run())


def test_an_answer_is_signed_over_what_was_asked_and_said(world: World) -> None:
    async def run() -> None:
        pair = key_pair_from_uri("//Signed")
        key = api_key(2 * PRICE, pair=pair)
        status, answer = await post(world, "/chat/completions", CHAT, key)
        assert status == 200
        record, is_signed = answer_of(answer["flock"], pair)
        assert is_signed
        said = answer["choices"][0]["message"]["content"]
        assert (record.answer, record.seed) == (content_id(said.encode()), 5)
        _, again = await post(world, "/chat/completions", CHAT, key)
        assert answer_of(again["flock"], pair)[0] == record

    world.run(run())


def test_documents_are_searched_and_cited(world: World) -> None:
    async def run() -> None:
        pair = key_pair_from_uri("//Documents")
        birds = world.put_blob(b"Geese fly south.\n\nA goose lays eggs in spring.")
        fish = world.put_blob(b"Trout live in cold rivers.")
        asked = {
            **CHAT,
            "messages": [{"role": "user", "content": "When does a goose lay eggs?"}],
            "max_tokens": 1,
            "retrieval": {"documents": [cid_text(fish), cid_text(birds)], "top_k": 2},
        }
        key = api_key(2 * PRICE, pair=pair)
        status, answer = await post(world, "/chat/completions", asked, key)
        assert status == 200
        assert answer["citations"] == [
            {
                "number": 1,
                "document": cid_text(birds),
                "start": 18,
                "end": 46,
                "text": "A goose lays eggs in spring.",
            }
        ]
        record, is_signed = answer_of(answer["flock"], pair)
        assert is_signed
        assert record.documents == content_id(documents_bytes([fish, birds]))
        assert answer["usage"]["prompt_tokens"] > 100  # the passages are part of the prompt
        missing = {**asked, "retrieval": {"documents": [cid_text(bytes(32))]}}
        status, answer = await post(world, "/chat/completions", missing, key)
        assert (status, answer["error"]["param"]) == (400, "retrieval.documents")

    world.run(run())


def test_limits(world: World) -> None:
    async def run() -> None:
        pair = key_pair_from_uri("//Limits")
        key = api_key(5 * PRICE, pair=pair)
        status, answer = await post(world, "/completions", {"prompt": "x" * (1 << 20)}, key)
        assert (status, answer["error"]["message"]) == (
            413,
            "the body is longer than 1048576 bytes",
        )
        asked = {"model": "tiny", "prompt": "x", "max_tokens": 40, "temperature": 0}
        found = await asyncio.gather(*(post(world, "/completions", asked, key) for _ in range(5)))
        assert sorted(status for status, _ in found) == [200, 200, 200, 200, 429]
        status, answer = await post(world, "/completions", {**asked, "max_tokens": 5000}, key)
        assert answer["error"]["message"] == "max_tokens is not an integer of 1 to 4096"
        status, answer = await post(world, "/nothing", {}, key)
        assert (status, answer["error"]["type"]) == (404, "invalid_request_error")
        status, answer = await post(world, "/completions", [], key)
        assert answer["error"]["message"] == "the body is not a JSON object"

    world.run(run())


def test_a_voucher_pays_once(world: World) -> None:
    async def run() -> None:
        pair, other = key_pair_from_uri("//Once"), key_pair_from_uri("//Thief")
        key = api_key(pair=pair)
        asked = {"model": "tiny", "prompt": "x", "max_tokens": 1}

        async def status_of(headers: dict[str, str]) -> int:
            return (await post(world, "/completions", asked, key, headers))[0]

        good = voucher_header(PRICE, pair=pair)
        assert await status_of(good) == 200
        assert await status_of(good) == 402  # replayed
        assert await status_of(voucher_header(PRICE - 1, pair=pair)) == 402  # lower
        assert await status_of(voucher_header(9 * PRICE, pair=other)) == 401  # another caller's
        forged = voucher_header(9 * PRICE, pair=other, caller=pair.account)
        assert await status_of(forged) == 401
        for field in ("host", "model", "genesis"):  # foreign
            foreign = voucher_header(9 * PRICE, pair=pair, **{field: bytes(32)})
            assert await status_of(foreign) == 401
        assert await status_of(voucher_header(401 * PRICE, pair=pair)) == 402  # above the deposit
        assert await status_of({"X-Flock-Voucher": "?"}) == 401
        assert await status_of(voucher_header(2 * PRICE, pair=pair)) == 200
        claims = [
            claim for claim in world.book.ledger.claims(0) if claim.payer.caller == pair.account
        ]
        assert [(claim.payer.model, claim.total) for claim in claims] == [(MODEL, 2 * PRICE)]

    world.run(run())


def test_what_is_counted(world: World) -> None:
    async def run() -> None:
        key = api_key(PRICE, pair=key_pair_from_uri("//Counted"))
        before = world.server.metrics.expose().decode()
        await post(world, "/completions", {"model": "tiny", "prompt": "abc", "max_tokens": 2}, key)
        after = world.server.metrics.expose().decode()
        for name, more in (
            ('flockchain_market_tokens_total{direction="read",model="tiny"}', 3),
            ('flockchain_market_tokens_total{direction="written",model="tiny"}', 2),
            ('flockchain_market_charges_total{charge="paid",model="tiny"}', 1),
            (
                'flockchain_market_calls_total{model="tiny",path="/v1/completions",status="200"}',
                1,
            ),
        ):
            assert value_of(after, name) - value_of(before, name) == more, name

    world.run(run())


def value_of(text: str, name: str) -> float:
    found = [line for line in text.splitlines() if line.startswith(name)]
    return float(found[0].split()[-1]) if found else 0.0
