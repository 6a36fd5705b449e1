"""The FL Alliance's chapter: seven clients train together on rows that they never show.

The task starts from the model that the Arena's chapter left. Each client has a shard of the digits,
scanned anew, which that model reads badly; one of them poisons. One worker is killed in the middle
of a round and comes back. In the end everything that was promised is checked.

Source: WP VI.B to VI.F, WP VI.G.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from flockchain.devnet import checks
from flockchain.devnet.arena.reporter import short
from flockchain.devnet.fl.cast import (
    ALLOWANCE,
    CHOICES,
    CREATOR,
    EVERYBODY,
    GROUPS,
    KILLED,
    KILLED_IN_ROUND,
    POOL,
    Group,
)
from flockchain.devnet.fl.claims import check_claims
from flockchain.devnet.fl.data import Start, make_start, score_all
from flockchain.devnet.fl.reporter import Reporter
from flockchain.devnet.processes import Child, Devnet, DevnetError
from flockchain.sdk.client import Client
from flockchain.workers.alliance.terms import make_terms, usual_windows
from runtime.fl_api import AllianceApi
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance import events as alliance
from runtime.pallets.fl_alliance.stages import Stage
from runtime.primitives.multi import Id
from runtime.primitives.types import Hash

LISTENING_NODE: Final = 0
BLOCKS_MAX: Final = 500  # a chapter that takes longer has failed


class FlChapter:
    """Tells the chapter. `run` raises DevnetError, SdkError if a step fails."""

    def __init__(self, devnet: Devnet, say: Callable[[str], None]) -> None:
        self._devnet = devnet
        self._say = say
        self._children: dict[str, Child] = {}
        self._is_killed = False

    async def run(self) -> None:
        """The whole chapter, after the Arena's."""
        self._say("\nChapter: the FL Alliance trains together on rows that nobody shows")
        self._devnet.stop_workers()
        async with await Client.connect(self._devnet.url(LISTENING_NODE)) as client:
            start = await make_start(client, self._devnet.directory / "rows")
            reporter = Reporter(self._say, await self._create(client, start))
            for group in GROUPS:
                self._start(group, start, reporter.record.task)
            await self._follow(client, reporter)
            await self._check(client, reporter, start)

    async def _create(self, client: Client, start: Start) -> int:
        """Give the clients something to live on, and create the task; its number."""
        sent = [
            encode_call(Balances.transfer_keep_alive, Id(each.account), ALLOWANCE)
            for each in EVERYBODY
        ]
        await asyncio.gather(*(client.submit(call, CREATOR) for call in sent))
        terms = make_terms(CHOICES, start.spec_id, start.facts, usual_windows(client.preset))
        receipt = await client.submit(encode_call(FlAlliance.create_task, terms, POOL), CREATOR)
        created = receipt.find(alliance.TaskCreated)
        if created is None or created.model != start.model_id:
            raise DevnetError(f"the task should start from the Arena's model: {created}")
        self._say(
            f"  task {created.task} starts from the model of task {CHOICES.origin}; the clients' "
            "scanners shift each digit by a pixel, which that model never saw"
        )
        return created.task

    def _start(self, group: Group, start: Start, task: int) -> None:
        directory = self._devnet.directory / "workers" / group.name.replace(" ", "-")
        arguments = ["fl-client", "--rpc", self._devnet.url(group.node), "--device", "cpu"]
        arguments += ["--state-dir", str(directory), "--task", str(task)]
        for each in group.clients:
            arguments += ["--key", each.uri, "--data", str(start.shards[each.name])]
            arguments += ["--attack", group.attack]
        name = group.name.replace(" ", "-")
        self._children[group.name] = self._devnet.start_worker(name, arguments)
        self._say(f"  started: {', '.join(each.name for each in group.clients)}")

    # -- the chain

    async def _follow(self, client: Client, reporter: Reporter) -> None:
        told = (await client.chain.finalized()).number
        last = told + BLOCKS_MAX
        async for head in client.finalized_heads():
            for number in range(told + 1, head.number + 1):
                await self._tell_block(client, reporter, number)
            told = max(told, head.number)
            self._devnet.ensure_alive()
            record = reporter.record
            if record.ended is not None and len(record.claimed) == len(EVERYBODY):
                return
            if told > last:
                raise DevnetError(f"the task has not ended within {BLOCKS_MAX} blocks")

    async def _tell_block(self, client: Client, reporter: Reporter, number: int) -> None:
        block = await client.chain.block_hash(number)
        if block is None:
            raise DevnetError(f"the node does not know finalized block {number}")
        for record in await client.events_at(block):
            event = record.event
            reporter.on_event(number, event)
            if isinstance(event, alliance.RolesDrawn):
                await self._tell_roles(client, reporter, number, block, event)
            elif isinstance(event, alliance.RoundSettled):
                reporter.on_settled(number, event.round)
            elif isinstance(event, alliance.StageBegan):
                self._kill_when_due(event)

    async def _tell_roles(
        self,
        client: Client,
        reporter: Reporter,
        number: int,
        block: Hash,
        drawn: alliance.RolesDrawn,
    ) -> None:
        made = await client.at(block).ask(AllianceApi.round_info, drawn.task, drawn.round)
        if made is not None:
            reporter.on_roles(number, made)

    def _kill_when_due(self, began: alliance.StageBegan) -> None:
        """In the middle of a round: what was sealed is on disk, and is opened after the restart."""
        if self._is_killed or began.round != KILLED_IN_ROUND or began.stage is not Stage.REPORT:
            return
        self._is_killed = True
        child = self._children[KILLED.name]
        child.kill()
        child.start()
        self._say(f"  the worker of {KILLED.name} is killed (SIGKILL) and started again")

    # -- the end

    async def _check(self, client: Client, reporter: Reporter, start: Start) -> None:
        record, final = reporter.record, await client.chain.finalized()
        made = [await client.get_blob(model) for model in record.models if model != start.model_id]
        scores = await score_all(start, (start.model, *made))
        self._say(f"\nTask {record.task}: who gained and who lost")
        for each in EVERYBODY:
            got, lost = record.got(each.account), record.lost(each.account)
            self._say(
                f"  {each.name}: paid {short(got)}, slashed {short(lost)}, "
                f"took home {short(record.claimed_by(each.account))}"
            )
        verdicts = [
            *check_claims(record, scores),
            await checks.check_conservation(client, final.hash),
            checks.check_no_equivocation(self._devnet),
        ]
        self._say("\nChecked")
        for verdict in verdicts:
            self._say(f"  {verdict.text}")
