"""The chapter of proved sums: nobody but the drawn aggregator sees an update, and it must prove.

Six clients commit to their updates on the chain. In the first round the sum is proved and
recommitted by all. In the second the client that is drawn to aggregate changes one of its numbers:
voters find out, the next one takes over, and the cheat costs stake. In the end all is checked.

Source: WP VI.C, VI.H; zkFL (arXiv 2310.02554).
"""

from __future__ import annotations

from collections.abc import Callable

from flockchain.devnet import checks
from flockchain.devnet.fl.cast import CLIENTS, name_of
from flockchain.devnet.fl.chapter import LISTENING_NODE
from flockchain.devnet.fl.data import Start, score_all
from flockchain.devnet.fl.reporter import Reporter
from flockchain.devnet.fl.story import create_task, follow, tell_balances, worker_arguments
from flockchain.devnet.processes import Child, Devnet, DevnetError, flockchain
from flockchain.devnet.zk.cast import CHEAT, CHEATED_ROUND, CHOICES, GROUPS, POOL, find_client
from flockchain.devnet.zk.claims import check_claims
from flockchain.sdk.client import Client
from runtime.pallets.fl_alliance.views import RoundInfo
from runtime.primitives.types import AccountId


class ZkChapter:
    """Tells the chapter. `run` raises DevnetError, SdkError if a step fails."""

    def __init__(self, devnet: Devnet, say: Callable[[str], None], start: Start) -> None:
        self._devnet = devnet
        self._say = say
        self._start = start
        self._task = 0
        self._children: dict[str, Child] = {}
        self._cheater: AccountId | None = None

    async def run(self) -> None:
        """The whole chapter, after the FL Alliance's."""
        self._say("\nChapter: a sum that is proved, of updates that only its aggregator sees")
        self._devnet.stop_workers()
        async with await Client.connect(self._devnet.url(LISTENING_NODE)) as client:
            self._task = await create_task(client, CLIENTS, CHOICES, POOL, self._start)
            self._say(f"  task {self._task} has the mode zk: clients commit, one sums and proves")
            for group in GROUPS:
                arguments = worker_arguments(self._devnet, group, self._start, self._task)
                name = group.name.replace(" ", "-")
                self._children[group.name] = self._devnet.start_worker(name, arguments)
            reporter = Reporter(self._say, self._task)
            await follow(client, self._devnet, reporter, len(CLIENTS), self._bribe_when_due)
            await self._check(client, reporter)

    def _bribe_when_due(self, _: object, made: RoundInfo | None) -> None:
        """The client that is drawn to aggregate cheats from now on; its worker starts anew."""
        if made is None or made.round != CHEATED_ROUND or not made.record.voters:
            return
        self._cheater = made.record.voters[0]
        group, client = find_client(self._cheater)
        child = self._children[group.name]
        child.kill()
        cheats = {client.name: CHEAT.value}
        arguments = worker_arguments(self._devnet, group, self._start, self._task, cheats)
        child.command = flockchain("worker", *arguments)
        child.start()
        self._say(f"  {name_of(self._cheater)} aggregates next, and will change one number")

    async def _check(self, client: Client, reporter: Reporter) -> None:
        record, final, start = reporter.record, await client.chain.finalized(), self._start
        if self._cheater is None:
            raise DevnetError("nobody was drawn to aggregate in the round that is cheated in")
        made = [await client.get_blob(model) for model in record.models if model != start.model_id]
        scores = await score_all(start, (start.model, *made))
        tell_balances(reporter, CLIENTS)
        verdicts = [
            *check_claims(record, scores, self._cheater),
            await checks.check_conservation(client, final.hash),
            checks.check_no_equivocation(self._devnet),
        ]
        self._say("\nChecked")
        for verdict in verdicts:
            self._say(f"  {verdict.text}")
