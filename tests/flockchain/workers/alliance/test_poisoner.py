"""A malicious participant among honest ones loses stake, and the model stays good."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ml.round_work import score_of
from runtime.pallets.fl_alliance.stages import EndReason
from runtime.primitives.types import FML
from tests.flockchain.fast_chain import FastChain
from tests.flockchain.workers.alliance.alliance_chain import (
    KEYS,
    TASK,
    alliance_chain,
    at_work,
    digits,
    participants,
    step,
)

POISONER = KEYS[0]


def test_a_sign_flipper_loses_stake_and_accuracy_does_not_fall(tmp_path: Path) -> None:
    async def run() -> tuple[FastChain, dict[bytes, int], bytes]:
        async with alliance_chain(tmp_path, rounds=4) as (chain, client):
            members = participants(client1="strong-sign-flip")
            balances: dict[bytes, int] = {}
            async with at_work(client, members, tmp_path / "state") as worker:
                while chain.runtime().alliance.get_task(TASK).ended is None:
                    found = chain.runtime().alliance.members.items_of(TASK)
                    balances = {who: member.balance for who, member in found} or balances
                    await step(chain, worker)
                for _ in range(4):
                    await step(chain, worker)
            model = chain.runtime().alliance.runs.get(TASK).model
            assert model is not None
            data = chain.blobs.get(model)
            return chain, balances, data

    chain, balances, model = asyncio.run(run())
    assert chain.runtime().alliance.get_task(TASK).ended is EndReason.ALL_ROUNDS
    poisoner = balances.pop(POISONER.account)
    assert poisoner < 10 * FML < min(balances.values())
    around = [digits().around(shard) for shard in range(1, len(KEYS))]
    after = sum(score_of(each, model) for each in around)
    before = sum(score_of(each, digits().model) for each in around)
    assert after >= before
