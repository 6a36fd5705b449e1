"""Rounds with an aggregator on a real chain, with real training, commitments, proofs and blobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ml.attacks.sums import SumCheat
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import RoundKey
from runtime.pallets.fl_alliance.stages import EndReason, FailureReason, Outcome, Standing
from runtime.pallets.fl_alliance.views import RoundInfo
from runtime.primitives.types import AccountId
from tests.flockchain.fast_chain import FastChain
from tests.flockchain.workers.alliance.alliance_chain import (
    TASK,
    alliance_chain,
    at_work,
    participants,
    proven,
    result_of,
    step,
    until_round,
)
from tests.flockchain.workers.digits_world import events_of

Choice = Callable[[RoundInfo], dict[AccountId, SumCheat]]


def round_of(chain: FastChain, number: int = 0) -> RoundInfo | None:
    return chain.runtime().alliance.views.round_info(TASK, number)


def aggregator_of(made: RoundInfo) -> AccountId:
    return made.record.voters[0]


def proposers_of(made: RoundInfo) -> list[AccountId]:
    return made.record.proposers


def standings(chain: FastChain) -> dict[AccountId, Standing]:
    views = chain.runtime().alliance.views
    return {entry.account: entry.payment.standing for entry in views.payments(TASK, 0)}


async def played(
    directory: Path, choose: Choice, terms: dict[str, object] | None = None
) -> tuple[FastChain, RoundInfo]:
    """A round in which those that are chosen when roles are known cheat from then on."""
    async with alliance_chain(directory, rounds=1, **(terms or proven())) as (chain, client):
        async with at_work(client, participants(), directory / "state") as worker:
            while (made := round_of(chain)) is None or not made.record.voters:
                await step(chain, worker)
        cheats = choose(made)
        members = [replace(each, cheat=cheats.get(each.key.account)) for each in participants()]
        async with at_work(client, members, directory / "state") as worker:
            await until_round(chain, 0, worker)
            for _ in range(3):
                await step(chain, worker)
    return chain, made


def test_participants_commit_prove_vote_and_are_paid(tmp_path: Path) -> None:
    async def run() -> tuple[FastChain, set[str]]:
        async with alliance_chain(tmp_path, rounds=2, **proven()) as (chain, client):
            async with at_work(client, participants(), tmp_path / "state") as worker:
                while chain.runtime().alliance.get_task(TASK).ended is None:
                    await step(chain, worker)
                checked = {desk.memory.of_task(TASK).checked for desk, _, _ in worker._duties}
                for _ in range(4):
                    await step(chain, worker)
            return chain, checked

    chain, checked = asyncio.run(run())
    alliance = chain.runtime().alliance
    assert alliance.get_task(TASK).ended is EndReason.ALL_ROUNDS
    results = [result_of(chain, round_) for round_ in (0, 1)]
    assert [each.outcome for each in results if each] == [Outcome.ACCEPTED] * 2
    assert not events_of(chain, events.AggregatorFailed)
    assert len(events_of(chain, events.SumProved)) == 2
    second = alliance.rounds.get(RoundKey(TASK, 1))
    assert second.base == results[0].aggregate  # type: ignore[union-attr]
    assert second.base.hex() in checked, "proposers recommitted to the sum behind their base"
    assert not list(alliance.members.items_of(TASK)), "all claimed"


@pytest.mark.parametrize(
    ("cheat", "reason"),
    [
        (SumCheat.OTHER_WEIGHT, FailureReason.BAD_PROOF),
        (SumCheat.OTHER_SUM, FailureReason.NO_OPENING),
    ],
)
def test_a_cheating_aggregator_is_caught_slashed_and_replaced_within_the_round(
    tmp_path: Path, cheat: SumCheat, reason: FailureReason
) -> None:
    """A client's weight is changed in what is proved, or a number of the sum that is handed out."""
    chain, made = asyncio.run(played(tmp_path, lambda made: {aggregator_of(made): cheat}))
    cheater, *others = made.record.voters
    (failed,) = events_of(chain, events.AggregatorFailed)
    assert (failed.who, failed.reason) == (cheater, reason)
    assert events_of(chain, events.SumProved)[-1].who == others[0]
    result = result_of(chain, 0)
    assert result is not None
    assert result.outcome is Outcome.ACCEPTED
    found = standings(chain)
    assert found.pop(cheater) is Standing.LOSING
    assert set(found.values()) == {Standing.GOOD}
    (slashed,) = events_of(chain, events.Slashed)
    assert slashed.who == cheater
    assert chain.runtime().alliance.runs.get(TASK).model == result.aggregate


def test_a_client_that_sends_what_it_did_not_commit_to_is_accused_and_out(tmp_path: Path) -> None:
    chain, made = asyncio.run(
        played(tmp_path, lambda made: {proposers_of(made)[1]: SumCheat.OTHER_NUMBER})
    )
    cheater = made.record.proposers[1]
    (fault,) = events_of(chain, events.ClientAtFault)
    assert (fault.who, fault.chunk) == (cheater, 0)
    assert not events_of(chain, events.AggregatorFailed)
    result = result_of(chain, 0)
    assert result is not None
    assert result.outcome is Outcome.ACCEPTED
    assert chain.runtime().alliance.rounds.get(RoundKey(TASK, 0)).aggregate == 0b1101
    found = standings(chain)
    assert found.pop(cheater) is Standing.LOSING
    assert set(found.values()) == {Standing.GOOD}


def test_a_client_that_hands_nothing_out_is_out_and_nobody_else_pays(tmp_path: Path) -> None:
    chain, made = asyncio.run(
        played(tmp_path, lambda made: {proposers_of(made)[2]: SumCheat.KEPT_BACK})
    )
    cheater = made.record.proposers[2]
    assert not events_of(chain, events.AggregatorFailed)
    assert chain.runtime().alliance.rounds.get(RoundKey(TASK, 0)).aggregate == 0b1011
    found = standings(chain)
    assert found.pop(cheater) is Standing.ABSENT
    assert set(found.values()) == {Standing.GOOD}
