"""A digits task on a fast chain: its parts, and how tests drive worker and chain in step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import TypeVar

from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.sdk import Client
from flockchain.workers.blob_folder import BlobFolder
from flockchain.workers.built_in import digits_package
from flockchain.workers.creator import keep_key
from flockchain.workers.worker import Member, Worker
from runtime.api import runtime_at
from runtime.frame.pallet import encode_call
from runtime.pallets.tasks import TaskCreated, Tasks
from runtime.primitives.types import FML
from tests.flockchain.fast_chain import FastChain

CREATOR = key_pair_from_uri("//Creator", "ed25519")
BUDGET = 3_000 * FML
KEY_B = bytes(range(32))

E = TypeVar("E")


async def submit(client: Client, chain: FastChain, call: bytes, key: KeyPair) -> list[object]:
    """Submit a call and seal the block that takes it; the extrinsic's events."""
    in_pool = asyncio.Event()
    work = asyncio.create_task(client.submit(call, key, on_pool=in_pool.set))
    await in_pool.wait()
    chain.seal()
    return list((await work).events)


async def create_task(
    client: Client, chain: FastChain, directory: Path, days: int, *, seats: int = 3
) -> None:
    """Create task 0 and leave data and key as `flockchain task create` does."""
    package = digits_package(
        KEY_B, title="Digits", seed=7, days=days, seats=seats, final_seats=seats
    )
    for blob in package.blobs:
        BlobFolder(directory).put(blob)
    keep_key(directory, package.key)
    events = await submit(
        client, chain, encode_call(Tasks.create_task, package.terms, BUDGET), CREATOR
    )
    assert any(isinstance(event, TaskCreated) for event in events)


@asynccontextmanager
async def working(
    client: Client,
    members: Sequence[Member],
    directory: Path,
    tasks: Sequence[int] | None = None,
    *,
    blind_rpc: str | None = None,
    random: Random | None = None,
) -> AsyncIterator[Worker]:
    """A worker at work; stopped like a process that is told to stop."""
    async with Worker(
        client,
        members,
        directory,
        tasks=tasks,
        device="cpu",
        blind_rpc=blind_rpc,
        random=random,
        tick_gap_s=0,
    ) as worker:
        run = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            run.cancel()
            with suppress(asyncio.CancelledError):
                await run


async def step(chain: FastChain, worker: Worker) -> None:
    """Seal the next block as soon as the worker has done what the best one calls for."""
    async with asyncio.timeout(60):
        await worker.settled(chain.backend.best.hash)
    chain.seal()
    chain.runtime().try_state()


def events_of(chain: FastChain, kind: type[E], numbers: Sequence[int] = ()) -> list[E]:
    """All events of a kind since genesis, or those of these blocks."""
    found: list[E] = []
    for number in numbers or range(1, chain.backend.best.number + 1):
        block = chain.backend.blocks.hash_at(number)
        assert block is not None
        records = runtime_at(chain.backend.state_at(block)).system.events.get()
        found += [record.event for record in records if isinstance(record.event, kind)]
    return found
