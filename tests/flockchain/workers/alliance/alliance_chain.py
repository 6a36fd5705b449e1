"""A fast chain on which an Arena task is finished, and an FL Alliance task that starts from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from flockchain.blobs.reference_string import serve_setup
from flockchain.ceremony.contributing import contribute, first_setup
from flockchain.ceremony.transcript import Transcript
from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.sdk import Client
from flockchain.workers.fl_client import FlClient, Participant
from ml.devices import choose_device
from ml.options import TrainOptions
from ml.round_work import RoundTask, split_into_shards, zero_update_of
from ml.tasks.digits import create_digits_task
from ml.tasks.ready_task import ReadyTask
from ml.tasks.registry import open_task
from runtime import frame
from runtime.api import preset_of
from runtime.economy.tasks import Metric, SealedDataset, TaskStatus, TaskTerms
from runtime.frame.externalities import DictState, Externalities
from runtime.frame.pallet import encode_call
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.events import TaskCreated
from runtime.pallets.fl_alliance.records import RoundKey, RoundResult
from runtime.pallets.fl_alliance.terms import AllianceTerms, Mode, RoundWindows
from runtime.primitives.content_id import content_id
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, Hash
from runtime.primitives.zk_ceremony import Ceremony, ensure_ceremony
from runtime.primitives.zk_profile import ChainSetup, install
from runtime.runtime import Runtime
from tests.flockchain.fast_chain import AUTHOR, FastChain, fast_chain, genesis_of
from tests.flockchain.workers.digits_world import submit

CREATOR = key_pair_from_uri("//Creator", "ed25519")
KEYS = tuple(key_pair_from_uri(f"//Client{n}", "sr25519") for n in range(1, 8))
POOL = 1_000 * FML
TASK = 1
WINDOWS = RoundWindows(6, 6, 6, 6, 0, 6, 6)
BITS = 14


@dataclass(frozen=True)
class Digits:
    """The data: specification, a model as an Arena task leaves it, and shards of private rows."""

    made: ReadyTask
    model: bytes
    shards: tuple[bytes, ...]

    @property
    def spec(self) -> bytes:
        return self.made.spec.to_bytes()

    def around(self, shard: int = 0) -> RoundTask:
        return RoundTask(self.spec, BITS, self.shards[shard], "cpu")


@cache
def digits() -> Digits:
    made = create_digits_task(seed=3)
    task = open_task(made.spec, choose_device("cpu"))
    task.init_dataset(made.validation_a)
    model = task.train(None, TrainOptions(training_epochs=8, hidden_width=16, seed=1))
    return Digits(made, model, split_into_shards(made.train, len(KEYS)))


def alliance_terms(**changes: object) -> AllianceTerms:
    """Three rounds; of seven members two propose and five vote."""
    base = digits().around().read(digits().model)
    usual = AllianceTerms(
        name="digits together",
        spec=content_id(digits().spec),
        mode=Mode.OPEN,
        origin=0,
        quantity=10 * FML,
        rounds=3,
        days=60,
        participation=Rational(1, 1),
        proposing=Rational(1, 5),
        voters_min=3,
        quorum=Rational(2, 3),
        tolerance=Rational(1, 20),
        slash=Rational(1, 10),
        threshold=Rational(1, 2),
        windows=WINDOWS,
        fraction_bits=BITS,
        unit_samples=16,
        units_max=64,
        attributes=True,
        zero_update=zero_update_of(base),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def proven() -> dict[str, object]:
    """Changes of the terms that make an aggregator prove its sums: of seven members four propose
    and three vote."""
    return {
        "mode": Mode.ZK,
        "windows": RoundWindows(*[6] * 7),
        "attributes": False,
        "proposing": Rational(1, 2),
        "parameters": digits().around().read(digits().model).vector.numel(),
    }


def masked() -> dict[str, object]:
    """Changes of the terms by which nobody sees an update: four of seven propose, three vote."""
    windows = RoundWindows(6, 8, 6, 6, 6, 6, 6, 6, 8)
    return {**proven(), "mode": Mode.ZK_MASKED, "windows": windows}


@cache
def own_string(points: int = 512) -> ChainSetup:
    """A string that two made in a ceremony, loaded as a node loads it."""
    transcript, setup = Transcript(Ceremony("fast", points), ()), first_setup(points)
    for name in ("Alice", "Bob"):
        transcript, setup = contribute(transcript, setup, name)
    ensure_ceremony(transcript.ceremony, transcript.contributions, setup)
    install(setup)
    return ChainSetup(points, setup.id)


def genesis_with_origin(
    *, has_model: bool = True, setup: ChainSetup | None = None
) -> dict[bytes, bytes]:
    """Block 0 of a chain on which Arena task 0 is completed."""
    top = genesis_of([AUTHOR, CREATOR, *KEYS])
    state = DictState(top)
    ext = Externalities(state)
    runtime, none = Runtime(ext, preset_of(state)), bytes(32)
    terms = TaskTerms(
        name="origin",
        spec=content_id(digits().spec),
        metric=Metric.ACCURACY,
        baseline=0,
        days=2,
        validation_a=none,
        validation_b=SealedDataset(none, none, Hash(none)),
        training=[],
        parents=[],
        seats=0,
        final_seats=0,
    )
    runtime.tasks.create_verified_task(frame.ROOT, CREATOR.account, terms)
    runtime.tasks.end_task(0, TaskStatus.COMPLETED)
    if has_model:
        content = content_id(digits().model)
        runtime.models.record_model(0, content, 0, CREATOR.account, (9, 10), [])
    if setup is not None:
        runtime.alliance.setup.put(setup)
    changed = {**top, **ext.changes()}
    return {key: value for key, value in changed.items() if value is not None}


@asynccontextmanager
async def alliance_chain(
    directory: Path, *, has_model: bool = True, setup: ChainSetup | None = None, **terms: object
) -> AsyncIterator[tuple[FastChain, Client]]:
    """The chain with task 1 of the FL Alliance, its specification and first model at the node."""
    genesis = genesis_with_origin(has_model=has_model, setup=setup)
    async with fast_chain(directory / "node", [], genesis) as chain:
        if setup is not None:
            serve_setup(chain.blobs, setup)
        chain.seal()
        async with await Client.connect(chain.url) as client:
            await client.put_blob(digits().spec, CREATOR)
            if has_model:
                await client.put_blob(digits().model, CREATOR)
            call = encode_call(FlAlliance.create_task, alliance_terms(**terms), POOL)
            events = await submit(client, chain, call, CREATOR)
            assert any(isinstance(event, TaskCreated) for event in events)
            yield chain, client


def participants(keys: Sequence[KeyPair] = KEYS, **attacks: str) -> list[Participant]:
    """Each key with its shard; `attacks` by `client<n>`."""
    return [
        Participant(key, digits().shards[KEYS.index(key)], attacks.get(f"client{n}"))
        for n, key in enumerate(keys, start=1)
    ]


@asynccontextmanager
async def at_work(
    client: Client, members: Sequence[Participant], directory: Path
) -> AsyncIterator[FlClient]:
    """Participants at work; stopped like a process that is told to stop."""
    async with FlClient(client, members, directory, [TASK], device="cpu", tick_gap_s=0) as worker:
        run = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            run.cancel()
            with suppress(asyncio.CancelledError):
                await run


async def step(chain: FastChain, *workers: FlClient) -> None:
    """Seal the next block as soon as the workers have done what the best one calls for."""
    async with asyncio.timeout(300):
        for worker in workers:
            await worker.settled(chain.backend.best.hash)
    chain.seal()
    chain.runtime().try_state()


def result_of(chain: FastChain, round_: int) -> RoundResult | None:
    """What a round came to, once it is tallied."""
    return chain.runtime().alliance.results.find(RoundKey(TASK, round_))


async def until_round(chain: FastChain, round_: int, *workers: FlClient) -> RoundResult:
    """Blocks until the round has a result."""
    for _ in range(200):
        found = result_of(chain, round_)
        if found is not None:
            return found
        await step(chain, *workers)
    raise AssertionError(f"round {round_} has no result")
