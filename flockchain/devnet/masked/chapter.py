"""The chapter of masked sums: fourteen clients, of whom not even the aggregator sees an update.

Seven share the secrets of their masks. Then a process is killed, and started again without two of
them, whose masks are in the numbers of all others. The five that are left commit and hand over; a
sum is proved; they reveal shares of the secrets of those that are there and of those that are not;
and everybody strips the masks off the sum, never off a single update. In the end the two come back
and take home what they have left.

Source: WP VI.H; Bonawitz et al. (2017), secure aggregation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from flockchain.devnet import checks
from flockchain.devnet.fl.cast import Group
from flockchain.devnet.fl.chapter import LISTENING_NODE
from flockchain.devnet.fl.data import Start, make_start, score_all
from flockchain.devnet.fl.reporter import Reporter
from flockchain.devnet.fl.story import create_task, follow, tell_balances, worker_arguments
from flockchain.devnet.masked.cast import CHOICES, EVERYBODY, GONE, GROUPS, POOL
from flockchain.devnet.masked.claims import check_claims
from flockchain.devnet.processes import Child, Devnet, DevnetError, flockchain
from flockchain.sdk.client import Client
from runtime.pallets.fl_alliance import events as alliance
from runtime.pallets.fl_alliance.views import RoundInfo
from runtime.primitives.types import AccountId


class MaskedChapter:
    """Tells the chapter. `run` raises DevnetError, SdkError if a step fails."""

    def __init__(self, devnet: Devnet, say: Callable[[str], None]) -> None:
        self._devnet = devnet
        self._say = say
        self._start: Start | None = None
        self._task = 0
        self._children: dict[str, Child] = {}
        self._leaving: Group | None = None  # the two, and the node that they speak to
        self._shared: set[AccountId] = set()
        self._is_killed = False

    async def run(self) -> None:
        """The whole chapter, after the Arena's."""
        self._say("\nChapter: a sum of updates that nobody sees, and two clients that drop out")
        async with await Client.connect(self._devnet.url(LISTENING_NODE)) as client:
            directory = self._devnet.directory / "rows-masked"
            start = self._start = await make_start(client, directory, EVERYBODY)
            task = self._task = await create_task(client, EVERYBODY, CHOICES, POOL, start)
            self._say(f"  task {task} has the mode zk+masked: what travels looks random")
            for group in GROUPS:
                self._children[group.name] = self._begin(group)
            reporter = Reporter(self._say, task)
            await follow(client, self._devnet, reporter, len(EVERYBODY), self._watch)
            await self._check(client, reporter, start)
        self._devnet.stop_workers(self._children.values())

    async def _check(self, client: Client, reporter: Reporter, start: Start) -> None:
        if self._leaving is None or not self._is_killed:
            raise DevnetError("nobody dropped out")
        record, final = reporter.record, await client.chain.finalized()
        made = [await client.get_blob(model) for model in record.models if model != start.model_id]
        scores = await score_all(start, (start.model, *made))
        tell_balances(reporter, EVERYBODY)
        gone = [each.account for each in self._leaving.clients]
        verdicts = [
            *check_claims(record, scores, gone),
            await checks.check_conservation(client, final.hash),
            checks.check_no_equivocation(self._devnet),
        ]
        checks.tell(self._say, verdicts)

    def _begin(self, group: Group) -> Child:
        name = group.name.replace(" ", "-")
        return self._devnet.start_worker(name, self._arguments(group))

    def _arguments(self, group: Group) -> list[str]:
        assert self._start is not None, "`run` comes first"
        return worker_arguments(self._devnet, group, self._start, self._task)

    def _watch(self, event: object, made: RoundInfo | None) -> None:
        match event:
            case alliance.RolesDrawn() if made is not None and made.record.voters:
                self._leaving = choose_leaving(made.record.proposers)
            case alliance.SecretsShared(who=who):
                self._shared.add(who)
                self._kill_when_due()
            case alliance.RoundSettled() if self._leaving is not None:
                self._children[self._leaving.name] = self._begin(self._leaving)
                self._say("  they are started: who dropped out takes home what is left")

    def _kill_when_due(self) -> None:
        """Once the two have shared, their masks will be in the numbers of all others."""
        leaving = self._leaving
        if leaving is None or self._is_killed:
            return
        if not self._shared.issuperset(each.account for each in leaving.clients):
            return
        self._is_killed = True
        group = next(each for each in GROUPS if leaving.clients[0] in each.clients)
        left = tuple(each for each in group.clients if each not in leaving.clients)
        child = self._children[group.name]
        child.kill()
        child.command = flockchain("worker", *self._arguments(replace(group, clients=left)))
        child.start()
        names = " and ".join(each.name for each in leaving.clients)
        self._say(f"  a process is killed (SIGKILL) and started again without {names}")


def choose_leaving(proposers: Sequence[AccountId]) -> Group:
    """Two proposers that have one process."""
    for group in GROUPS:
        found = [each for each in group.clients if each.account in proposers]
        if len(found) >= GONE:
            return Group("drop-outs", tuple(found[:GONE]), group.node)
    raise DevnetError(f"{len(proposers)} proposers have no process in common")
