"""What validators say beside a plain score, on a real chain: fingerprints in a task that compares
behaviour, and a Dataset B that is not what its creator promised, or cannot be had."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from flockchain.keys import key_pair_from_uri
from flockchain.sdk import Client
from flockchain.workers.blob_folder import BlobFolder
from flockchain.workers.built_in import digits_package
from flockchain.workers.creator import keep_key
from flockchain.workers.publishing import TaskPackage
from flockchain.workers.sealed_dataset import seal_dataset
from flockchain.workers.worker import Member, WorkerRole
from runtime.economy.tasks import TaskStatus
from runtime.frame.pallet import encode_call
from runtime.pallets.arena.records import (
    Behaviour,
    DayKey,
    Fingerprinted,
    NoData,
    Verdict,
    WrongData,
)
from runtime.pallets.tasks import Tasks
from runtime.pallets.tasks.records import DatasetMismatched
from tests.flockchain.fast_chain import FastChain, fast_chain
from tests.flockchain.workers.digits_world import (
    BUDGET,
    CREATOR,
    KEY_B,
    events_of,
    step,
    submit,
    working,
)

TRAINER = key_pair_from_uri("//Trainer1", "sr25519")
VALIDATORS = [key_pair_from_uri(f"//Validator{n}", "ed25519") for n in (1, 2)]
MEMBERS = [
    Member(CREATOR, WorkerRole.CREATOR),
    Member(TRAINER, WorkerRole.TRAINER),
    *(Member(key, WorkerRole.VALIDATOR) for key in VALIDATORS),
]
FINAL_DAY = 2


def dishonest_package(*, is_withheld: bool) -> TaskPackage:
    """A task whose set B never leaves its creator, or is another than the terms name."""
    package = digits_package(
        KEY_B, title="Digits", seed=7, days=2, seats=3, final_seats=3, duplicate_distance=4
    )
    *blobs, _ = package.blobs
    if is_withheld:
        return replace(package, blobs=tuple(blobs))
    ciphertext, sealed = seal_dataset(b"rows that nobody was told of", KEY_B)
    promised = replace(sealed, plaintext=package.terms.validation_b.plaintext)
    terms = replace(package.terms, validation_b=promised)
    return replace(package, terms=terms, blobs=(*blobs, ciphertext))


async def play(directory: Path, package: TaskPackage) -> FastChain:
    """The chain after the task's last block."""
    state = directory / "state"
    for blob in package.blobs:
        BlobFolder(state).put(blob)
    keep_key(state, package.key)
    async with fast_chain(directory / "node", [CREATOR, TRAINER, *VALIDATORS]) as chain:
        chain.seal()
        async with await Client.connect(chain.url) as client:
            call = encode_call(Tasks.create_task, package.terms, BUDGET)
            await submit(client, chain, call, CREATOR)
            async with working(client, MEMBERS, state) as worker:
                while chain.runtime().tasks.get_task(0).status.is_live():
                    await step(chain, worker)
        return chain


def verdicts_of(chain: FastChain, day: int) -> set[Verdict]:
    """The different verdicts that three seats gave."""
    found = chain.runtime().arena.ballots.items_of(DayKey(0, day))
    ballots = [ballot for _, given in found for ballot in given]
    assert sum(ballot.weight for ballot in ballots) == 3
    return {ballot.verdict for ballot in ballots}


@pytest.mark.parametrize(
    ("is_withheld", "verdict"), [(False, WrongData()), (True, NoData())], ids=["wrong", "withheld"]
)
def test_validators_say_what_is_wrong_with_dataset_b(
    tmp_path: Path, is_withheld: bool, verdict: Verdict
) -> None:
    chain = asyncio.run(play(tmp_path, dishonest_package(is_withheld=is_withheld)))
    runtime, key = chain.runtime(), DayKey(0, FINAL_DAY)
    assert verdicts_of(chain, FINAL_DAY) == {verdict}
    (first,) = verdicts_of(chain, 1)  # all agree on score and fingerprint
    assert isinstance(first, Fingerprinted)
    assert first.value > 800_000_000
    ((_, behaviour),) = runtime.arena.behaviours.items_of(DayKey(0, 1))
    assert behaviour == Behaviour(first.fingerprint)
    burned = [event.burned for event in events_of(chain, DatasetMismatched)]
    stake = runtime.preset.creator_stake
    assert burned == ([] if is_withheld else [stake])
    assert runtime.tasks.get_task(0).status is TaskStatus.COMPLETED
    assert runtime.arena.day_results.get(key).slashed == 0
    assert [node.owner for node in runtime.arena.day_results.get(DayKey(0, 1)).ranking] == [
        TRAINER.account
    ]
    runtime.try_state()
