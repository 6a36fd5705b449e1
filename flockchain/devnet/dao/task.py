"""A small Arena task that the chapter plays itself: two models a day, scored by two validators.

Nothing is trained: the DAO's chapter is about who is paid, and scores are the same every day, so
that what changes in the payouts is what was voted.
Source: WP V.C to V.F.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from flockchain.devnet.dao.cast import (
    ALLOWANCE,
    BUDGET,
    DATASET_KEY,
    DAYS,
    NODE_STAKE,
    NODES,
    PLAYERS,
    SALT,
    SCORES,
    SPONSOR,
    VALIDATOR_STAKE,
    VALIDATORS,
)
from flockchain.devnet.processes import DevnetError
from flockchain.keys import KeyPair
from flockchain.sdk.client import Client
from runtime.economy.tasks import Hardware, Metric, Role, SealedDataset, TaskTerms
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import Account, GivenScore, Score, SubmittedModel
from runtime.pallets.arena.seals import seal_scores, seal_submission
from runtime.pallets.balances import Balances
from runtime.pallets.tasks import Tasks
from runtime.pallets.tasks.records import TaskCreated
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Id
from runtime.primitives.types import Hash

SEALING_KEY: Final = (9).to_bytes(32, "little")  # nothing is sealed to anybody here


def _content(name: str) -> bytes:
    return blake2b_256(f"the DAO's chapter: {name}".encode())


def model_of(node: KeyPair) -> SubmittedModel:
    """A model that nobody looks at."""
    return SubmittedModel(_content(f"model {node.account.hex()}"), _content("sealed"), 1_000)


TERMS: Final = TaskTerms(
    name="The DAO's example",
    spec=_content("specification"),
    metric=Metric.ACCURACY,
    baseline=0,
    days=DAYS,
    validation_a=_content("A"),
    validation_b=SealedDataset(_content("B"), _content("B sealed"), Hash(blake2b_256(DATASET_KEY))),
    training=[],
    parents=[],
    seats=0,
    final_seats=0,
)


async def create(client: Client) -> int:
    """Pay the players, create the task and register everybody; its number."""
    gifts = [
        (SPONSOR, encode_call(Balances.transfer_keep_alive, Id(player.account), ALLOWANCE))
        for player in PLAYERS
    ]
    await _together(client, gifts)
    receipt = await client.submit(encode_call(Tasks.create_task, TERMS, BUDGET), SPONSOR)
    created = receipt.find(TaskCreated)
    if created is None:
        raise DevnetError("the chain took the DAO's example task and tells of none")
    calls = []
    for players, role, stake in (
        (NODES, Role.TRAINING_NODE, NODE_STAKE),
        (VALIDATORS, Role.TASK_VALIDATOR, VALIDATOR_STAKE),
    ):
        call = encode_call(Tasks.register, created.task, role, stake, None, Hardware())
        calls += [(player, call) for player in players]
    await _together(client, calls)
    key = encode_call(Arena.set_sealing_key, SEALING_KEY)
    await _together(client, [(player, key) for player in VALIDATORS])
    return created.task


async def submit(client: Client, task: int) -> None:
    """Seal both models."""
    calls = []
    for node in NODES:
        seal = seal_submission(client.genesis, task, Account(node.account), model_of(node), SALT)
        calls.append((node, encode_call(Arena.commit_submission, task, seal)))
    await _together(client, calls)


async def reveal(client: Client, task: int) -> None:
    """Open both models."""
    calls = []
    for node in NODES:
        model = model_of(node)
        opened = (model.content, model.ciphertext, model.size_bytes, SALT)
        calls.append((node, encode_call(Arena.reveal_submission, task, *opened)))
    await _together(client, calls)


async def sheets(client: Client, task: int) -> list[GivenScore]:
    """What both validators say, the better node's model first."""
    standing = [await client.query(Arena.standing, (task, node.account)) for node in NODES]
    return [
        GivenScore(number, Score(score))
        for number, score in sorted(zip(standing, SCORES, strict=True))
    ]


async def seal_sheets(client: Client, task: int, day: int) -> None:
    """Seal the day's scores."""
    sheet, calls = await sheets(client, task), []
    for each in VALIDATORS:
        seal = seal_scores(client.genesis, task, day, each.account, sheet, SALT)
        calls.append((each, encode_call(Arena.commit_scores, task, seal)))
    await _together(client, calls)


async def open_sheets(client: Client, task: int) -> None:
    """Open them."""
    call = encode_call(Arena.reveal_scores, task, await sheets(client, task), SALT)
    await _together(client, [(each, call) for each in VALIDATORS])


async def _together(client: Client, calls: Sequence[tuple[KeyPair, bytes]]) -> None:
    """Submit calls of different accounts at one time: a window may be two blocks long."""
    await asyncio.gather(*(client.submit(call, key) for key, call in calls))
