"""Rounds of the FL Alliance on a real chain, with real training, judging, RPC and blobs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runtime.pallets.fl_alliance.events import EndReason
from runtime.pallets.fl_alliance.stages import Outcome
from tests.flockchain.fast_chain import FastChain
from tests.flockchain.workers.alliance.alliance_chain import (
    TASK,
    alliance_chain,
    at_work,
    participants,
    result_of,
    step,
)


@pytest.fixture
def processes() -> None:
    """The worker has its own, as those that people run."""


def test_participants_train_vote_and_are_paid(tmp_path: Path) -> None:
    async def run() -> FastChain:
        async with alliance_chain(tmp_path, rounds=2) as (chain, client):
            async with at_work(client, participants(), tmp_path / "state") as worker:
                while chain.runtime().alliance.get_task(TASK).ended is None:
                    await step(chain, worker)
                for _ in range(4):
                    await step(chain, worker)
            return chain

    chain = asyncio.run(run())
    alliance = chain.runtime().alliance
    assert alliance.get_task(TASK).ended is EndReason.ALL_ROUNDS
    results = [result_of(chain, round_) for round_ in (0, 1)]
    assert [each.outcome for each in results if each] == [Outcome.ACCEPTED] * 2
    assert not list(alliance.members.items_of(TASK)), "all claimed"
