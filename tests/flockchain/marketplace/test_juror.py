"""Jurors at work on a real chain: a lie, an honest answer, withheld data, kill and restart."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from flockchain.keys import key_pair_from_uri
from flockchain.marketplace.credentials import sign
from flockchain.sdk import Client
from flockchain.workers.blob_folder import BlobFolder
from flockchain.workers.juror import Juries, _named
from flockchain.workers.state_file import SealedVerdict, WorkerState
from flockchain.workers.worker import Member, Worker, WorkerRole
from ml.devices import choose_device
from ml.language.bundle import pack_directory
from ml.serving.classifier import Classifier
from ml.strict_json import canonical_json
from runtime.economy.tasks import Hardware, Role
from runtime.frame.pallet import encode_call
from runtime.pallets.marketplace import Marketplace
from runtime.pallets.marketplace.case_records import VERDICT, Case, CaseStage, NoData, Right, Wrong
from runtime.pallets.tasks import Tasks
from runtime.primitives.content_id import content_id
from runtime.primitives.rational import Rational
from runtime.primitives.types import ZERO_HASH, AccountId, Hash
from runtime.primitives.vouchers import Answer
from tests.flockchain.fast_chain import FastChain, fast_chain
from tests.flockchain.marketplace.market_world import CALLER, HOST, QUESTIONS, genesis_with
from tests.flockchain.workers.digits_world import CREATOR, create_task, step, submit, working

JURORS = [key_pair_from_uri(f"//Juror{n}", "ed25519") for n in range(5)]
MEMBERS = [Member(key, WorkerRole.JUROR, juries=Juries.ENLIST) for key in JURORS]
ASKED = "What is FLock?"


@dataclass
class Court:
    """A chain with a host and five validators."""

    chain: FastChain
    client: Client
    models: tuple[bytes, bytes]  # a classifier, a language model

    async def challenge(self, model: bytes, body: bytes, said: bytes, **changes: Any) -> int:
        """Have a signed answer before a jury; what was asked and said is at the node."""
        for blob in (body, said):
            self.chain.blobs.put(blob)
        answer = Answer(
            self.client.genesis,
            *(HOST.account, CALLER.account, model, Hash(content_id(body)), ZERO_HASH),
            seed=0,
            answer=Hash(content_id(said)),
        )
        answer = replace(answer, **changes)
        number: int = self.chain.runtime().market.next_case.get()
        call = encode_call(Marketplace.challenge, answer, sign(HOST, answer))
        await submit(self.client, self.chain, call, CALLER)
        return number

    async def ask_late(self, worker: Worker, said: bytes) -> int:
        """A case whose request is at the node shortly before the last call; jurors sealed it."""
        late, chain = chat(max_tokens=64), self.chain
        case = await self.challenge(self.models[1], b"", said, request=Hash(content_id(late)))
        while self.case(case).stage is not CaseStage.SEALING:
            await step(chain, worker)
        while chain.backend.best.number < self.case(case).until - 13:
            await step(chain, worker)
        chain.blobs.put(late)
        while not all(each.seal for each in self.case(case).jurors):
            await step(chain, worker)
        assert chain.backend.best.number < self.case(case).until - 10  # with the next block
        return case

    def case(self, number: int) -> Case:
        """As it stands."""
        return self.chain.runtime().market.cases.get(number)

    def keep_verdict(self, number: int, who: AccountId, directory: Path) -> None:
        """Have a verdict on disk that is to replace what a juror sealed."""
        case = self.case(number)
        seal = next(each.seal for each in case.jurors if each.who == who)
        assert seal is not None
        again = VERDICT.encode(Wrong()).hex(), "07" * 32, "", seal.hex()
        state = WorkerState(directory, self.client.genesis, who)
        state.put_verdict(number, SealedVerdict(_named(case.matter), *again))
        state.close()

    async def ended(self, worker: Worker, *numbers: int) -> list[Case]:
        """These cases once they are decided."""
        while any(self.case(each).stage.value < CaseStage.UPHELD.value for each in numbers):
            await step(self.chain, worker)
        return [self.case(each) for each in numbers]


def chat(**changes: object) -> bytes:
    """A request for the likeliest answer."""
    messages = [{"role": "user", "content": ASKED}]
    return json.dumps({"model": "m", "messages": messages, "temperature": 0, **changes}).encode()


@asynccontextmanager
async def court(directory: Path, digits_model: Path, tiny: Path) -> AsyncIterator[Court]:
    """`Court`, on the day on which its validators registered."""
    weights = (digits_model / "model.safetensors").read_bytes()
    listed, files = pack_directory(tiny)
    models = content_id(weights), content_id(listed)
    keys = [CREATOR, HOST, CALLER, *JURORS]
    genesis = genesis_with([(model, []) for model in models], keys)
    async with (
        fast_chain(directory / "node", keys, genesis) as chain,
        await Client.connect(chain.url) as client,
    ):
        for blob in (weights, listed, *(path.read_bytes() for path in files.values())):
            chain.blobs.put(blob)
        await create_task(client, chain, directory / "creator", days=6)
        spec = BlobFolder(directory / "creator").find(chain.runtime().tasks.get_task(0).terms.spec)
        assert spec is not None
        chain.blobs.put(spec)
        await submit(client, chain, encode_call(Marketplace.register_host), HOST)
        stake = client.preset.validator_stake
        for key in JURORS:
            call = encode_call(
                Tasks.register, 0, Role.TASK_VALIDATOR, stake, Rational(0, 1), Hardware()
            )
            await submit(client, chain, call, key)
        yield Court(chain, client, models)


def verdicts(case: Case) -> list[object]:
    return [each.verdict for each in case.jurors]


def test_jurors_run_the_model_again(
    digits_model: Path, tiny_llama: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spec, weights = (
        (digits_model / name).read_bytes() for name in ("task.json", "model.safetensors")
    )
    rows = [[0.0] * 64, [0.5] * 64]
    found = Classifier(spec, weights, choose_device("cpu")).predict(rows)
    labels = [each.label for each in found]
    asked = json.dumps({"model": "m", "inputs": rows}).encode()
    caplog.set_level(logging.INFO)

    async def run() -> None:
        async with (
            court(tmp_path, digits_model, tiny_llama) as world,
            working(world.client, MEMBERS, tmp_path / "jurors") as worker,
        ):
            while world.chain.runtime().market.juror_count.get() < len(JURORS):
                await step(world.chain, worker)
            classifier, language = world.models
            said = QUESTIONS[ASKED].encode()
            numbers = [
                await world.challenge(classifier, asked, canonical_json(labels)),
                await world.challenge(
                    classifier, asked, canonical_json([label + 1 for label in labels])
                ),
                await world.challenge(language, chat(), said),
                await world.challenge(language, chat(), said + b"!"),
                await world.challenge(language, chat(tools=[{}]), said),
                await world.challenge(language, chat(), said, request=Hash(b"\x55" * 32)),
            ]
            stake = world.chain.runtime().market.hosts.get(HOST.account).stake
            numbers.append(await world.ask_late(worker, said))
            sealed = {each.seal is None for each in world.case(5).jurors}
            assert sealed == {True}  # what may come yet is waited for
            while world.case(5).jurors[0].seal is None:
                await step(world.chain, worker)
            assert all(each.seal for each in world.case(5).jurors)
            cases = await world.ended(worker, *numbers)
            await step(world.chain, worker)
            assert [verdicts(case) for case in cases] == [
                *([Right()] * 5, [Wrong()] * 5, [Right()] * 5, [Wrong()] * 5, [Wrong()] * 5),
                *([NoData()] * 5, [Right()] * 5),
            ]
            assert [case.stage for case in cases] == [
                CaseStage.UPHELD if verdicts(case)[0] == Wrong() else CaseStage.REJECTED
                for case in cases
            ]
            host = world.chain.runtime().market.hosts.get(HOST.account)
            assert (host.stake, host.cases) == (stake * 64 // 125, 0)  # a fifth, three times
            assert world.chain.runtime().market.juror_count.get() == len(JURORS)
            assert len(list((tmp_path / "jurors" / "court" / "models").iterdir())) == 2
            assert worker._court._inference.starts == 1
            assert worker._court._inference.process_id is not None
            with pytest.raises(ProcessLookupError):  # idle courts have no process
                os.kill(worker._court._inference.process_id, 0)

    asyncio.run(run())
    lines = [r.getMessage() for r in caplog.records if r.name == "flockchain.workers.juror"]
    for number, why in enumerate(("says the same", "says bagaq", "says the same", "says bagaq")):
        assert sum(f"on case {number}:" in line and why in line for line in lines) == 5
    assert (
        sum("on case 4: Wrong, since no host answers this request" in line for line in lines) == 5
    )
    assert sum("on case 5: NoData, since the request cannot be had" in line for line in lines) == 5


def test_a_verdict_outlives_its_worker(
    digits_model: Path, tiny_llama: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours, others = MEMBERS[:3], MEMBERS[3:]

    async def run() -> None:
        async with court(tmp_path, digits_model, tiny_llama) as world:
            chain, client, model = world.chain, world.client, world.models[1]

            def sealed() -> list[bytes | None]:
                return [each.seal for each in world.case(0).jurors]

            async with working(client, MEMBERS, tmp_path / "jurors") as worker:
                while chain.runtime().market.juror_count.get() < len(JURORS):
                    await step(chain, worker)
                await world.challenge(model, chat(seed=3), b"no matter", seed=4)
                while not world.case(0).jurors or None in sealed():
                    await step(chain, worker)
            before = sealed()
            async with working(client, [Member(CALLER, WorkerRole.JUROR)], tmp_path) as idle:
                idle._court._is_at_work = True
                await step(chain, idle)
                assert not idle._court._is_at_work  # whoever sits in no case rests beside it
            # One of two keys was killed before its second seal was in a block.
            world.keep_verdict(0, JURORS[3].account, tmp_path / "new")
            # The state of two keys is lost: they judge anew, and what they had kept is no use.
            async with working(client, others, tmp_path / "new") as worker:
                while sum(a == b for a, b in zip(before, sealed(), strict=True)) > len(ours):
                    await step(chain, worker)
            async with working(client, MEMBERS, tmp_path / "jurors") as worker:
                (case,) = await world.ended(worker, 0)
                await step(chain, worker)
            assert sorted(map(str, verdicts(case))) == sorted(map(str, [Wrong()] * 3 + [None] * 2))
            assert case.stage is CaseStage.UPHELD
            assert chain.runtime().market.juror_count.get() == 3
            assert [each._told for each in worker._jurors] == [set()] * 5  # of cases that ended

    asyncio.run(run())
    lines = [r.getMessage() for r in caplog.records if r.name == "flockchain.workers.juror"]
    for text in (
        "was sealed by another worker with this key",
        "is not in the state directory, it cannot be opened",
        "was silent when it was drawn, and cannot stand ready before day",
    ):
        assert sum(text in line for line in lines) == len(others), text
