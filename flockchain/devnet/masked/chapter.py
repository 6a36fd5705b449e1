"""The chapter of masked sums: ten clients, of whom not even the aggregator sees an update.

Seven share the secrets of their masks and train. Then the process of two of them is killed, with
their masks in the numbers of all others. The five that are left seal, commit and hand over; a sum
is proved; they reveal shares of the secrets of those that are there and of those that are not; and
everybody strips the masks off the sum, never off a single update. Then the two come back and take
home what they have left.

Source: WP VI.H; Bonawitz et al. (2017), secure aggregation.
"""

from __future__ import annotations

from collections.abc import Callable

from flockchain.devnet import checks
from flockchain.devnet.fl.cast import Group, name_of
from flockchain.devnet.fl.chapter import LISTENING_NODE
from flockchain.devnet.fl.data import make_start, score_all
from flockchain.devnet.fl.reporter import Reporter
from flockchain.devnet.fl.story import create_task, follow, tell_balances, worker_arguments
from flockchain.devnet.masked.cast import CHOICES, EVERYBODY, GROUPS, POOL
from flockchain.devnet.masked.claims import check_claims
from flockchain.devnet.processes import Child, Devnet, DevnetError
from flockchain.sdk.client import Client
from runtime.pallets.fl_alliance import events as alliance
from runtime.pallets.fl_alliance.views import RoundInfo
from runtime.primitives.types import AccountId


class MaskedChapter:
    """Tells the chapter. `run` raises DevnetError, SdkError if a step fails."""

    def __init__(self, devnet: Devnet, say: Callable[[str], None]) -> None:
        self._devnet = devnet
        self._say = say
        self._children: dict[str, Child] = {}
        self._leaving: Group | None = None
        self._shared: set[AccountId] = set()

    async def run(self) -> None:
        """The whole chapter, after the Arena's."""
        self._say("\nChapter: a sum of updates that nobody sees, and two clients that drop out")
        async with await Client.connect(self._devnet.url(LISTENING_NODE)) as client:
            start = await make_start(client, self._devnet.directory / "rows-masked", EVERYBODY)
            task = await create_task(client, EVERYBODY, CHOICES, POOL, start)
            self._say(f"  task {task} has the mode zk+masked: what travels looks random")
            for group in GROUPS:
                arguments = worker_arguments(self._devnet, group, start, task)
                child = self._devnet.start_worker(group.name.replace(" ", "-"), arguments)
                self._children[group.name] = child
            reporter = Reporter(self._say, task)
            await follow(client, self._devnet, reporter, len(EVERYBODY), self._watch)
            if self._leaving is None:
                raise DevnetError("no process was killed")
            record, final = reporter.record, await client.chain.finalized()
            made = [await client.get_blob(each) for each in record.models]
            scores = await score_all(start, (start.model, *made))
            tell_balances(reporter, EVERYBODY)
            gone = tuple(each.account for each in self._leaving.clients)
            verdicts = [
                *check_claims(record, scores, gone),
                await checks.check_conservation(client, final.hash),
                checks.check_no_equivocation(self._devnet),
            ]
            checks.tell(self._say, verdicts)
        self._devnet.stop_workers(self._children.values())

    def _watch(self, event: object, made: RoundInfo | None) -> None:
        match event:
            case alliance.RolesDrawn() if made is not None and made.record.voters:
                self._choose(made.record.proposers)
            case alliance.SecretsShared(who=who):
                self._shared.add(who)
                self._kill_when_due()
            case alliance.RoundSettled():
                self._bring_back()

    def _choose(self, proposers: list[AccountId]) -> None:
        """Two that propose and have one process."""
        whole = (
            group for group in GROUPS if all(each.account in proposers for each in group.clients)
        )
        self._leaving = next(whole, None)

    def _kill_when_due(self) -> None:
        """Once both have shared: their masks are in the numbers of all others."""
        if self._leaving is None:
            return
        accounts = [each.account for each in self._leaving.clients]
        child = self._children[self._leaving.name]
        if child.process is not None and self._shared.issuperset(accounts):
            child.kill()
            child.process = None
            names = " and ".join(map(name_of, accounts))
            self._say(f"  the process of {names} is killed (SIGKILL)")

    def _bring_back(self) -> None:
        if self._leaving is not None:
            self._children[self._leaving.name].start()
            self._say("  it is started again: who dropped out takes home what is left")
