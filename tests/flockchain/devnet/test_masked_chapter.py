"""The chapter of masked sums as it is told, by real workers, on a chain of one node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from flockchain.devnet.fl.cast import CREATOR
from flockchain.devnet.fl.data import Start
from flockchain.devnet.masked import MaskedChapter, chapter
from flockchain.devnet.person import Person
from flockchain.devnet.processes import Devnet
from flockchain.sdk import Client
from flockchain.workers.alliance.terms import ModelFacts
from ml.round_work import split_into_shards, zero_update_of
from runtime.primitives.content_id import content_id
from tests.flockchain.fast_chain import FastChain, fast_chain
from tests.flockchain.workers.alliance import alliance_chain
from tests.flockchain.workers.alliance.alliance_chain import digits, genesis_with_origin

SLOT_S = 1.5


class OneNode(Devnet):
    """Workers alone; the node is in this process."""

    one_url = ""

    def url(self, node: int = 0) -> str:
        return self.one_url


@asynccontextmanager
async def blocks_of(chain: FastChain) -> AsyncIterator[None]:
    """A block each slot, as a network makes them, for as long as it lasts."""

    ended = asyncio.Event()

    async def make() -> None:
        while not ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), SLOT_S)
            chain.seal()

    running = asyncio.create_task(make())
    try:
        yield
    finally:
        ended.set()
        await running


def deal(directory: Path, people: Sequence[Person]) -> Start:
    """What the Arena's chapter would have left, and the rows dealt out."""
    made, model = digits().made, digits().model
    base = digits().around().read(model)
    directory.mkdir()
    shards = {each.name: directory / each.name.replace(" ", "-") for each in people}
    parts = split_into_shards(made.train, len(people))
    for path, part in zip(shards.values(), parts, strict=True):
        path.write_bytes(part)
    facts = ModelFacts(zero_update_of(base), base.vector.numel())
    spec, unseen = digits().spec, made.validation_a
    return Start(content_id(spec), spec, content_id(model), model, unseen, facts, shards)


async def start_of(_: Client, directory: Path, people: Sequence[Person]) -> Start:
    return deal(directory, people)


@pytest.mark.long
def test_the_chapter_is_told_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(alliance_chain, "CREATOR", CREATOR)
    monkeypatch.setattr(chapter, "make_start", start_of)

    async def run() -> None:
        async with fast_chain(tmp_path / "node", [], genesis_with_origin()) as chain:
            chain.seal()
            async with await Client.connect(chain.url) as client:
                await client.put_blob(digits().spec, CREATOR)
                await client.put_blob(digits().model, CREATOR)
            (tmp_path / "logs").mkdir()
            devnet = OneNode(tmp_path, "one")
            devnet.one_url = chain.url
            try:
                async with blocks_of(chain):
                    await MaskedChapter(devnet, said.append).run()
            finally:
                devnet.stop()

    asyncio.run(run())
    assert "  the round was accepted, by a proof of 80 bytes over masked numbers" in said
    assert any(
        "dropped out with their masks in all numbers; 5 of 7 revealed" in each for each in said
    )
