"""The task in which a tiny Llama is trained, and a longer one whose validators stand by as jurors.

Trainers and validators are workers as any other; nothing is played. Invariant: what hosts serve
afterwards is the model that won.
Source: WP V, VIII.A; WP III.B.2 (juries).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

from flockchain.devnet.market.cast import (
    BUDGET,
    CALLER,
    CALLER_STAKE,
    CREATOR,
    DAYS,
    EVERYBODY,
    JURORS,
    PAYER,
    SEATS,
    STANDING_BUDGET,
    STANDING_DAYS,
    STRENGTHS,
    TRAINERS,
    Player,
)
from flockchain.devnet.processes import Child, Devnet, DevnetError
from flockchain.sdk.client import Client
from flockchain.workers.blob_folder import BlobFolder
from flockchain.workers.built_in import questions_package
from flockchain.workers.creator import keep_key
from flockchain.workers.publishing import TaskPackage
from flockchain.workers.training import TrainingPool
from runtime.economy.tasks import TaskStatus
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.pallets.marketplace import Marketplace
from runtime.pallets.model_registry import Model, ModelRegistry
from runtime.pallets.tasks import TaskCreated, Tasks
from runtime.primitives.multi import Id
from runtime.primitives.types import FML

TITLE: Final = "Questions about FLock"
NODE: Final = 1  # that all of them speak to
_SEED: Final = 1
_EARLY: Final = 3  # blocks of a day, after which the next day is awaited: registering takes time


class LlamaTask:
    """Creates both tasks and starts their workers. Raises DevnetError, SdkError."""

    def __init__(self, devnet: Devnet, say: Callable[[str], None]) -> None:
        self._devnet, self._say = devnet, say
        self._directory = devnet.directory / "workers" / "llama"
        self.task = 0  # that the Llama comes of
        self.workers: list[Child] = []

    async def start(self, client: Client) -> None:
        """Have both tasks, and whoever works for them."""
        packages = await _make_packages()
        gifts = [
            encode_call(Balances.transfer_keep_alive, Id(each.account), each.allowance * FML)
            for each in EVERYBODY
        ]
        await asyncio.gather(*(client.submit(gift, PAYER) for gift in gifts))
        for package in packages:
            keep_key(self._directory / "creator", package.key)
            for blob in package.blobs:
                BlobFolder(self._directory / "creator").put(blob)
                await client.put_blob(blob, CREATOR.key)
        await client.submit(encode_call(Marketplace.stake, CALLER_STAKE), CALLER.key)
        await _until_early(client)
        self.task = await _create(client, packages[0], BUDGET)
        standing = await _create(client, packages[1], STANDING_BUDGET)
        self._say(
            f"  market: task {self.task} trains a tiny Llama for {DAYS} days; task {standing} goes "
            f"on for {STANDING_DAYS}, and its {len(JURORS)} validators, keys of one worker, are "
            "ready for juries"
        )
        self._start_workers(standing)

    async def winner(self, client: Client) -> Model:
        """The model that won, once it is public."""
        async for _ in client.finalized_heads(latest_only=True):
            self._devnet.ensure_alive()
            state = await client.at_finalized()
            task = await state.query(Tasks.tasks, self.task)
            if task.status in (TaskStatus.FAILED, TaskStatus.CANCELLED):
                raise DevnetError(f"task {self.task} left no Llama: {task.status.name}")
            model = await state.find(ModelRegistry.models, self.task)
            if model is not None:
                return model
        raise DevnetError("the node sends no more blocks")

    def _start_workers(self, standing: int) -> None:
        tried = [part for strength in STRENGTHS for part in ("--strength", strength)]
        self._start("creator", "creator", (CREATOR,), (self.task, standing))
        self._start("trainers", "trainer", TRAINERS, (self.task,), *tried, "--no-blind")
        both = (self.task, standing)
        self._start("validators", "validator", JURORS, both, "--juries", "enlist")

    def _start(
        self, group: str, kind: str, players: tuple[Player, ...], tasks: tuple[int, ...], *more: str
    ) -> None:
        arguments = [kind, "--rpc", self._devnet.url(NODE), "--device", "cpu", *more]
        arguments += ["--state-dir", str(self._directory / group)]
        for player in players:
            arguments += ["--key", player.uri]
        for task in tasks:
            arguments += ["--task", str(task)]
        self.workers.append(self._devnet.start_worker(f"llama-{group}", arguments))


async def _make_packages() -> list[TaskPackage]:
    """Of both tasks: the same data, each with a key of its own."""
    pool = TrainingPool()
    try:
        return await pool.run(_both, (secrets.token_bytes(32), secrets.token_bytes(32)))
    finally:
        await pool.close()


def _both(keys: tuple[bytes, bytes]) -> list[TaskPackage]:
    return [
        questions_package(key, title=TITLE, seed=_SEED, days=days, seats=SEATS, final_seats=SEATS)
        for key, days in zip(keys, (DAYS, STANDING_DAYS), strict=True)
    ]


async def _create(client: Client, package: TaskPackage, budget: int) -> int:
    receipt = await client.submit(
        encode_call(Tasks.create_task, package.terms, budget), CREATOR.key
    )
    created = receipt.find(TaskCreated)
    if created is None:
        raise DevnetError("the chain took the Llama's task and tells of none")
    return created.task


async def _until_early(client: Client) -> None:
    async for head in client.best_heads(latest_only=True):
        if client.preset.calendar.position_of(head.number + 1) < _EARLY:
            return
