"""A validator that copies another's sealed scores, on a real chain."""

from __future__ import annotations

import asyncio
from pathlib import Path

from nacl.public import PrivateKey

from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.sdk import CallFailed, Client
from flockchain.workers.worker import Behaviour, Member, WorkerRole
from runtime.economy.tasks import Hardware, Role
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.events import Paid, ScoresCommitted, ScoresRevealed
from runtime.pallets.arena.records import Account, DayKey, GivenScore, Score, SubmittedModel
from runtime.pallets.arena.seals import seal_scores, seal_submission
from runtime.pallets.delegation.records import Slashed
from runtime.pallets.system import ExtrinsicFailed
from runtime.pallets.tasks import Tasks
from runtime.primitives.rational import Rational
from tests.flockchain.fast_chain import FastChain, fast_chain
from tests.flockchain.workers.digits_world import (
    CREATOR,
    create_task,
    events_of,
    step,
    submit,
    working,
)

TRAINER, HONEST, COPIER = (key_pair_from_uri(f"//{n}", "ed25519") for n in ("T", "H", "C"))
KEYS = [CREATOR, TRAINER, HONEST, COPIER]
DAY, FIRST = 1, 20
CONTENT, SALT = bytes(32), bytes(range(32))
SEALING_KEY = PrivateKey(SALT).public_key.encode()
MODEL = SubmittedModel(CONTENT, CONTENT, 1_000)
MEMBERS = [Member(COPIER, WorkerRole.VALIDATOR, behaviour=Behaviour.COPIER)]


async def register(client: Client, chain: FastChain, key: KeyPair, role: Role, stake: int) -> None:
    call = encode_call(Tasks.register, 0, role, stake, Rational(0, 1), Hardware(memory_gib=64))
    await submit(client, chain, call, key)


async def live_through(directory: Path) -> FastChain:
    """A day on which one validator works by hand, and the worker copies."""
    async with fast_chain(directory / "node", KEYS) as chain:
        chain.seal()
        async with await Client.connect(chain.url) as client:
            # More seats than both may have together: whatever the beacon, each has some.
            await create_task(client, chain, directory / "state", days=2, seats=20)
            for blob in (directory / "state" / "blobs").iterdir():
                await client.put_blob(blob.read_bytes(), CREATOR)
            stake = client.preset.validator_stake
            await register(client, chain, TRAINER, Role.TRAINING_NODE, client.preset.node_stake)
            await register(client, chain, HONEST, Role.TASK_VALIDATOR, stake)
            sealing = encode_call(Arena.set_sealing_key, SEALING_KEY)
            await submit(client, chain, sealing, HONEST)
            async with working(client, MEMBERS, directory / "state") as worker:
                while chain.backend.best.number < FIRST:
                    await step(chain, worker)
                who = Account(TRAINER.account)
                seal = seal_submission(client.genesis, 0, who, MODEL, SALT)
                await submit(client, chain, encode_call(Arena.commit_submission, 0, seal), TRAINER)
                chain.seal(FIRST + 7 - chain.backend.best.number)
                reveal = encode_call(Arena.reveal_submission, 0, CONTENT, CONTENT, 1_000, SALT)
                await submit(client, chain, reveal, TRAINER)
                chain.seal(FIRST + 10 - chain.backend.best.number)
                sheet = [GivenScore(0, Score(900_000_000))]
                sealed = seal_scores(client.genesis, 0, DAY, HONEST.account, sheet, SALT)
                await submit(client, chain, encode_call(Arena.commit_scores, 0, sealed), HONEST)
                while chain.backend.best.number < FIRST + 13:
                    await step(chain, worker)
                opening = encode_call(Arena.reveal_scores, 0, sheet, SALT)
                await submit(client, chain, opening, HONEST)
                while chain.backend.best.number < FIRST + 19:
                    await step(chain, worker)
        return chain


def test_a_copied_seal_cannot_be_opened_and_costs_its_copier(tmp_path: Path) -> None:
    chain = asyncio.run(live_through(tmp_path))
    arena = chain.runtime().arena
    seats = arena.assignments.get((DayKey(0, DAY), COPIER.account))
    assert seats
    committed = [event.validator for event in events_of(chain, ScoresCommitted)]
    assert committed[:2] == [HONEST.account, COPIER.account]
    copied = [arena.score_seals.get((DayKey(0, DAY), who.account)) for who in (HONEST, COPIER)]
    assert copied[0].seal == copied[1].seal
    assert [seal.is_revealed for seal in copied] == [True, False]
    refusals = [CallFailed(event.dispatch_error) for event in events_of(chain, ExtrinsicFailed)]
    assert {refusal.name for refusal in refusals} == {"WrongSeal"}
    assert [event.validator for event in events_of(chain, ScoresRevealed)] == [HONEST.account]
    slashed = {event.operator for event in events_of(chain, Slashed)}
    assert slashed == {COPIER.account}
    assert COPIER.account not in {event.who for event in events_of(chain, Paid)}
    chain.runtime().try_state()
