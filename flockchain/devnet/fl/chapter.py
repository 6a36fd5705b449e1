"""The FL Alliance's chapter: seven clients train together on rows that they never show.

The task starts from the model that the Arena's chapter left. Each client has a shard of the digits,
scanned anew, which that model reads badly; one of them poisons. One worker is killed in the middle
of a round and comes back. In the end everything that was promised is checked.

Source: WP VI.B to VI.F, WP VI.G.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flockchain.devnet import checks
from flockchain.devnet.fl.cast import (
    CHOICES,
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
from flockchain.devnet.fl.story import create_task, follow, tell_balances, worker_arguments
from flockchain.devnet.processes import Child, Devnet
from flockchain.sdk.client import Client
from runtime.pallets.fl_alliance import events as alliance
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.views import RoundInfo

LISTENING_NODE: Final = 0


class FlChapter:
    """Tells the chapter. `run` raises DevnetError, SdkError if a step fails."""

    def __init__(self, devnet: Devnet, say: Callable[[str], None]) -> None:
        self._devnet = devnet
        self._say = say
        self._children: dict[str, Child] = {}
        self._is_killed = False
        self._start: Start | None = None
        self.task = 0  # its number, once it is created

    @property
    def start(self) -> Start:
        """What it started from."""
        assert self._start is not None, "`run` comes first"
        return self._start

    async def run(self) -> None:
        """The whole chapter, after the Arena's."""
        self._say("\nChapter: the FL Alliance trains together on rows that nobody shows")
        async with await Client.connect(self._devnet.url(LISTENING_NODE)) as client:
            start = self._start = await make_start(client, self._devnet.directory / "rows")
            task = self.task = await create_task(client, EVERYBODY, CHOICES, POOL, start)
            self._say(
                f"  task {task} starts from the model of task {CHOICES.origin}; the clients' "
                "scanners shift each digit by a pixel, which that model never saw"
            )
            reporter = Reporter(self._say, task)
            for group in GROUPS:
                self._start_group(group, start, task)
            await follow(client, self._devnet, reporter, len(EVERYBODY), self._kill_when_due)
            await self._check(client, reporter, start)
        self._devnet.stop_workers(self._children.values())

    def _start_group(self, group: Group, start: Start, task: int) -> None:
        arguments = worker_arguments(self._devnet, group, start, task)
        name = group.name.replace(" ", "-")
        self._children[group.name] = self._devnet.start_worker(name, arguments)
        self._say(f"  started: {', '.join(each.name for each in group.clients)}")

    def _kill_when_due(self, event: object, _: RoundInfo | None) -> None:
        """In the middle of a round: what was sealed is on disk, and is opened after the restart."""
        if self._is_killed or not isinstance(event, alliance.StageBegan):
            return
        if event.round != KILLED_IN_ROUND or event.stage is not Stage.REPORT:
            return
        self._is_killed = True
        child = self._children[KILLED.name]
        child.kill()
        child.start()
        self._say(f"  the worker of {KILLED.name} is killed (SIGKILL) and started again")

    async def _check(self, client: Client, reporter: Reporter, start: Start) -> None:
        record, final = reporter.record, await client.chain.finalized()
        made = [await client.get_blob(model) for model in record.models if model != start.model_id]
        scores = await score_all(start, (start.model, *made))
        tell_balances(reporter, EVERYBODY)
        verdicts = [
            *check_claims(record, scores),
            await checks.check_conservation(client, final.hash),
            checks.check_no_equivocation(self._devnet),
        ]
        checks.tell(self._say, verdicts)
