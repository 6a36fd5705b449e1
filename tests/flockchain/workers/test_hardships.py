"""Workers among liars, on a node that restarts, themselves stopped at the worst moments."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.sdk import Client, Wait
from flockchain.workers.key_sharing import seal_to
from flockchain.workers.model_seal import new_model_key, seal_model
from flockchain.workers.strengths import Method, Strength
from flockchain.workers.worker import Member, Worker, WorkerRole
from runtime.arena_api import ArenaApi
from runtime.economy.tasks import Hardware, Role
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import Account, DayKey, NoData, SubmittedModel
from runtime.pallets.arena.seals import seal_submission
from runtime.pallets.tasks import Tasks
from runtime.primitives.content_id import content_id
from runtime.primitives.rational import Rational
from tests.flockchain.fast_chain import FastChain, fast_chain
from tests.flockchain.workers.digits_world import CREATOR, create_task, step, submit, working

TRAINER = key_pair_from_uri("//Trainer1", "sr25519")
VALIDATORS = [key_pair_from_uri(f"//Validator{n}", "ed25519") for n in (1, 2, 3)]
LIAR_KEYS = [key_pair_from_uri(f"//Liar{n}", "ed25519") for n in range(5)]
WITHHOLDER, MUTE, GARBLER, POISONER, LATECOMER = LIAR_KEYS
KEYS = [CREATOR, TRAINER, *VALIDATORS, *LIAR_KEYS]
MEMBERS = [
    Member(CREATOR, WorkerRole.CREATOR),
    Member(TRAINER, WorkerRole.TRAINER, Method(Strength.STRONG)),
    *(Member(key, WorkerRole.VALIDATOR) for key in VALIDATORS),
]
DAY = 1  # the task's first day; it has two
FIRST = 20  # the day's first block


@dataclass
class Liar:
    """A node that submits what no honest trainer would, and hands it out or does not."""

    key: KeyPair
    data: bytes
    is_uploaded: bool = True
    is_key_shared: bool = True
    is_key_right: bool = True
    is_late: bool = False

    def __post_init__(self) -> None:
        self.salt, self.model_key = secrets.token_bytes(32), new_model_key()
        self.ciphertext = seal_model(self.data, self.model_key)
        self.model = SubmittedModel(
            content_id(self.data), content_id(self.ciphertext), len(self.ciphertext)
        )

    async def commit(self, client: Client) -> None:
        """Seal it; upload it, or do not."""
        submitter = Account(self.key.account)
        seal = seal_submission(client.genesis, 0, submitter, self.model, self.salt)
        call = encode_call(Arena.commit_submission, 0, seal)
        await client.submit(call, self.key, wait=Wait.POOL)
        if self.is_uploaded:
            await client.put_blob(self.ciphertext, self.key)

    async def reveal(self, client: Client) -> None:
        """Open it."""
        made = self.model
        call = encode_call(
            Arena.reveal_submission, 0, made.content, made.ciphertext, made.size_bytes, self.salt
        )
        await client.submit(call, self.key, wait=Wait.POOL)

    async def share(self, client: Client) -> None:
        """Hand out the key, another one, or none."""
        view = await client.at_best()
        number = await view.query(Arena.standing, (0, self.key.account))
        drawn = await view.ask(ArenaApi.validators_of, 0, DAY, number)
        assert drawn
        if self.is_key_shared:
            key = self.model_key if self.is_key_right else bytes(32)
            call = encode_call(Arena.share_keys, 0, number, seal_to(drawn, key))
            await client.submit(call, self.key, wait=Wait.POOL)


LIARS = [
    Liar(WITHHOLDER, b"nobody will ever see this", is_uploaded=False),
    Liar(MUTE, b"nobody will ever open this", is_key_shared=False),
    Liar(GARBLER, b"nobody will open this either", is_key_right=False),
    Liar(POISONER, b"\x80\x04cos\nsystem\n"),
    Liar(LATECOMER, b"nobody waits for this key", is_late=True),
]


async def live_through(directory: Path) -> FastChain:
    """A day of a task with restarts and liars."""
    state = directory / "state"
    async with AsyncExitStack() as stack:
        chain = await stack.enter_async_context(fast_chain(directory / "node", KEYS))
        chain.seal()
        client = await stack.enter_async_context(await Client.connect(chain.url))
        await create_task(client, chain, state, days=2)
        for liar in LIARS:
            stake = client.preset.node_stake
            call = encode_call(
                Tasks.register, 0, Role.TRAINING_NODE, stake, Rational(0, 1), Hardware()
            )
            await submit(client, chain, call, liar.key)
        async with working(client, MEMBERS, state) as worker:
            await go_to(chain, worker, FIRST + 2)
            await asyncio.gather(*(liar.commit(client) for liar in LIARS))
            await chain.stop()  # the node restarts while models are sealed
            chain.seal()
            await chain.start()
            await go_to(chain, worker, FIRST + 6)
        # The worker stops with a model sealed and not open, and starts again.
        async with working(client, MEMBERS, state) as worker:
            await go_to(chain, worker, FIRST + 8)
            await asyncio.gather(*(liar.reveal(client) for liar in LIARS))
            await go_to(chain, worker, FIRST + 10)
            await asyncio.gather(*(liar.share(client) for liar in LIARS if not liar.is_late))
            await go_to(chain, worker, FIRST + 11)
            await LIARS[-1].share(client)  # in the last block but one of the window
            await go_to(chain, worker, FIRST + 13)
        # Once more: scores are sealed and not open.
        async with working(client, MEMBERS, state) as worker:
            while chain.runtime().arena.day_results.find(DayKey(0, DAY)) is None:
                await step(chain, worker)
        return chain


async def go_to(chain: FastChain, worker: Worker, number: int) -> None:
    """Go on until block `number` is best, and the worker has done its part on top of it."""
    while chain.backend.best.number < number:
        await step(chain, worker)
    async with asyncio.timeout(60):
        await worker.settled(chain.backend.best.hash)


def test_honest_work_is_paid_and_nobody_is_slashed_for_others_faults(tmp_path: Path) -> None:
    chain = asyncio.run(live_through(tmp_path))
    runtime = chain.runtime()
    key = DayKey(0, DAY)
    result = runtime.arena.day_results.get(key)
    assert [node.owner for node in result.ranking] == [TRAINER.account]
    assert result.slashed == 0

    numbers = {made.owner: number for number, made in runtime.arena.submissions.items_of(0)}
    for liar in (WITHHOLDER, MUTE, GARBLER, LATECOMER):
        ballots = runtime.arena.ballots.get((key, numbers[liar.account]))
        assert ballots
        assert all(isinstance(ballot.verdict, NoData) for ballot in ballots)
        assert runtime.arena.results.find((key, numbers[liar.account])) is None
    poisoned = runtime.arena.results.get((key, numbers[POISONER.account]))
    assert poisoned.numerator == 0
    runtime.try_state()
