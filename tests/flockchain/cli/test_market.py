"""`flockchain market` against a real node: from a host's stake to a settled voucher."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import Result

from flockchain.cli import market, market_cases
from flockchain.marketplace.credentials import read_key, sign
from flockchain.marketplace.signed_answers import AnswerSigner
from flockchain.sdk import BlockingClient
from runtime import frame
from runtime.constants import DEVNET
from runtime.frame.origin import signed
from runtime.pallets.marketplace import case_records
from runtime.pallets.marketplace.records import HostDay, Rater
from runtime.pallets.marketplace.seals import seal_rating
from runtime.primitives.content_id import cid_text, content_id
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import MULTI_SIGNATURE
from runtime.primitives.types import FML, Hash
from runtime.primitives.vouchers import Voucher
from runtime.runtime import Runtime
from tests.flockchain.cli.test_chain_commands import ALICE, BOB, RUNNER
from tests.flockchain.fast_chain import AUTHOR, fast_chain, genesis_of
from tests.runtime.pallets.world import terms

MODEL = blake2b_256(b"model")
CID, QUESTION = cid_text(MODEL), cid_text(blake2b_256(b"question"))
AS_HOST = ["--key", "//Alice", "--json"]
AS_CALLER = ["--key", "//Bob", "--json"]
LINE = ["--host", "//Alice", "--model", CID]


def with_model() -> dict[bytes, bytes]:
    """Block 0 with a model that won."""

    def record(runtime: Runtime) -> None:
        runtime.models.record_model(0, MODEL, 0, BOB.account, (1, 1), [])

    return genesis_with(record)


def with_raters() -> dict[bytes, bytes]:
    """Block 0 where Bob may rate two days of Alice's."""

    def record(runtime: Runtime) -> None:
        for day in range(2):
            runtime.market.days.put(
                (day, ALICE.account), HostDay(FML, 0, 1, [Rater(BOB.account, FML)])
            )

    return genesis_with(record)


def genesis_with(change: Callable[[Runtime], None]) -> dict[bytes, bytes]:
    """A changed block 0."""
    state = genesis_of([AUTHOR, ALICE, BOB])
    ext = frame.Externalities(frame.DictState(state))
    change(Runtime(ext, DEVNET))
    changed = {**state, **ext.changes()}
    return {key: value for key, value in changed.items() if value is not None}


def test_a_host_is_paid_and_a_request_is_answered(tmp_path: Path) -> None:
    async def run() -> None:
        async with fast_chain(tmp_path / "node", [ALICE, BOB], with_model()) as chain:
            chain.seal()
            chain.seal_when_asked()

            async def invoke(*words: str) -> Result:
                words = (*words, "--rpc", chain.url)
                return await asyncio.to_thread(RUNNER.invoke, market.app, words)

            async def told(*words: str) -> dict[str, object]:
                result = await invoke(*words)
                assert result.exit_code == 0, (words, result.output)
                found: dict[str, object] = json.loads(result.stdout)
                return found

            assert (await told("register", *AS_HOST))["stake"] == str(50 * FML)
            offered = ["offer", "--model", CID, "--endpoint", "https://h", "--price", "0.25 FML"]
            assert (await told(*offered, *AS_HOST))["task"] == 0
            (offer,) = (await told("hosts", "--json"))["offers"]  # type: ignore[misc]
            assert (offer["model"], offer["serves"]) == (CID, True)
            assert CID in (await invoke("hosts")).stdout
            await told("open", "2 FML", *LINE, *AS_CALLER)
            assert (await told("top-up", "1 FML", *LINE, *AS_CALLER))["deposit"] == str(3 * FML)
            voucher = Voucher(chain.backend.genesis, BOB.account, ALICE.account, MODEL, FML)
            signature = "0x" + MULTI_SIGNATURE.encode(sign(BOB, voucher)).hex()
            claim = ["--caller", "//Bob", "--model", CID, "--signature", signature]
            paid = await told("settle", "1 FML", *claim, *AS_HOST)
            assert (paid["paid"], paid["burned"]) == (str(FML), str(3 * FML // 10))
            (channel,) = (await told("channels", "//Bob", "--json"))["channels"]  # type: ignore[misc]
            assert channel["left"] == str(2 * FML)
            assert "2 FML" in (await invoke("channels", "//Bob")).stdout
            asked = ["request", QUESTION, "--model", CID, "--max-fee", "1 FML"]
            assert (await told(*asked, *AS_CALLER))["request"] == 0
            answered = await told("answer", "0", CID, *AS_HOST)
            assert answered["paid"] == str(FML // 4)
            due = await told("royalties", "--model", CID, *AS_CALLER)
            assert due["paid"] == str(FML // 10 + FML // 40)
            await told("stake", "40 FML", *AS_CALLER)
            await told("unstake", "10 FML", *AS_CALLER)
            await told("contribute", QUESTION, "--model", CID, *AS_CALLER)
            closing = await told("close", *LINE, *AS_CALLER)
            chain.seal(20 - chain.backend.best.number)
            sealed = await told("rate", "80", "--host", "//Alice", *AS_CALLER)
            while chain.backend.best.number % 20 < 8:
                chain.seal()
            opening = ["open-rating", "80", "--host", "//Alice", "--salt", str(sealed["salt"])]
            assert (await told(*opening, *AS_CALLER))["rating"] == 80
            chain.seal(int(str(closing["free_at_block"])) - chain.backend.best.number)
            back = await told("withdraw", *LINE, *AS_CALLER)
            assert back["returned"] == str(2 * FML)
            assert (await told("withdraw-offer", "--model", CID, *AS_HOST))["model"] == CID
            left = await told("leave", *AS_HOST)
            chain.seal(int(str(left["free_at_block"])) - chain.backend.best.number)
            assert (await told("take-stake", *AS_HOST))["returned"] == str(50 * FML)
            chain.runtime().try_state()

    asyncio.run(run())


def test_a_challenge_brings_what_was_asked_and_said(tmp_path: Path) -> None:
    file, body = tmp_path / "answer.json", b'{"prompt": "What?"}'

    async def run() -> None:
        async with fast_chain(tmp_path / "node", [ALICE, BOB], with_model()) as chain:
            chain.seal()
            chain.seal_when_asked()

            async def told(*words: str) -> Result:
                words = (*words, "--rpc", chain.url)
                return await asyncio.to_thread(RUNNER.invoke, market.app, words)

            assert (await told("register", *AS_HOST)).exit_code == 0
            signer = AnswerSigner(ALICE, chain.backend.genesis)
            signed = signer.sign(BOB.account, MODEL, body, b"That.", seed=5)
            caller = "0x" + BOB.account.hex()
            evidence = {"flock": signed, "caller": caller, "request": body.decode()}
            file.write_text(json.dumps({**evidence, "answer": "This."}))
            refused = await told("challenge", str(file), *AS_CALLER)
            assert "its texts are not those that are signed" in refused.stderr
            file.write_text(json.dumps({**evidence, "answer": "That."}))
            opened = await told("challenge", str(file), *AS_CALLER)
            assert json.loads(opened.stdout) == {"case": 0, "held": str(15 * FML)}
            for blob in (body, b"That."):
                assert chain.blobs.has(content_id(blob))
            shown = json.loads((await told("case", "0", "--json")).stdout)
            assert (shown["matter"], shown["stage"]) == ("answer", "drawing")
            assert (shown["bond"], shown["seed"]) == (str(10 * FML), 5)
            assert (shown["request"], shown["documents"]) == (cid_text(content_id(body)), None)
            assert shown["until_block"] - shown["blocks_left"] == chain.backend.best.number + 1
            text = (await told("case", "0")).stdout
            assert cid_text(content_id(b"That.")) in text

    asyncio.run(run())


def test_verdicts_are_words_or_two_scores() -> None:
    read = market_cases._verdict
    assert read("no-data") == case_records.NoData()
    assert read("0.95/0.930000001") == case_records.Scores(950_000_000, 930_000_001)
    assert read("1/0") == case_records.Scores(10**9, 0)
    told = market_cases._said(case_records.Juror(BOB.account, verdict=read("0.95/0.93")))
    assert told == "0.950000000/0.930000000"
    for text in ("maybe", "0.95", "1.1/0", "0.1234567891/0", "0.5/-1", "0.5/0.4/0.3"):
        with pytest.raises(typer.BadParameter, match="no two scores as"):
            read(text)


def test_refusals_are_told(tmp_path: Path) -> None:
    no_answer = tmp_path / "answer.json"
    no_answer.write_text("{}")

    async def run() -> None:
        async with fast_chain(tmp_path / "node", [ALICE, BOB], with_model()) as chain:
            chain.seal()
            chain.seal_when_asked()
            for words, reason in (
                (["open", "1 FML", *LINE, *AS_CALLER], "Marketplace.NotAHost"),
                (["answer", "0", CID, *AS_HOST], "there is no request 0"),
                (["withdraw-request", "0", *AS_HOST], "Marketplace.UnknownRequest"),
                (["enlist", "0", *AS_HOST], "Marketplace.NotAValidator"),
                (["stand-down", *AS_HOST], "Marketplace.NotAJuror"),
                (["judge", "0", "right", *AS_HOST], "Marketplace.UnknownCase"),
                (["case", "0"], "there is no case 0"),
                (["challenge", str(no_answer), *AS_HOST], "is no signed answer"),
                (["challenge", str(tmp_path / "none"), *AS_HOST], "cannot read"),
                (["stake", "0 FML", *AS_HOST], "above 0"),
            ):
                given = [*words, "--rpc", chain.url]
                result = await asyncio.to_thread(RUNNER.invoke, market.app, given)
                assert result.exit_code == 1, words
                assert reason in result.stderr, words

    asyncio.run(run())


def test_a_seal_of_a_day_that_ended_meanwhile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> Result:
        async with fast_chain(tmp_path / "node", [ALICE, BOB], with_raters()) as chain:
            chain.seal(25)
            chain.seal_when_asked()
            loop = asyncio.get_running_loop()

            async def pass_a_day() -> None:
                chain.seal(15)

            def slow_seal(*what: Any) -> Hash:
                asyncio.run_coroutine_threadsafe(pass_a_day(), loop).result()
                return seal_rating(*what)

            monkeypatch.setattr(market_cases, "seal_rating", slow_seal)
            words = ["rate", "80", "--host", "//Alice", *AS_CALLER, "--rpc", chain.url]
            return await asyncio.to_thread(RUNNER.invoke, market.app, words)

    result = asyncio.run(run())
    assert result.exit_code == 1
    assert "day 2 began meanwhile" in result.stderr


def test_hosts_and_offers_are_of_one_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for name in ("query", "query_map"):
        read = getattr(BlockingClient, name)

        def noted(*what: Any, read: Any = read, at: Hash | None = None) -> Any:
            seen.append(at)
            return read(*what, at=at)

        monkeypatch.setattr(BlockingClient, name, noted)

    async def run() -> Hash:
        async with fast_chain(tmp_path / "node", [ALICE, BOB]) as chain:
            chain.seal()
            words = ["hosts", "--rpc", chain.url]
            assert (await asyncio.to_thread(RUNNER.invoke, market.app, words)).exit_code == 0
            return chain.backend.best.hash

    assert seen == [asyncio.run(run())] * 3


def test_wrong_words_are_status_2() -> None:
    for words in (
        ["open-rating", "80", "--host", "//Alice", "--salt", "0x00", *AS_CALLER],
        ["open-verdict", "0", "maybe", "--salt", "0x" + "00" * 32, *AS_CALLER],
        ["rate", "101", "--host", "//Alice", *AS_CALLER],
        ["settle", "1 FML", "--caller", "//Bob", "--model", CID, "--signature", "0x", *AS_HOST],
    ):
        assert RUNNER.invoke(market.app, words).exit_code == 2, words


def test_a_key_is_for_a_host_a_model_and_a_time(tmp_path: Path) -> None:
    words = ["key", *LINE, "--limit", "2 FML", "--days", "5", *AS_CALLER]

    async def run() -> Result:
        async with fast_chain(tmp_path / "node", [ALICE, BOB]) as chain:
            chain.seal()
            return await asyncio.to_thread(RUNNER.invoke, market.app, [*words, "--rpc", chain.url])

    result = asyncio.run(run())
    assert result.exit_code == 0, result.output
    made = json.loads(result.stdout)
    key = read_key(made["key"])
    assert (key.grant.model, key.grant.limit, key.grant.expires_day) == (MODEL, 2 * FML, 5)
    assert (made["limit"], made["expires_day"]) == (str(2 * FML), 5)
    assert key.grant.caller != key.grant.host


CHILD, DATASET, WITHOUT = (blake2b_256(name) for name in (b"child", b"samples", b"without"))


def with_follow_up() -> dict[bytes, bytes]:
    """Block 0 where a model came of another, and a task trains on what Bob contributed before."""

    def record(runtime: Runtime) -> None:
        runtime.models.record_model(90, MODEL, 0, BOB.account, (1, 1), [])
        runtime.models.record_model(91, CHILD, 0, BOB.account, (1, 1), [MODEL])
        runtime.market.contribute(signed(BOB.account), DATASET, MODEL)
        runtime.system.number.put(1)
        follow_up = terms(training=[DATASET], parents=[MODEL])
        runtime.tasks.create_verified_task(frame.ROOT, ALICE.account, follow_up)
        runtime.system.number.put(0)

    return genesis_with(record)


def test_a_host_settles_many_and_follows_and_an_owner_has_data_measured(tmp_path: Path) -> None:
    async def run() -> None:
        async with fast_chain(tmp_path / "node", [ALICE, BOB], with_follow_up()) as chain:
            chain.seal()
            chain.seal_when_asked()

            async def told(*words: str) -> dict[str, object]:
                given = [*words, "--rpc", chain.url]
                result = await asyncio.to_thread(RUNNER.invoke, market.app, given)
                assert result.exit_code == 0, (words, result.output)
                found: dict[str, object] = json.loads(result.stdout)
                return found

            await told("register", *AS_HOST)
            assert (await told("add-stake", "5 FML", *AS_HOST))["stake"] == str(55 * FML)
            offered = ["offer", "--model", CID, "--endpoint", "https://h", "--price", "0.25 FML"]
            await told(*offered, "--follows", *AS_HOST)
            await told("open", "2 FML", *LINE, *AS_CALLER)
            voucher = Voucher(chain.backend.genesis, BOB.account, ALICE.account, MODEL, FML)
            signature = "0x" + MULTI_SIGNATURE.encode(sign(BOB, voucher)).hex()
            claim = {"caller": "//Bob", "model": CID, "total": "1 FML", "signature": signature}
            vouchers = tmp_path / "vouchers.json"
            vouchers.write_text(json.dumps([claim, claim]))
            paid = await told("settle-many", str(vouchers), *AS_HOST)
            assert (paid["settled"], paid["paid"], paid["burned"]) == (
                *(1, str(FML), str(3 * FML // 10)),
            )
            refusal = {"caller": BOB.address(), "model": CID, "reason": "NothingNew"}
            assert paid["refused"] == [refusal]
            moved = ["update-offer", "--model", CID, "--successor", cid_text(CHILD)]
            assert (await told(*moved, *AS_HOST))["successor"] == cid_text(CHILD)
            used = await told("use-contribution", cid_text(DATASET), "--task", "0", *AS_HOST)
            assert used == {"dataset": cid_text(DATASET), "task": 0}
            measured = ["measure-contribution", cid_text(DATASET), "--without", cid_text(WITHOUT)]
            assert await told(*measured, *AS_CALLER) == {"case": 0, "held": str(5 * FML)}
            await told("stake", "40 FML", *AS_CALLER)
            leaving = await told("unstake", "10 FML", *AS_CALLER)
            chain.seal(int(str(leaving["free_at_block"])) - chain.backend.best.number)
            assert (await told("withdraw-stake", *AS_CALLER))["returned"] == str(10 * FML)
            chain.runtime().try_state()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "cannot read"),
        ("[]", "is no list of 1 to 256 vouchers"),
        ('[{"caller": "//Bob"}]', "voucher 0: caller, model, total, signature are expected"),
        (
            json.dumps([{"caller": "//Bob", "model": CID, "total": "1 FML", "signature": "0x00"}]),
            "voucher 0: a signature has 65 bytes",
        ),
        (
            json.dumps(
                [{"caller": "//Bob", "model": CID, "total": "1", "signature": "0x09" + "0" * 128}]
            ),
            "voucher 0: ",
        ),
    ],
)
def test_what_is_no_list_of_vouchers_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "vouchers.json"
    file.write_text(text)
    result = RUNNER.invoke(market.app, ["settle-many", str(file), *AS_HOST])
    assert result.exit_code == 1
    assert reason in result.stderr
