"""Masked rounds on a real chain: real training, masks, proofs; and a proposer that drops out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from ml.attacks.sums import SumCheat
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import RoundKey
from runtime.pallets.fl_alliance.stages import EndReason, Outcome, Stage, Standing, VoidReason
from runtime.primitives.types import Hash
from tests.flockchain.workers.alliance.alliance_chain import (
    TASK,
    alliance_chain,
    at_work,
    masked,
    participants,
    result_of,
    step,
    until_round,
)
from tests.flockchain.workers.alliance.test_proven_rounds import (
    Choice,
    played,
    proposers_of,
    standings,
)
from tests.flockchain.workers.digits_world import events_of


def test_participants_mask_prove_unmask_and_are_paid(tmp_path: Path) -> None:
    """Two rounds: the second starts from what was unmasked in the first, after recommitting."""

    async def run():  # type: ignore[no-untyped-def]
        async with alliance_chain(tmp_path, rounds=2, **masked()) as (chain, client):
            async with at_work(client, participants(), tmp_path / "state") as worker:
                while chain.runtime().alliance.get_task(TASK).ended is None:
                    await step(chain, worker)
                checked = {desk.memory.of_task(TASK).checked for desk, _, _ in worker._duties}
            return chain, checked

    chain, checked = asyncio.run(run())
    alliance = chain.runtime().alliance
    assert alliance.get_task(TASK).ended is EndReason.ALL_ROUNDS
    results = [result_of(chain, round_) for round_ in (0, 1)]
    assert [each.outcome for each in results if each] == [Outcome.ACCEPTED] * 2
    assert len(events_of(chain, events.SecretsShared)) == 8
    assert len(events_of(chain, events.SharesRevealed)) == 8
    assert not events_of(chain, events.WrongShareShown)
    assert alliance.rounds.get(RoundKey(TASK, 1)).base == results[0].aggregate
    assert results[0].aggregate.hex() in checked


def test_who_drops_out_after_sharing_stops_nobody(tmp_path: Path) -> None:
    """Its masks are in everybody's numbers; three of four reveal what strips them off."""
    choose: Choice = lambda made: {proposers_of(made)[2]: SumCheat.KEPT_BACK}
    chain, made = asyncio.run(played(tmp_path, choose, masked()))
    gone = made.record.proposers[2]
    assert chain.runtime().alliance.rounds.get(RoundKey(TASK, 0)).aggregate == 0b1011
    result = result_of(chain, 0)
    assert result is not None
    assert result.outcome is Outcome.ACCEPTED
    found = standings(chain)
    assert found.pop(gone) is Standing.ABSENT
    assert set(found.values()) == {Standing.GOOD}


@pytest.mark.long
def test_while_no_block_becomes_final_nobody_reveals_and_nobody_pays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finality stands still in UNMASK; before, for three blocks of PROPOSE, which harms nothing."""

    async def run():  # type: ignore[no-untyped-def]
        async with alliance_chain(tmp_path, rounds=1, **masked()) as (chain, client):
            finalize, waited = chain.backend.finalize, 0

            def stands_still(block: Hash) -> None:
                nonlocal waited
                progress = chain.runtime().alliance.progress.find(TASK)
                stage = None if progress is None else progress.stage
                waited += stage is Stage.PROPOSE
                if stage is not Stage.UNMASK and (stage is not Stage.PROPOSE or waited > 3):
                    finalize(block)

            monkeypatch.setattr(chain.backend, "finalize", stands_still)
            async with at_work(client, participants(), tmp_path / "state") as worker:
                return chain, await until_round(chain, 0, worker)

    chain, result = asyncio.run(run())
    assert len(events_of(chain, events.SumProved)) == 1
    assert result.void is VoidReason.NOT_UNMASKED
    assert not events_of(chain, events.SharesRevealed)
    assert set(standings(chain).values()) == {Standing.EXEMPT}


def test_restarts_between_all_phases(tmp_path: Path) -> None:
    """A new process every other block: secrets follow from the key, files lie on disk."""

    async def run():  # type: ignore[no-untyped-def]
        async with alliance_chain(tmp_path, rounds=1, **masked()) as (chain, client):
            while result_of(chain, 0) is None:
                members = [replace(each) for each in participants()]
                async with at_work(client, members, tmp_path / "state") as worker:
                    for _ in range(2):
                        await step(chain, worker)
            return result_of(chain, 0)

    assert asyncio.run(run()).outcome is Outcome.ACCEPTED
