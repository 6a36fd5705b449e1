"""A whole digits task on a real chain, with real training, evaluation, RPC and blobs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.sdk import Client
from flockchain.workers.blob_folder import BlobFolder
from flockchain.workers.creator import keep_key
from flockchain.workers.publishing import TaskPackage, package_task
from flockchain.workers.training import Strength
from flockchain.workers.worker import Member, Worker, WorkerRole
from ml.tasks.digits import create_digits_task
from runtime.api import runtime_at
from runtime.economy.tasks import TaskStatus
from runtime.frame.pallet import encode_call
from runtime.pallets.arena.events import Paid
from runtime.pallets.arena.records import DayKey
from runtime.pallets.balances import Burned
from runtime.pallets.tasks import TaskCreated, Tasks
from runtime.pallets.transaction_payment import TransactionFeePaid
from runtime.primitives.types import FML
from tests.flockchain.fast_chain import ENDOWMENT, FastChain, fast_chain

CREATOR = key_pair_from_uri("//Creator", "ed25519")
STRONG, WEAK, NOISE = (key_pair_from_uri(f"//Trainer{n}", "sr25519") for n in (1, 2, 3))
VALIDATORS = [key_pair_from_uri(f"//Validator{n}", "ed25519") for n in (1, 2, 3)]
KEYS = [CREATOR, STRONG, WEAK, NOISE, *VALIDATORS]
BUDGET = 3_000 * FML
DAYS = 3

E = TypeVar("E")


def digits() -> TaskPackage:
    """The digits task, three days long."""
    made = create_digits_task(seed=7)
    return package_task(
        made.spec,
        (made.train,),
        made.validation_a,
        made.validation_b,
        bytes(range(32)),
        days=DAYS,
        seats=3,
        final_seats=3,
    )


def keep(package: TaskPackage, directory: Path) -> None:
    """What `flockchain task create` leaves for the creator's worker."""
    for blob in package.blobs:
        BlobFolder(directory).put(blob)
    keep_key(directory, package.key)


async def submit(client: Client, chain: FastChain, call: bytes, key: KeyPair) -> list[object]:
    """Submit a call and seal the block that takes it; the extrinsic's events."""
    in_pool = asyncio.Event()
    work = asyncio.create_task(client.submit(call, key, on_pool=in_pool.set))
    await in_pool.wait()
    chain.seal()
    return list((await work).events)


async def run_task(directory: Path) -> tuple[FastChain, int]:
    """The chain after the task's last block, and all FML before it."""
    members = [
        Member(CREATOR, WorkerRole.CREATOR),
        Member(STRONG, WorkerRole.TRAINER, Strength.STRONG),
        Member(WEAK, WorkerRole.TRAINER, Strength.WEAK),
        Member(NOISE, WorkerRole.TRAINER, Strength.NOISE),
        *(Member(key, WorkerRole.VALIDATOR) for key in VALIDATORS),
    ]
    async with fast_chain(directory / "node", KEYS) as chain:
        chain.seal()
        issued = chain.runtime().balances.issuance()
        package = digits()
        keep(package, directory / "state")
        async with await Client.connect(chain.url) as client:
            call = encode_call(Tasks.create_task, package.terms, BUDGET)
            events = await submit(client, chain, call, CREATOR)
            assert any(isinstance(event, TaskCreated) for event in events)
            async with Worker(client, members, directory / "state", device="cpu") as worker:
                working = asyncio.create_task(worker.run())
                while chain.runtime().tasks.get_task(0).status.is_live():
                    async with asyncio.timeout(60):
                        await worker.settled(chain.backend.best.hash)
                    chain.seal()
                    chain.runtime().try_state()
                working.cancel()
                with suppress(asyncio.CancelledError):
                    await working
        return chain, issued


def events_of(chain: FastChain, kind: type[E]) -> list[E]:
    """All events of a kind since genesis."""
    found: list[E] = []
    for number in range(1, chain.backend.best.number + 1):
        block = chain.backend.blocks.hash_at(number)
        assert block is not None
        records = runtime_at(chain.backend.state_at(block)).system.events.get()
        found += [record.event for record in records if isinstance(record.event, kind)]
    return found


def paid(chain: FastChain) -> dict[bytes, int]:
    """All that the arena paid, by receiver."""
    sums: dict[bytes, int] = {}
    for event in events_of(chain, Paid):
        sums[event.who] = sums.get(event.who, 0) + event.amount
    return sums


def test_trainers_and_validators_are_paid_for_a_whole_task(tmp_path: Path) -> None:
    chain, issued = asyncio.run(run_task(tmp_path))
    runtime = chain.runtime()
    task = runtime.tasks.get_task(0)
    assert task.status is TaskStatus.COMPLETED
    assert task.key == bytes(range(32))

    results = [runtime.arena.day_results.get(DayKey(0, day)) for day in (1, 2, 3)]
    for result in results:
        assert [node.owner for node in result.ranking] == [STRONG.account, WEAK.account]
        assert result.slashed == 0
        assert result.scored == 3

    rewards = paid(chain)
    assert set(rewards) == {key.account for key in (STRONG, WEAK, *VALIDATORS)}
    assert rewards[STRONG.account] > rewards[WEAK.account] > 0
    assert sum(rewards.values()) == BUDGET

    model = runtime.models.models.get(0)
    assert model.owner == STRONG.account
    runtime.try_state()
    burned = sum(event.amount for event in events_of(chain, Burned))
    assert burned == len(KEYS[1:]) * 3 * FML  # 30 % of each registration fee
    fees = sum(event.actual_fee for event in events_of(chain, TransactionFeePaid))
    assert 0 <= issued - burned - runtime.balances.issuance() <= fees  # the fees' burned part
    assert runtime.balances.total_minted.get() == 0
    assert chain.free(NOISE) < ENDOWMENT
