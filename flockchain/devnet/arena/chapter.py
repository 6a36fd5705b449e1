"""The arena chapter: two tasks train models on real digits, score them and pay for them.

Workers start, people delegate and create a task of their own, the chain is followed block by block
until both tasks are settled, one validator node is killed and comes back meanwhile, and in the end
everything that was promised is checked.

Source: WP V, WP Fig. 3; Table II for the shape of the payments.
"""

from __future__ import annotations

import asyncio
from typing import Final

from flockchain.devnet import checks
from flockchain.devnet.arena.cast import CREATOR, FETCHING_NODE, OWN_TASK, VERIFIED_TASK
from flockchain.devnet.arena.claims import check_claims
from flockchain.devnet.arena.data import make_data
from flockchain.devnet.arena.deals import Deals
from flockchain.devnet.arena.outage import Outage
from flockchain.devnet.arena.payments import tell_payments
from flockchain.devnet.arena.players import Players
from flockchain.devnet.arena.record import Refusal
from flockchain.devnet.arena.reporter import Reporter
from flockchain.devnet.blocks import events_of
from flockchain.devnet.processes import Devnet, DevnetError
from flockchain.devnet.together import together
from flockchain.sdk.client import Client
from flockchain.sdk.errors import CallFailed
from flockchain.workers.publishing import TaskPackage
from genesis.devnet_task import DATASET_B_KEY
from genesis.spec import load_chain_spec
from runtime.frame.events import ApplyExtrinsic, EventRecord
from runtime.frame.extrinsic import decode_extrinsic
from runtime.genesis import GenesisConfig
from runtime.pallets.system import ExtrinsicFailed
from runtime.pallets.timestamp import Timestamp
from runtime.primitives.multi import Id
from runtime.primitives.types import AccountId, Hash

TASKS: Final = (VERIFIED_TASK, OWN_TASK)
_QUIET_EVERY: Final = 10  # blocks between two lines that only say that the chain lives


class ArenaChapter:
    """Tells the chapter. `run` raises DevnetError if a step fails."""

    def __init__(self, devnet: Devnet, reporter: Reporter) -> None:
        self._devnet = devnet
        self._reporter = reporter
        self._longest_gap_ms = 0
        self._now_ms = 0
        self._data: asyncio.Task[tuple[tuple[bytes, ...], TaskPackage]] | None = None

    def prepare(self) -> None:
        """Begin with the tasks' data while the nodes start: it takes longest."""
        genesis = load_chain_spec(self._devnet.chain).genesis
        if not isinstance(genesis, GenesisConfig) or not genesis.tasks:
            raise DevnetError(f"{self._devnet.chain} has no task in block 0 to tell of")
        self._data = asyncio.create_task(make_data(genesis.tasks[VERIFIED_TASK].terms.spec))

    async def run(self) -> None:
        """The whole chapter."""
        self._reporter.say("\nChapter: the AI Arena trains on handwritten digits")
        players = Players(self._devnet, self._reporter)
        players.start()
        assert self._data is not None, "`prepare` comes first"
        blobs, package = await self._data
        players.keep_data(CREATOR, blobs, DATASET_B_KEY)
        players.start_creator(CREATOR, VERIFIED_TASK)
        async with await Client.connect(self._devnet.url(FETCHING_NODE)) as client:
            outage = Outage(self._devnet, self._reporter, client)
            await together(self._follow(client, outage), self._deal(players, package))
            await outage.end()
            await tell_payments(client, self._reporter, TASKS)
            await self._check(client)

    async def _deal(self, players: Players, package: TaskPackage) -> None:
        """Through another node than the one that is to fetch the best model in the end."""
        async with await Client.connect(self._devnet.url(1)) as client:
            await Deals(client, players, package).run()

    # -- the chain

    async def _follow(self, client: Client, outage: Outage) -> None:
        told, record = 0, self._reporter.record
        async for head in client.finalized_heads():
            for number in range(told + 1, head.number + 1):
                await self._tell_block(client, number)
                await outage.on_block(number)
            told = head.number
            self._devnet.ensure_alive()
            if record.failed:
                raise DevnetError(f"tasks {sorted(record.failed)} failed")
            if record.completed.keys() >= set(TASKS):
                return

    async def _tell_block(self, client: Client, number: int) -> None:
        block, records = await events_of(client, number)
        before_ms, self._now_ms = self._now_ms, await client.query(Timestamp.now, at=block)
        if before_ms:
            self._longest_gap_ms = max(self._longest_gap_ms, self._now_ms - before_ms)
        for record in records:
            if isinstance(record.event, ExtrinsicFailed):
                account = await _signer(client, block, record)
                error = CallFailed(record.event.dispatch_error).name
                self._reporter.on_refusal(number, Refusal(account, error))
            else:
                self._reporter.on_event(number, record.event)
        if number % _QUIET_EVERY == 0:
            best = await client.chain.best()
            self._reporter.say(f"  block {best.number} is best, {number} is final")

    # -- the end

    async def _check(self, client: Client) -> None:
        final = await client.chain.finalized()
        verdicts = [
            *await check_claims(client, self._reporter.record),
            await checks.check_conservation(client, final.hash),
            checks.check_gap(self._longest_gap_ms),
            checks.check_no_equivocation(self._devnet),
        ]
        checks.tell(self._reporter.say, verdicts)


async def _signer(client: Client, block: Hash, record: EventRecord) -> AccountId:
    """Whose extrinsic the event is of."""
    found = await client.chain.block(block)
    assert found is not None, "its events were read"
    assert isinstance(record.phase, ApplyExtrinsic), "only extrinsics fail"
    preamble = decode_extrinsic(found.extrinsics[record.phase.extrinsic]).preamble
    assert preamble is not None, "what nobody signed cannot fail"
    assert isinstance(preamble.address, Id), "the devnet's workers sign with their account id"
    return preamble.address.account
