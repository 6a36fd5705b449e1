"""The chapter of proved sums: nobody but the drawn aggregator sees an update, and it must prove.

Clients commit to their updates on the chain, and whoever is drawn to aggregate changes one number
of the sum that it proved. Voters find out when they recommit, the next one takes over within the
round, and the cheat costs stake. In the end all is checked.

Source: WP VI.C, VI.H; zkFL (arXiv 2310.02554).
"""

from __future__ import annotations

from collections.abc import Callable

from flockchain.devnet import checks
from flockchain.devnet.fl.cast import EVERYBODY, name_of
from flockchain.devnet.fl.chapter import LISTENING_NODE
from flockchain.devnet.fl.data import Start, score_all
from flockchain.devnet.fl.reporter import Reporter
from flockchain.devnet.fl.story import create_task, follow, tell_balances, worker_arguments
from flockchain.devnet.processes import Devnet, DevnetError
from flockchain.devnet.zk.cast import CHEAT, CHOICES, GROUPS, POOL
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
        self._cheater: AccountId | None = None

    async def run(self) -> None:
        """The whole chapter, after the FL Alliance's."""
        self._say("\nChapter: a sum that is proved, of updates that only its aggregator sees")
        async with await Client.connect(self._devnet.url(LISTENING_NODE)) as client:
            self._task = await create_task(client, EVERYBODY, CHOICES, POOL, self._start)
            self._say(f"  task {self._task} has the mode zk: clients commit, one sums and proves")
            for group in GROUPS:
                cheats = {each.name: CHEAT.value for each in group.clients}
                arguments = worker_arguments(self._devnet, group, self._start, self._task, cheats)
                self._devnet.start_worker(group.name.replace(" ", "-"), arguments)
            reporter = Reporter(self._say, self._task)
            await follow(client, self._devnet, reporter, len(EVERYBODY), self._tell_aggregator)
            await self._check(client, reporter)

    def _tell_aggregator(self, _: object, made: RoundInfo | None) -> None:
        """Who is drawn to aggregate, and cheats."""
        if made is not None and made.record.voters:
            self._cheater = made.record.voters[0]
            self._say(f"  {name_of(self._cheater)} aggregates, and will change one number")

    async def _check(self, client: Client, reporter: Reporter) -> None:
        record, final, start = reporter.record, await client.chain.finalized(), self._start
        if self._cheater is None:
            raise DevnetError("nobody was drawn to aggregate")
        made = [await client.get_blob(model) for model in record.models if model != start.model_id]
        scores = await score_all(start, (start.model, *made))
        tell_balances(reporter, EVERYBODY)
        verdicts = [
            *check_claims(record, scores, self._cheater),
            await checks.check_conservation(client, final.hash),
            checks.check_no_equivocation(self._devnet),
        ]
        checks.tell(self._say, verdicts)
