"""The chapter of the marketplace: what was trained is served, called, paid, doubted and proved.

`prepare` begins while other chapters play: a tiny Llama is trained in a task of its own. Then two
hosts serve. The caller's client is OpenAI's, behind a gateway that signs vouchers; host 2 is
cheaper and serves another model than the one it offers, and a jury takes a part of its stake.

Source: WP II.C, II.D.6, III.B.2; WP VI.H (certificates).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from flockchain.devnet import checks
from flockchain.devnet.arena.reporter import short
from flockchain.devnet.blocks import events_of
from flockchain.devnet.fl.data import Start
from flockchain.devnet.market import claims
from flockchain.devnet.market.cast import (
    CALLER,
    CHEAT,
    DEPOSIT,
    HONEST,
    JURORS,
    PAID_CALLS,
    PASSED_OFF,
    QUESTIONS,
    ROWS,
)
from flockchain.devnet.market.changes import change_in
from flockchain.devnet.market.llama import LlamaTask
from flockchain.devnet.market.proof import Served, prove
from flockchain.devnet.market.record import Called, Record
from flockchain.devnet.market.reporter import Reporter
from flockchain.devnet.market.rows import Rows, read_rows
from flockchain.devnet.market.services import Services, command
from flockchain.devnet.processes import Devnet, DevnetError
from flockchain.devnet.together import beside
from flockchain.sdk.client import Client
from flockchain.sdk.submission import Wait
from runtime.frame.pallet import encode_call
from runtime.pallets.marketplace import Marketplace
from runtime.pallets.model_registry import ModelRegistry
from runtime.primitives.content_id import cid_text

if TYPE_CHECKING:
    from flockchain.devnet.market.caller import Caller

LISTENING_NODE: Final = 0
BLOCKS_MAX: Final = 600  # a chapter that takes longer has failed
CALLS_MAX: Final = 40  # of one model: days may turn, and calls be free again


class MarketChapter:
    """Tells the chapter. Both methods raise DevnetError, SdkError if a step fails."""

    def __init__(self, devnet: Devnet, say: Callable[[str], None]) -> None:
        self._devnet, self._say = devnet, say
        self._llama = LlamaTask(devnet, say)
        self._services = Services(devnet)
        self._record = Record(frozenset((HONEST.account, CHEAT.account)))
        self._calls: list[Called] = []
        self._hosted = 0  # the task whose classifier is served
        self._days = 0  # over which the calls may lie

    async def prepare(self) -> None:
        """Begin the training of the Llama."""
        if find_spec("openai") is None:
            raise DevnetError("the caller's client is missing: pip install openai")
        async with await Client.connect(self._devnet.url(LISTENING_NODE)) as client:
            await self._llama.start(client)

    async def run(self, hosted: int, start: Start) -> None:
        """The whole chapter: the model of task `hosted` is served beside the Llama."""
        self._hosted = hosted
        async with await Client.connect(self._devnet.url(LISTENING_NODE)) as client:
            await self._llama.winner(client)
            self._say("\nChapter: models that won are served, paid by call, and doubted")
            rows = await read_rows(start.judging, ROWS)
            reporter = Reporter(self._say, self._record)
            verdicts = await beside(self._act(client, rows), self._follow(client, reporter))
            final = await client.chain.finalized()
            verdicts += [
                await checks.check_conservation(client, final.hash),
                checks.check_no_equivocation(self._devnet),
            ]
            checks.tell(self._say, verdicts)
        self._devnet.stop_workers([*self._services.children, *self._llama.workers])

    # -- the chain

    async def _follow(self, client: Client, reporter: Reporter) -> None:
        told = (await client.chain.finalized()).number
        last = told + BLOCKS_MAX
        async for head in client.finalized_heads():
            for number in range(told + 1, head.number + 1):
                _, records = await events_of(client, number)
                for record in records:
                    reporter.on_event(number, record)
            told = max(told, head.number)
            self._devnet.ensure_alive()
            if told > last:
                raise DevnetError(f"the market's chapter is not over after {BLOCKS_MAX} blocks")
        raise DevnetError("the node sends no more blocks")

    async def _until(self, client: Client, is_so: Callable[[], bool]) -> None:
        async for _ in client.finalized_heads(latest_only=True):
            if is_so():
                return

    # -- what people do

    async def _act(self, client: Client, rows: Rows) -> list[checks.Verdict]:
        from flockchain.devnet.market.caller import Caller  # seconds: it loads openai

        llama, services, record = self._llama.task, self._services, self._record
        services.start_hosts(llama, self._hosted)
        await services.start_gateway()
        await self._until(client, lambda: len(record.offered) >= 3)
        async with Caller(services.gateway_url) as gateway:
            doubted = await self._doubt(client, gateway, rows)
            await self._open_channels(client)
            first = await self._until_day_begins(client)
            await self._call(gateway, rows)
            last = client.preset.calendar.day_of((await client.chain.best()).number)
            self._days = last - first + 1
        await self._until(client, self._is_settled)
        served = await self._served(client)
        proved = await prove(self._devnet, client.genesis, served)
        await self._until(client, lambda: record.ended is not None)
        return [*await self._check(client), doubted, proved]

    async def _doubt(self, client: Client, gateway: Caller, rows: Rows) -> checks.Verdict:
        """Ask both hosts the same, and challenge the one that answers worse."""
        from flockchain.devnet.market.caller import Caller

        model = await self._model_of(client, self._hosted)
        offer = await client.query(Marketplace.offers, (HONEST.account, model))
        named = ("--host", f"0x{HONEST.account.hex()}", "--model", cid_text(model))
        node = ("--key", CALLER.uri, "--rpc", self._devnet.url(LISTENING_NODE))
        made = await command("market", "key", *named, *node)
        cheap = await gateway.predict(self._hosted, rows.inputs)
        async with Caller(offer.endpoint, made["key"]) as direct:
            honest = await direct.predict(self._hosted, rows.inputs)
        self._say(
            f"  market: host 2 is cheapest; it names {rows.right(cheap.labels)} of {ROWS} digits "
            f"right, host 1, asked with a key, {rows.right(honest.labels)}"
        )
        kept = self._services.answers()
        checks.ensure(len(kept) == 1, f"the gateway kept {len(kept)} signed answers, not one")
        await command("market", "challenge", str(kept[0]), *node)
        return claims.check_doubt(cheap, honest, rows)

    async def _open_channels(self, client: Client) -> None:
        for task in (self._llama.task, self._hosted):
            model = await self._model_of(client, task)
            call = encode_call(Marketplace.open_channel, HONEST.account, model, DEPOSIT)
            await client.submit(call, CALLER.key, wait=Wait.FINALIZED)
        self._say(f"  market: the caller deposits {short(DEPOSIT)} for each model of host 1")

    async def _until_day_begins(self, client: Client) -> int:
        """So that all calls lie on one day, and are settled together when it ends: that day."""
        calendar = client.preset.calendar
        async for head in client.best_heads(latest_only=True):
            if 4 <= calendar.position_of(head.number) < 8:  # hosts go by final blocks
                return calendar.day_of(head.number)
        raise DevnetError("the node sends no more blocks")

    async def _call(self, gateway: Caller, rows: Rows) -> None:
        """Call both models until some calls of each were paid."""
        for place in range(CALLS_MAX):
            if self._paid_calls(self._llama.task) >= PAID_CALLS:
                break
            question = QUESTIONS[place % len(QUESTIONS)]
            called = await gateway.chat(self._llama.task, question)
            self._calls.append(called)
            self._say(f"  market: {question} - {called.text} ({_cost(called)})")
        for _ in range(CALLS_MAX):
            if self._paid_calls(self._hosted) >= PAID_CALLS:
                break
            self._calls.append(await gateway.predict(self._hosted, rows.inputs))

    # -- the end

    def _paid_calls(self, task: int) -> int:
        return sum(each.task == task and each.charge > 0 for each in self._calls)

    def _cost(self) -> Counter[int]:
        """Of each task's model, planck."""
        costs: Counter[int] = Counter()
        for each in self._calls:
            costs[each.task] += each.charge
        return costs

    def _is_settled(self) -> bool:
        settled = sum(each.paid for _, _, each in self._record.settled)
        return settled >= self._cost().total()

    async def _model_of(self, client: Client, task: int) -> bytes:
        return (await client.query(ModelRegistry.models, task)).content

    async def _served(self, client: Client) -> list[Served]:
        """Where hosts keep the weights that they serve."""
        llama, hosted, passed_off = [
            await self._model_of(client, task)
            for task in (self._llama.task, self._hosted, PASSED_OFF)
        ]
        folders = [self._services.state_of(each.name) / "models" for each in (HONEST, CHEAT)]
        file, forged = folders[0] / cid_text(hosted), folders[1] / cid_text(passed_off)
        name = "model.safetensors"
        return [
            Served(self._llama.task, llama, folders[0] / cid_text(llama) / "files" / name),
            Served(self._hosted, hosted, file / name, forged / name),
        ]

    async def _check(self, client: Client) -> list[checks.Verdict]:
        record = self._record
        assert record.ended is not None, "it was waited for"
        rules = await client.query(Marketplace.parameters)
        end = record.ended[0]
        before, _ = await events_of(client, end - 1)
        stake = (await client.query(Marketplace.hosts, CHEAT.account, at=before)).stake
        parties = [each.account for each in (CHEAT, CALLER, *JURORS)]
        changes = {who: await change_in(client, end, who) for who in parties}
        blocks = {block for block, _, each in record.settled if each.host == HONEST.account}
        paid = {block: await change_in(client, block, HONEST.account) for block in sorted(blocks)}
        costs = {await self._model_of(client, task): cost for task, cost in self._cost().items()}
        return [
            claims.check_calls(self._calls, rules, self._days),
            claims.check_streams(self._calls),
            claims.check_settlement(record, costs, paid, rules),
            claims.check_slash(record, stake, changes, rules),
        ]


def _cost(called: Called) -> str:
    return f"{short(called.charge)}, by a voucher" if called.charge else "free"
