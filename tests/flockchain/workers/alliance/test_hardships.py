"""No first model, rows that do not fit, members that left, proposals that one cannot have."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from nacl.public import PrivateKey

from flockchain.blobs.reference_string import name_of_setup
from flockchain.workers.alliance import voter
from flockchain.workers.alliance.memory import AllianceMemory
from flockchain.workers.alliance.sealed_update import UpdatePlace, open_update
from ml.round_work import RoundTask, first_model, zero_update_of
from runtime.frame.pallet import encode_call
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.records import NoData, RoundKey
from runtime.pallets.fl_alliance.stages import Outcome, Standing
from runtime.primitives.content_id import content_id
from tests.flockchain.fast_chain import FastChain
from tests.flockchain.workers.alliance.alliance_chain import (
    BITS,
    KEYS,
    TASK,
    alliance_chain,
    at_work,
    digits,
    own_string,
    participants,
    proven,
    step,
    until_round,
)
from tests.flockchain.workers.digits_world import submit

FEW = KEYS[:5]


def test_the_leader_makes_the_first_model_from_the_rounds_seed(tmp_path: Path) -> None:
    spec = digits().spec
    task = RoundTask(spec, BITS, b"", "cpu")
    zero = zero_update_of(task.read(first_model(spec, BITS, bytes(32))))

    async def run() -> FastChain:
        async with alliance_chain(tmp_path, has_model=False, zero_update=zero, rounds=1) as (
            chain,
            client,
        ):
            async with at_work(client, participants(FEW), tmp_path / "state") as worker:
                await until_round(chain, 0, worker)
            return chain

    chain = asyncio.run(run())
    record = chain.runtime().alliance.rounds.get(RoundKey(TASK, 0))
    assert record.base == content_id(first_model(spec, BITS, record.seed))
    assert chain.runtime().alliance.runs.get(TASK).model not in (None, record.base)


def test_a_model_of_another_size_than_is_declared_is_not_staked_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Commitments are to so many numbers as the task declares."""

    async def run() -> FastChain:
        terms = {**proven(), "parameters": 1_000}
        async with alliance_chain(tmp_path, **terms) as (chain, client):
            async with at_work(client, participants(FEW[:1]), tmp_path / "state") as worker:
                for _ in range(4):
                    await step(chain, worker)
            return chain

    chain = asyncio.run(run())
    assert not list(chain.runtime().alliance.members.items_of(TASK))
    assert "a model of 1210 numbers, not 1000" in caplog.text


def test_who_cannot_have_the_chains_reference_string_does_not_join(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Commitments under another string would be refused, and cost stake."""
    own = own_string()

    async def run() -> FastChain:
        async with alliance_chain(tmp_path, setup=own, **proven()) as (chain, client):
            chain.blobs.unpin(name_of_setup(own))
            chain.blobs.delete(name_of_setup(own))
            async with at_work(client, participants(FEW[:1]), tmp_path / "state") as worker:
                for _ in range(4):
                    await step(chain, worker)
            return chain

    chain = asyncio.run(run())
    assert not list(chain.runtime().alliance.members.items_of(TASK))
    assert "reference string failed" in caplog.text


def test_who_left_is_not_joined_again(tmp_path: Path) -> None:
    leaver = KEYS[0]

    async def run() -> FastChain:
        async with alliance_chain(tmp_path) as (chain, client):
            members = participants([leaver])
            async with at_work(client, members, tmp_path / "state") as worker:
                while not chain.runtime().alliance.members.contains((TASK, leaver.account)):
                    await step(chain, worker)
                await step(chain, worker)
                await submit(client, chain, encode_call(FlAlliance.leave, TASK), leaver)
                while chain.runtime().alliance.members.contains((TASK, leaver.account)):
                    await step(chain, worker)
            async with at_work(client, members, tmp_path / "state") as worker:
                for _ in range(4):
                    await step(chain, worker)
            return chain

    chain = asyncio.run(run())
    assert not list(chain.runtime().alliance.members.items_of(TASK))


def test_rows_that_do_not_fit_are_not_staked_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> FastChain:
        async with alliance_chain(tmp_path, unit_samples=1_000, zero_update=bytes(32)) as (
            chain,
            client,
        ):
            (member,) = participants(KEYS[:1])
            for odd in (member, replace(member, data=b"no rows")):
                directory = tmp_path / str(len(odd.data))
                async with at_work(client, [odd], directory) as worker:
                    for _ in range(3):
                        await step(chain, worker)
            return chain

    chain = asyncio.run(run())
    assert not list(chain.runtime().alliance.members.items_of(TASK))
    assert "the task names another zero update than its model has" in caplog.text


def test_a_voter_without_a_box_answers_that_it_has_no_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proposer cheats one voter: its box, of all, does not open."""

    def open_for_others(
        sealed: bytes, place: UpdatePlace, position: int, secret: PrivateKey, content: bytes
    ) -> bytes:
        secret = PrivateKey(bytes(32)) if position == 1 else secret  # behind one proposer
        return open_update(sealed, place, position, secret, content)

    monkeypatch.setattr(voter, "open_update", open_for_others)

    async def run() -> tuple[FastChain, bytes]:
        async with alliance_chain(tmp_path, rounds=1) as (chain, client), AsyncExitStack() as stack:
            workers = [
                await stack.enter_async_context(at_work(client, [member], tmp_path / "state"))
                for member in participants(FEW)
            ]
            await until_round(chain, 0, *workers)
            for _ in range(3):
                await step(chain, *workers)
            return chain, chain.runtime().alliance.rounds.get(RoundKey(TASK, 0)).voters[0]

    chain, victim = asyncio.run(run())
    views = chain.runtime().alliance.views
    made = views.round_info(TASK, 0)
    assert made is not None
    assert made.result is not None
    (vote,) = [each.record for each in made.voters if each.account == victim]
    standing = {entry.account: entry.payment.standing for entry in views.payments(TASK, 0)}
    assert vote.held == 0
    assert isinstance(vote.ballot, NoData)
    assert standing[victim] is Standing.EXEMPT
    assert made.result.outcome is Outcome.ACCEPTED


def test_a_proposal_that_is_lost_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The state directory of a proposer is emptied between its seal and the opening."""

    async def run() -> FastChain:
        async with alliance_chain(tmp_path, rounds=1) as (chain, client):
            async with at_work(client, participants(FEW), tmp_path / "state") as worker:
                while not _sealed(chain):
                    await step(chain, worker)
                for duty in worker._duties:
                    memory: AllianceMemory = duty[0].memory
                    memory._proposals.clear()
                await until_round(chain, 0, worker)
            return chain

    chain = asyncio.run(run())
    result = chain.runtime().alliance.results.get(RoundKey(TASK, 0))
    assert result.outcome is Outcome.VOID
    assert "what it sealed for round 0 of task 1 is not in the state directory" in caplog.text


def _sealed(chain: FastChain) -> bool:
    made = chain.runtime().alliance.views.round_info(TASK, 0)
    return made is not None and any(each.proposal.seal for each in made.proposers)
