"""A blind trainer that is stopped before and after everything that it sends."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from nacl.public import PrivateKey

from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.sdk import Client, Wait
from flockchain.workers.strengths import Method, Strength
from flockchain.workers.worker import Member, WorkerRole
from runtime.economy.tasks import Hardware, Role
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.alias_events import AliasOpened
from runtime.pallets.arena.events import KeysShared, SubmissionCommitted, SubmissionRevealed
from runtime.pallets.arena.records import Alias, DayKey
from runtime.pallets.tasks import Tasks
from runtime.primitives.content_id import ContentId
from runtime.primitives.rational import Rational
from tests.flockchain.fast_chain import FastChain, fast_chain
from tests.flockchain.workers.digits_world import (
    CREATOR,
    create_task,
    events_of,
    step,
    working,
)
from tests.flockchain.workers.recording_relay import RecordingRelay, relaying

ONE, TWO = (key_pair_from_uri(f"//Trainer{n}", "sr25519") for n in (1, 2))
VALIDATORS = [key_pair_from_uri(f"//Validator{n}", "ed25519") for n in (1, 2, 3)]
KEYS = [CREATOR, ONE, TWO, *VALIDATORS]
SEALING_KEY = PrivateKey(bytes(range(32))).public_key.encode()
FIRST, SECOND, FINAL = 20, 40, 60  # the first blocks of the task's days
DOWN = "ws://127.0.0.1:1"  # where nothing listens


def blind(*keys: KeyPair) -> list[Member]:
    """Trainers of noise: they are done at once, and submit something new each day."""
    return [Member(key, WorkerRole.TRAINER, Method(Strength.NOISE), is_blind=True) for key in keys]


@dataclass
class Stage:
    """A chain with a task whose validators do nothing, and how aliases reach it."""

    chain: FastChain
    client: Client
    relay: RecordingRelay
    state: Path
    random: Random = field(default_factory=lambda: Random(5))  # one for all workers

    async def set_up(self) -> None:
        """A task, its data, and validators to which models' keys can be sealed."""
        chain, client = self.chain, self.client
        chain.seal()
        await create_task(client, chain, self.state, days=3)
        for blob in (self.state / "blobs").iterdir():
            await client.put_blob(blob.read_bytes(), CREATOR)
        stake = 2 * client.preset.validator_stake  # it is slashed for each day
        terms = Role.TASK_VALIDATOR, stake, Rational(0, 1), Hardware()
        for key in VALIDATORS:
            for call in (
                encode_call(Tasks.register, 0, *terms),
                encode_call(Arena.set_sealing_key, SEALING_KEY),
            ):
                await client.submit(call, key, wait=Wait.POOL)
        chain.seal()

    async def serve(self, members: list[Member], url: str) -> None:
        """A worker that lives for as long as one block has something for it to do."""
        async with working(
            self.client, members, self.state, blind_rpc=url, random=self.random
        ) as worker:
            async with asyncio.timeout(60):
                await worker.settled(self.chain.backend.best.hash)

    async def go_to(self, number: int, members: list[Member], url: str = "") -> None:
        """One worker for all blocks up to this one."""
        url = url or self.relay.url
        async with working(
            self.client, members, self.state, blind_rpc=url, random=self.random
        ) as worker:
            while self.chain.backend.best.number < number:
                await step(self.chain, worker)

    async def stumble_to(self, number: int, members: list[Member]) -> None:
        """On each block three workers: ended before they could send, and twice right after."""
        while self.chain.backend.best.number < number:
            for url in (DOWN, self.relay.url, self.relay.url):
                await self.serve(members, url)
            self.chain.seal()
            self.chain.runtime().try_state()


async def staged(directory: Path, stack: AsyncExitStack) -> Stage:
    """A stage that is set up."""
    chain = await stack.enter_async_context(fast_chain(directory / "node", KEYS))
    relay = await stack.enter_async_context(relaying(chain.url))
    client = await stack.enter_async_context(await Client.connect(chain.url))
    stage = Stage(chain, client, relay, directory / "state")
    await stage.set_up()
    return stage


def secrets_in(state: Path) -> set[bytes]:
    """Seeds of aliases in the state files."""
    documents = [json.loads(path.read_text()) for path in state.glob("*.json")]
    return {
        bytes.fromhex(each["secret"]) for made in documents for each in made["aliases"].values()
    }


def test_no_restart_makes_a_second_alias_or_loses_an_opening(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> FastChain:
        async with AsyncExitStack() as stack:
            stage = await staged(tmp_path, stack)
            members = blind(ONE, TWO)
            await stage.go_to(FIRST - 1, members)
            for day in (FIRST, SECOND):
                await stage.go_to(day + 2, members, DOWN)  # sealed on disk, and nothing is sent
                await stage.stumble_to(day + 19, members)
            await stage.go_to(FINAL + 9, members)
            await stage.stumble_to(FINAL + 19, members)
            return stage.chain

    caplog.set_level(logging.WARNING, logger="flockchain.workers.jobs")
    chain = asyncio.run(run())
    failures = [record.getMessage() for record in caplog.records]
    assert all(DOWN in failure for failure in failures), "what is sent again is no failure"
    committed = events_of(chain, SubmissionCommitted)
    assert len(committed) == 4  # of two nodes on two days
    assert all(isinstance(event.submitter, Alias) for event in committed)
    assert len({event.submitter for event in committed}) == 4
    assert len(secrets_in(tmp_path / "state")) == 4
    opened = events_of(chain, AliasOpened)
    assert sorted((event.day, event.owner) for event in opened) == sorted(
        (day, key.account) for day in (1, 2) for key in (ONE, TWO)
    )
    shared = events_of(chain, KeysShared)
    # Each day's models, and on the final day those of the day before and of the day before that.
    assert {event.submission for event in shared} == {0, 1, 2, 3}
    for event in events_of(chain, SubmissionRevealed):
        assert chain.blobs.has(ContentId(event.ciphertext))


def test_a_worker_without_its_state_still_opens_what_it_made(tmp_path: Path) -> None:
    async def run() -> FastChain:
        async with AsyncExitStack() as stack:
            stage = await staged(tmp_path, stack)
            await stage.go_to(FIRST + 12, blind(ONE, TWO))
            stage.state = tmp_path / "empty"
            await stage.go_to(FIRST + 18, blind(ONE))
            return stage.chain

    chain = asyncio.run(run())
    assert [event.owner for event in events_of(chain, AliasOpened)] == [ONE.account]


def test_an_alias_that_no_block_took_is_told_of_and_never_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> FastChain:
        async with AsyncExitStack() as stack:
            stage = await staged(tmp_path, stack)
            await stage.go_to(FIRST + 7, blind(ONE, TWO), DOWN)
            await stage.go_to(FIRST + 9, blind(ONE, TWO))
            return stage.chain

    caplog.set_level(logging.WARNING, logger="flockchain.workers")
    chain = asyncio.run(run())
    assert events_of(chain, SubmissionCommitted) == []
    for key in (ONE, TWO):
        assert (
            f"{key.address()[:8]}: an alias of it for task 0 came into no block: nothing is "
            "submitted today" in caplog.messages
        )


def test_a_ring_of_one_and_a_key_of_today_hide_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> FastChain:
        async with AsyncExitStack() as stack:
            stage = await staged(tmp_path, stack)
            await stage.go_to(FIRST - 1, blind(ONE))
            await stage.go_to(FIRST + 10, blind(ONE, TWO))  # the second one comes too late
            return stage.chain

    caplog.set_level(logging.WARNING, logger="flockchain.workers")
    chain = asyncio.run(run())
    committed = events_of(chain, SubmissionCommitted)
    assert not any(isinstance(event.submitter, Alias) for event in committed)
    assert chain.runtime().arena.rolls.contains(DayKey(0, 1))
    lines = [record.getMessage() for record in caplog.records]
    assert (
        f"{ONE.address()[:8]} submits to task 0 under its name: its ring has no other member, and "
        "a ring of one hides nothing" in lines
    )


def test_without_another_node_for_aliases_the_log_says_who_learns_what(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with (
            fast_chain(tmp_path / "node", [ONE]) as chain,
            await Client.connect(chain.url) as client,
            working(client, blind(ONE), tmp_path / "state"),
        ):
            pass

    asyncio.run(run())
    assert (
        "aliases act through the worker's own node: who runs it, or watches its traffic, learns "
        "whose they are; --blind-rpc names another node for them" in caplog.messages
    )
