"""What chapters of alliances share: clients get something to live on, a task is created, workers
start, and every final block is told until all have taken their balance home.

Source: WP VI.B to VI.F.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from flockchain.devnet.arena.reporter import short
from flockchain.devnet.blocks import events_of
from flockchain.devnet.fl.cast import ALLOWANCE, CREATOR, Group
from flockchain.devnet.fl.data import Start
from flockchain.devnet.fl.reporter import Reporter
from flockchain.devnet.person import Person
from flockchain.devnet.processes import Devnet, DevnetError
from flockchain.sdk.client import Client
from flockchain.workers.alliance.terms import Choices, make_terms, usual_windows
from runtime.fl_api import AllianceApi
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance import events as alliance
from runtime.pallets.fl_alliance.views import RoundInfo
from runtime.primitives.multi import Id

BLOCKS_MAX: Final = 500  # a chapter that takes longer has failed

Watch = Callable[[object, RoundInfo | None], None]
"""Hears every event of the task; with the round, if its roles were drawn."""


async def create_task(
    connection: Client, clients: Sequence[Person], choices: Choices, pool: int, start: Start
) -> int:
    """Give the clients something to live on, and create the task; its number. Raises SdkError."""
    sent = [
        encode_call(Balances.transfer_keep_alive, Id(each.account), ALLOWANCE) for each in clients
    ]
    await asyncio.gather(*(connection.submit(call, CREATOR) for call in sent))
    windows = usual_windows(connection.preset, choices.mode)
    terms = make_terms(choices, start.spec_id, start.facts, windows)
    receipt = await connection.submit(encode_call(FlAlliance.create_task, terms, pool), CREATOR)
    created = receipt.find(alliance.TaskCreated)
    if created is None or created.model != start.model_id:
        raise DevnetError(f"the task should start from the Arena's model: {created}")
    return created.task


def worker_arguments(
    devnet: Devnet, group: Group, start: Start, task: int, cheats: dict[str, str] | None = None
) -> list[str]:
    """What `flockchain worker` is told. `cheats`: of clients, by name."""
    directory = devnet.directory / "workers" / group.name.replace(" ", "-")
    arguments = ["fl-client", "--rpc", devnet.url(group.node), "--device", "cpu"]
    arguments += ["--state-dir", str(directory), "--task", str(task)]
    for each in group.clients:
        arguments += ["--key", each.uri, "--data", str(start.shards[each.name])]
        arguments += ["--attack", group.attack]
        arguments += ["--cheat", (cheats or {}).get(each.name, "none")]
    return arguments


async def follow(
    connection: Client,
    devnet: Devnet,
    reporter: Reporter,
    claims: int,
    watch: Watch,
) -> None:
    """Tell final blocks until the task has ended and so many have claimed.

    Raises DevnetError, SdkError.
    """
    told = (await connection.chain.finalized()).number
    last = told + BLOCKS_MAX
    async for head in connection.finalized_heads():
        for number in range(told + 1, head.number + 1):
            await _tell_block(connection, reporter, number, watch)
        told = max(told, head.number)
        devnet.ensure_alive()
        record = reporter.record
        if record.ended is not None and len(record.claimed) == claims:
            return
        if told > last:
            raise DevnetError(f"the task has not ended within {BLOCKS_MAX} blocks")


async def _tell_block(
    connection: Client,
    reporter: Reporter,
    number: int,
    watch: Watch,
) -> None:
    block, records = await events_of(connection, number)
    for record in records:
        event, made = record.event, None
        if getattr(event, "task", None) != reporter.record.task:
            continue
        reporter.on_event(number, event)
        if isinstance(event, alliance.RolesDrawn):
            state = connection.at(block)
            made = await state.ask(AllianceApi.round_info, event.task, event.round)
            if made is not None:
                reporter.on_roles(number, made)
        elif isinstance(event, alliance.RoundSettled):
            reporter.on_settled(number, event.round)
        watch(event, made)


def tell_balances(reporter: Reporter, clients: Sequence[Person]) -> None:
    """Who gained and who lost."""
    record = reporter.record
    reporter.say(f"\nTask {record.task}: who gained and who lost")
    for each in clients:
        got, lost = record.got(each.account), record.lost(each.account)
        reporter.say(
            f"  {each.name}: paid {short(got)}, slashed {short(lost)}, "
            f"took home {short(record.claimed_by(each.account))}"
        )
