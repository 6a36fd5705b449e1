"""The arena chapter: a verified task trains a model on real digits, scores it and pays for it.

Workers start, the chain is followed block by block until the task is settled, one validator node is
killed and comes back meanwhile, and in the end everything that was promised is checked.

Source: WP V, WP Fig. 3; Table II for the shape of the payments.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from flockchain.devnet import checks
from flockchain.devnet.cast import (
    CREATOR,
    FETCHING_NODE,
    KILLED_NODE,
    TASK_VALIDATORS,
    TRAINERS,
    Role,
    name_of,
)
from flockchain.devnet.processes import Devnet, DevnetError
from flockchain.devnet.reporter import Reporter
from flockchain.sdk.amounts import format_amount
from flockchain.sdk.client import Client
from flockchain.sdk.errors import SdkError
from flockchain.workers.creator import keep_key
from genesis.devnet_task import DATASET_B_KEY
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import DayKey
from runtime.pallets.tasks import Tasks
from runtime.pallets.timestamp import Timestamp
from runtime.primitives.types import AccountId

TASK: Final = 0
BACK_S_MAX: Final = 20
_QUIET_EVERY: Final = 10  # blocks between two lines that only say that the chain lives


class ArenaChapter:
    """Tells the chapter. `run` raises DevnetError if a step fails."""

    def __init__(self, devnet: Devnet, reporter: Reporter) -> None:
        self._devnet = devnet
        self._reporter = reporter
        self._longest_gap_ms = 0
        self._comeback: asyncio.Task[float] | None = None

    async def run(self) -> None:
        """The whole chapter."""
        say = self._reporter.say
        say("\nChapter: the AI Arena trains on handwritten digits")
        self._start_workers()
        async with await Client.connect(self._devnet.url(FETCHING_NODE)) as client:
            await self._follow(client)
            if self._comeback is not None:
                seconds = await self._comeback
                say(f"  {self._killed} was back at the head after {seconds:.1f} s")
            await self._tell_payments(client)
            await self._check(client)

    # -- workers

    def _start_workers(self) -> None:
        state = self._devnet.directory / "workers"
        keep_key(state / "creator", DATASET_B_KEY)
        self._start("creator", [CREATOR], state / "creator", [])
        strengths = [part for role in TRAINERS for part in ("--strength", role.strength)]
        self._start("trainer", list(TRAINERS), state / "trainers", strengths)
        self._start("validator", list(TASK_VALIDATORS), state / "validators", [])

    def _start(self, kind: str, roles: list[Role], state: object, options: list[str]) -> None:
        arguments = [kind, "--rpc", self._devnet.url(roles[0].node), "--state-dir", str(state)]
        for role in roles:
            arguments += ["--key", role.uri]
        arguments += [*options, "--task", str(TASK), "--device", "cpu"]
        name = roles[0].name if len(roles) == 1 else f"{kind}s"
        self._devnet.start_worker(
            name.replace(" ", "-").replace("(", "").replace(")", ""), arguments
        )
        self._reporter.say(f"  started: {', '.join(role.name for role in roles)}")

    # -- the chain

    async def _follow(self, client: Client) -> None:
        before_ms = 0
        told = 0
        async for head in client.finalized_heads():
            for number in range(told + 1, head.number + 1):
                block = await client.chain.block_hash(number)
                if block is None:
                    raise DevnetError(f"the node does not know finalized block {number}")
                now_ms = await client.query(Timestamp.now, at=block)
                if before_ms:
                    self._longest_gap_ms = max(self._longest_gap_ms, now_ms - before_ms)
                before_ms = now_ms
                for record in await client.events_at(block):
                    self._reporter.on_event(number, record.event)
                if number % _QUIET_EVERY == 0:
                    await self._tell_pulse(client, number)
                await self._kill_and_restart(client, number)
            told = head.number
            self._devnet.ensure_alive()
            if self._reporter.failed:
                raise DevnetError("the task failed")
            if self._reporter.completed is not None:
                return

    async def _tell_pulse(self, client: Client, number: int) -> None:
        best = await client.chain.best()
        self._reporter.say(f"  block {best.number} is best, {number} is final")

    @property
    def _killed(self) -> str:
        return self._devnet.nodes[KILLED_NODE].name

    async def _kill_and_restart(self, client: Client, number: int) -> None:
        """In the middle of the task's second day: SIGKILL, and start again five blocks later."""
        if len(self._devnet.nodes) <= KILLED_NODE or self._comeback is not None:
            return
        task = await client.query(Tasks.tasks, TASK)
        calendar = client.preset.calendar
        middle = calendar.first_block(task.start_day + 1) + calendar.submit_end
        child = self._devnet.nodes[KILLED_NODE]
        if number == middle:
            child.kill()
            child.process = None
            self._reporter.say(f"  {self._killed} is killed (SIGKILL)")
        elif number == middle + 5:
            child.start()
            self._reporter.say(f"  {self._killed} is started again over the same disk")
            self._comeback = asyncio.create_task(self._time_comeback(client))

    async def _time_comeback(self, client: Client) -> float:
        """Seconds until the restarted node has the head of the others. Raises DevnetError."""
        start = time.monotonic()
        while time.monotonic() - start < BACK_S_MAX:
            try:
                async with await Client.connect(self._devnet.url(KILLED_NODE)) as restarted:
                    async for head in restarted.best_heads():
                        others = await client.chain.best()
                        if head.number >= others.number:
                            return time.monotonic() - start
            except (SdkError, OSError):
                await asyncio.sleep(0.2)
        raise DevnetError(f"{self._killed} was not back within {BACK_S_MAX} s")

    # -- the end

    async def _tell_payments(self, client: Client) -> None:
        say = self._reporter.say
        task = await client.query(Tasks.tasks, TASK)
        say("\nWho was paid what, and why")
        for day in range(task.start_day, task.final_day() + 1):
            result = await client.find(Arena.day_results, DayKey(TASK, day))
            if result is None:
                continue
            label = "set B" if day == task.final_day() else "set A"
            for place, node in enumerate(result.ranking, start=1):
                share = node.share * 10_000 >> 128
                say(
                    f"  day {day}, {label}, rank {place}: {name_of(node.owner)}, score "
                    f"{node.numerator // node.denominator / 10**9:.4f}, stake "
                    f"{format_amount(node.stake)}, share of the nodes' reward {share / 100:.2f} %"
                )
        accounts: list[AccountId] = sorted({event.who for event in self._reporter.paid})
        for account in accounts:
            kinds: dict[str, int] = {}
            for event in self._reporter.paid:
                if event.who == account:
                    name = event.kind.name.lower().replace("_", " ")
                    kinds[name] = kinds.get(name, 0) + event.amount
            parts = ", ".join(f"{kind} {format_amount(sum_)}" for kind, sum_ in kinds.items())
            say(f"  {name_of(account)}: {format_amount(sum(kinds.values()))} ({parts})")

    async def _check(self, client: Client) -> None:
        final = await client.chain.finalized()
        verdicts = [
            checks.check_paid(self._reporter),
            checks.check_free_rider(self._reporter),
            await checks.check_conservation(client, final.hash),
            await checks.check_best_model(client, TASK),
            checks.check_gap(self._longest_gap_ms),
            checks.check_no_equivocation(self._devnet),
        ]
        self._reporter.say("\nChecked")
        for verdict in verdicts:
            self._reporter.say(f"  {verdict.text}")
