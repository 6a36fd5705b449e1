"""A whole digits task on a real chain, with real training, evaluation, RPC and blobs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from flockchain.keys import key_pair_from_uri
from flockchain.sdk import Client
from flockchain.workers.strengths import Method, Strength
from flockchain.workers.worker import Member, WorkerRole
from runtime.economy.tasks import TaskStatus
from runtime.pallets.arena.events import Paid, SubmissionCommitted, SubmissionRevealed
from runtime.pallets.arena.records import DayKey
from runtime.pallets.balances import Burned
from runtime.pallets.transaction_payment import TransactionFeePaid
from runtime.primitives.types import FML
from tests.flockchain.fast_chain import ENDOWMENT, FastChain, fast_chain
from tests.flockchain.workers.digits_world import (
    BUDGET,
    CREATOR,
    KEY_B,
    create_task,
    events_of,
    step,
    working,
)

STRONG, WEAK, NOISE = (key_pair_from_uri(f"//Trainer{n}", "sr25519") for n in (1, 2, 3))
VALIDATORS = [key_pair_from_uri(f"//Validator{n}", "ed25519") for n in (1, 2, 3)]
KEYS = [CREATOR, STRONG, WEAK, NOISE, *VALIDATORS]
DAYS = 3


@pytest.fixture
def processes() -> None:
    """The worker has its own, as those that people run."""


async def run_task(directory: Path) -> tuple[FastChain, int, set[bytes]]:
    """The chain after the task's last block, all FML before it, and all keys of models."""
    keys: set[bytes] = set()
    members = [
        Member(CREATOR, WorkerRole.CREATOR),
        Member(STRONG, WorkerRole.TRAINER, Method(Strength.STRONG)),
        Member(WEAK, WorkerRole.TRAINER, Method(Strength.WEAK)),
        Member(NOISE, WorkerRole.TRAINER, Method(Strength.NOISE)),
        *(Member(key, WorkerRole.VALIDATOR) for key in VALIDATORS),
    ]
    async with fast_chain(directory / "node", KEYS) as chain:
        chain.seal()
        issued = chain.runtime().balances.issuance()
        async with await Client.connect(chain.url) as client:
            await create_task(client, chain, directory / "state", DAYS)
            async with working(client, members, directory / "state") as worker:
                while chain.runtime().tasks.get_task(0).status.is_live():
                    ensure_models_are_secret(chain)
                    keys |= keys_in(directory / "state")
                    await step(chain, worker)
                ensure_models_are_secret(chain)
                await step(chain, worker)  # whose worker has seen the end
                await step(chain, worker)
        return chain, issued, keys


def keys_in(state: Path) -> set[bytes]:
    """The keys of the models that the worker's state files hold."""
    documents = [json.loads(path.read_text()) for path in state.glob("*.json")]
    return {bytes.fromhex(kept["key"]) for each in documents for kept in each["models"].values()}


def contents(chain: FastChain) -> set[bytes]:
    """The content ids of all submitted models, in plain."""
    return {made.content for _, made in chain.runtime().arena.submissions.items_of(0)}


def ensure_models_are_secret(chain: FastChain) -> None:
    """No model has been uploaded in plain, not even to the trainer's own node."""
    assert not contents(chain) & set(chain.blobs.ids())


def check_secrets(chain: FastChain, keys: set[bytes]) -> None:
    """In the end the winner's model is public and no other one, and no key ever was."""
    public = contents(chain) & set(chain.blobs.ids())
    assert public == {chain.runtime().models.models.get(0).content}
    assert len(keys) >= 5  # of three trainers over two days
    for number in range(1, chain.backend.best.number + 1):
        block = chain.backend.blocks.hash_at(number)
        assert block is not None
        body = chain.backend.blocks.body(block)
        assert body is not None
        assert not any(key in extrinsic for key in keys for extrinsic in body)


def paid(chain: FastChain) -> dict[bytes, int]:
    """All that the arena paid, by receiver."""
    sums: dict[bytes, int] = {}
    for event in events_of(chain, Paid):
        sums[event.who] = sums.get(event.who, 0) + event.amount
    return sums


def test_trainers_and_validators_are_paid_for_a_whole_task(tmp_path: Path) -> None:
    chain, issued, keys = asyncio.run(run_task(tmp_path))
    runtime = chain.runtime()
    task = runtime.tasks.get_task(0)
    assert task.status is TaskStatus.COMPLETED
    assert task.key == KEY_B

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
    check_announcements(chain)
    check_secrets(chain, keys)
    runtime.try_state()
    burned = sum(event.amount for event in events_of(chain, Burned))
    assert burned == len(KEYS[1:]) * 3 * FML  # 30 % of each registration fee
    fees = sum(event.actual_fee for event in events_of(chain, TransactionFeePaid))
    assert 0 <= issued - burned - runtime.balances.issuance() <= fees  # the fees' burned part
    assert runtime.balances.total_minted.get() == 0
    assert chain.free(NOISE) < ENDOWMENT


def check_announcements(chain: FastChain) -> None:
    """Each submission's commitment was told alone first, then with the blob that it was of."""
    committed = {event.seal: event for event in events_of(chain, SubmissionCommitted)}
    opened = {event.submission: event for event in events_of(chain, SubmissionRevealed)}
    told = {seal: [m for m in chain.announced if m.commitment == seal] for seal in committed}
    assert sum(len(messages) for messages in told.values()) == len(chain.announced)
    for seal, event in committed.items():
        early, late = told[seal]
        revealed = opened[event.submission]
        assert (early.content, early.size) == (None, 0)
        assert (late.content, late.size) == (revealed.ciphertext, revealed.size_bytes)
        assert early.account == late.account
        assert early.period == late.period
