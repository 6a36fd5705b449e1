"""Which requests a host takes up: those it can answer, also when forks and strangers come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from flockchain.marketplace.answering import Answering
from flockchain.marketplace.catalogue import Catalogue
from flockchain.marketplace.inference import Inference
from flockchain.marketplace.limits import Limits
from flockchain.marketplace.retrieval import Library
from flockchain.sdk import Client, Head
from flockchain.workers.actions import Actions
from flockchain.workers.jobs import Jobs
from flockchain.workers.request_answers import CONSIDERED_MAX, RequestAnswers
from runtime.api import runtime_at
from runtime.frame.externalities import DictState, Externalities
from runtime.primitives.content_id import content_id
from runtime.primitives.types import FML, Hash
from runtime.runtime import Runtime
from tests.flockchain.fast_chain import FastChain, fast_chain
from tests.flockchain.marketplace.market_world import (
    CALLER,
    HOST,
    MODEL,
    genesis_with,
    language_model,
)

OTHER = content_id(b"served by others")
UNREADABLE, MISSING = content_id(b"{}"), content_id(b"nobody has it")
Asked = tuple[bytes, bytes]  # model, question


def genesis_asking(asked: Sequence[Asked]) -> dict[bytes, bytes]:
    genesis = genesis_with([(MODEL, []), (OTHER, [])], [HOST, CALLER])
    ext = Externalities(DictState(genesis))
    runtime = Runtime(ext, runtime_at(DictState(genesis)).preset)
    for model, question in asked:
        runtime.market.inference.request(CALLER.account, None, model, question, FML)
    return dict(ext.pairs(b""))


@dataclass
class Asking:
    """A host's part that answers requests, beside a real node."""

    chain: FastChain
    client: Client
    jobs: Jobs
    answers: RequestAnswers
    changed: asyncio.Event

    async def step(self, block: Hash) -> None:
        """Have this block as the best one, and wait until what it started has ended."""
        header = self.chain.backend.header(block)
        assert header is not None
        head = Head(block, header)
        await self.answers.step(head, self.client.at(block))
        while self.jobs.running:
            await self.changed.wait()
            self.changed.clear()

    def failures(self, number: int) -> int:
        """How often the request with the missing question was tried."""
        return self.jobs.failures(("request", number, MISSING, MODEL))


@asynccontextmanager
async def asking(directory: Path, asked: Sequence[Asked]) -> AsyncIterator[Asking]:
    changed = asyncio.Event()
    async with (
        fast_chain(directory, [HOST, CALLER], genesis_asking(asked)) as chain,
        await Client.connect(chain.url) as client,
    ):
        chain.blobs.put(b"{}")
        jobs, actions, inference = Jobs(changed.set), Actions(client, changed.set), Inference("cpu")
        catalogue = Catalogue()
        catalogue.put(language_model(directory))
        answering = Answering(inference, Library(client.get_blob))
        served, work = (catalogue, answering), (jobs, actions)
        answers = RequestAnswers(client, HOST, served, work, Limits())
        try:
            yield Asking(chain, client, jobs, answers, changed)
        finally:
            await jobs.close()
            await actions.close()
            await inference.close()


@pytest.mark.parametrize("before", [(OTHER, MISSING), (MODEL, UNREADABLE), (MODEL, MISSING)])
def test_requests_that_it_cannot_answer_keep_no_other_waiting(
    tmp_path: Path, before: Asked
) -> None:
    last = CONSIDERED_MAX

    async def run() -> None:
        async with asking(tmp_path, [before] * last + [(MODEL, MISSING)]) as world:
            for _ in range(3):  # in the first two it may learn which those are
                await world.step(world.chain.backend.best.hash)
            assert world.failures(last) == 1

    asyncio.run(run())


def test_a_request_that_a_lost_fork_ended_waits_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with asking(tmp_path, [(MODEL, MISSING)]) as world:
            chain, start = world.chain, world.chain.backend.best.hash
            with monkeypatch.context() as patch:
                patch.setattr(chain.backend, "finalize", lambda block: None)
                await world.step(start)
                assert world.failures(0) == 1
                while chain.runtime().market.requests.contains(0):
                    chain.seal()  # until its time is over
                ended = chain.backend.best.hash
                await world.step(ended)
                world.jobs.forget(("request", 0, MISSING, MODEL))
                await world.step(start)
                assert world.failures(0) == 1
                await world.step(ended)
                assert world.answers._waiting == {0}
            chain.backend.finalize(ended)
            await world.step(ended)
            assert world.answers._waiting == set()

    asyncio.run(run())
