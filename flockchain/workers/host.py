"""The host's worker: stakes, offers and serves models, answers the chain, is paid.

Owns the server, the serving process, the book and the jobs of one key. Invariant: a model is
offered only while it is served; what callers owe is settled at a threshold, when a day ends, and
when a caller closes its channel; killed at any time, it goes on where its book and the chain are.
Source: WP II.C, II.D.6 (model hosts), III.B.2.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Final

from flockchain.clock import SystemClock
from flockchain.keys import KeyPair
from flockchain.marketplace.accounts import Accounts
from flockchain.marketplace.answering import Answering
from flockchain.marketplace.calls import Calls
from flockchain.marketplace.catalogue import Catalogue, ServedModel
from flockchain.marketplace.chain_market import HostView
from flockchain.marketplace.inference import Inference, InferenceFailed
from flockchain.marketplace.ledger import Claim
from flockchain.marketplace.ledger_file import LedgerFile
from flockchain.marketplace.limits import Limits
from flockchain.marketplace.model_files import ModelFolder
from flockchain.marketplace.retrieval import Library
from flockchain.marketplace.server import MarketServer
from flockchain.marketplace.signed_answers import AnswerSigner
from flockchain.rpc.metrics import MetricsServer
from flockchain.sdk import Client, Head, SdkError, StateView
from flockchain.workers.actions import Actions
from flockchain.workers.head_loop import TICK_GAP_S, HeadLoop
from flockchain.workers.jobs import Jobs
from flockchain.workers.request_answers import RequestAnswers
from runtime.frame.pallet import encode_call
from runtime.pallets.marketplace import Marketplace, records
from runtime.pallets.model_registry import Model, ModelRegistry
from runtime.primitives.multi import MULTI_SIGNATURE
from runtime.primitives.types import FML, Hash

log = logging.getLogger(__name__)

CLAIMS_PER_CALL: Final = 64  # of 256 that the chain takes: they fit beside others into a block
SETTLE_AT: Final = 10 * FML


@dataclass(frozen=True, slots=True)
class Offering:
    """The model of a task that a host serves, for `price` planck a call.

    `follows`: newer models that come of it take its place. `directory`: its files, if its operator
    has them. `serves`: another task, whose model is passed off as this one: an attack.
    """

    task: int
    price: int
    follows: bool = False
    directory: Path | None = None
    serves: int | None = None


@dataclass(frozen=True, slots=True)
class HostOptions:
    """Where a host listens and how it is reached. `settle_at` in planck."""

    endpoint: str | None = None
    listen: str = "127.0.0.1"
    port: int = 8090
    metrics_port: int | None = None
    device: str = "auto"
    settle_at: int = SETTLE_AT
    limits: Limits = field(default=Limits())


class Host:
    """Serves the offerings of one key. Use it as `async with`, or call `close`."""

    def __init__(
        self,
        client: Client,
        key: KeyPair,
        offerings: Sequence[Offering],
        state_directory: Path,
        options: HostOptions | None = None,
        *,
        tick_gap_s: float = TICK_GAP_S,
    ) -> None:
        """Raises StateFileError."""
        self._client, self._key = client, key
        self._options = options or HostOptions()
        self._offerings = list(offerings)
        self._loop = HeadLoop(client, self._tick, tick_gap_s)
        self._jobs = Jobs(self._loop.wake)
        self._actions = Actions(client, self._loop.wake)
        self._view = HostView(client, key.account)
        self._folder = ModelFolder(client, state_directory)
        self._catalogue = Catalogue()
        self._inference = Inference(self._options.device)
        self._settled_day: int | None = None
        self.book = LedgerFile(state_directory, client.genesis, key.account)
        clock, library = SystemClock(), Library(client.get_blob)
        self._requests = RequestAnswers(
            client,
            key,
            (self._catalogue, Answering(self._inference, library)),
            (self._jobs, self._actions),
            self._options.limits,
        )
        calls = Calls(
            Accounts(self.book, self._view, client.genesis, key.account),
            self._catalogue,
            self._inference,
            library,
            AnswerSigner(key, client.genesis),
            self._options.limits,
            clock,
        )
        self.server = MarketServer(calls, self._options.listen, self._options.port)
        self._metrics: MetricsServer | None = None
        self._clock = clock

    async def run(self) -> None:
        """Work until cancelled. Raises WrongChain, RpcFailed, OSError if a port is taken."""
        await self._view.update()
        await self.server.start()
        if self._options.metrics_port is not None:
            self._metrics = MetricsServer(self.server.metrics, port=self._options.metrics_port)
            await self._metrics.start()
        await self._loop.run()

    async def settled(self, block: Hash) -> None:
        """Wait until all that this best block calls for is done, or in the node's pool."""
        await self._loop.settled(block)

    async def close(self) -> None:
        """Stop serving; release the book."""
        await self.server.stop()
        if self._metrics is not None:
            await self._metrics.stop()
        await self._jobs.close()
        await self._actions.close()
        await self._inference.close()
        await self.book.close()

    async def __aenter__(self) -> Host:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def endpoint(self) -> str:
        """Where callers find it."""
        return self._options.endpoint or f"http://{self._options.listen}:{self.server.port}/v1"

    # -- ticks

    async def _tick(self, head: Head) -> None:
        try:
            await self._view.update()
            if await self._is_registered(head):
                for place in range(len(self._offerings)):
                    await self._serve(head, place)
                await self._requests.step(head, self._client.at(head.hash))
            await self._settle(head)
        except (SdkError, InferenceFailed, OSError) as error:
            log.warning("%s: %s", self._name, error)
        if not (self._loop.has_changed or self._jobs.running or self._actions.entering):
            await self._loop.settle(head.hash)

    async def _is_registered(self, head: Head) -> bool:
        best = self._client.gathered_at(head.hash)
        found = best.find(Marketplace.hosts, self._key.account)
        host, rules = await asyncio.gather(found, best.query(Marketplace.parameters))
        if host is None:
            call = encode_call(Marketplace.register_host)
            self._act("register", head, call, f"staked {rules.host_stake} planck as a host")
        elif host.leaving_at is None and host.stake < rules.host_stake:
            log.warning(
                "%s: a stake of %d planck is too small: `flockchain market` adds to it",
                self._name,
                host.stake,
            )
        return host is not None and host.leaving_at is None and host.stake >= rules.host_stake

    # -- models

    async def _serve(self, head: Head, place: int) -> None:
        """Open a model, or the newest that came of it, and offer it once it answers."""
        offering, state, who = self._offerings[place], self._client.at(head.hash), self._key.account
        model = await state.find(ModelRegistry.models, offering.task)
        if model is None:
            return
        newest = model
        if offering.follows:
            newest = await self._newest(state, model)
        if newest.task != offering.task:  # the operator's files are those of the older model
            offering = replace(offering, task=newest.task, directory=None)
        served = self._jobs.poll(
            ("open", newest.content), head.number, lambda: self._open(offering, newest.content)
        )
        if served is None:
            return
        self._catalogue.put(served)
        old = await state.find(Marketplace.offers, (who, model.content))
        if newest.content != model.content and old is not None:
            call = encode_call(Marketplace.update_offer, model.content, newest.content)
            self._act(("follow", newest.content), head, call, f"follows to {served.name}")
            return
        if newest.content != model.content:
            await self._drop(place, offering, model)
        await self._offer(head, state, offering, served)

    async def _offer(
        self, head: Head, state: StateView, offering: Offering, served: ServedModel
    ) -> None:
        offer = await state.find(Marketplace.offers, (self._key.account, served.offer))
        wanted = (offering.price, self.endpoint, offering.follows)
        if offer is None or (offer.price, offer.endpoint, offer.follows) != wanted:
            call = encode_call(
                Marketplace.offer, served.offer, self.endpoint, offering.price, offering.follows
            )
            self._act(("offer", served.offer), head, call, f"offers {served.name}")

    async def _newest(self, state: StateView, model: Model) -> Model:
        """The last of the models that came of this one."""
        made = [each async for _, each in state.query_map(ModelRegistry.models)]
        newest = model
        for each in sorted(made, key=lambda each: (each.block, each.task)):
            if newest.content in each.parents:
                newest = each
        return newest

    async def _drop(self, place: int, offering: Offering, old: Model) -> None:
        """Serve a newer model from now on."""
        self._offerings[place] = offering
        name = f"task-{old.task}"
        self._jobs.forget(("open", old.content))
        if any(each.name == name for each in self._catalogue.all()):
            served = self._catalogue.find(name)
            self._catalogue.drop(name)
            await self._inference.drop(served)

    async def _open(self, offering: Offering, content: bytes) -> ServedModel:
        task, digest = offering.task, content
        if offering.serves is not None:
            task = offering.serves
            digest = (await self._client.query(ModelRegistry.models, task)).content
        if offering.directory is None:
            files = await self._folder.get(digest, task)
        else:
            files = await asyncio.to_thread(self._folder.adopt, digest, offering.directory)
        served = ServedModel(
            name=f"task-{offering.task}",
            offer=content,
            digest=content,
            kind=files.kind,
            price=offering.price,
            path=files.path,
            created=self._clock.now_ms() // 1000,
            fraction_bits=files.fraction_bits,
        )
        await self._inference.open(served)
        log.info("%s serves %s, model %s", self._name, served.name, served.text)
        return served

    # -- pay

    async def _settle(self, head: Head) -> None:
        """Claim what is owed: at the threshold, when a day has ended, before a channel closes."""
        ledger, day = self.book.ledger, self._view.day
        owing = [
            payer for payer, account in ledger.accounts.items() if account.spent > account.settled
        ]
        channels = await self._view.channels(owing)
        noted = [ledger.note_settled(payer, each.settled) for payer, each in channels.items()]
        await self.book.write(list(chain.from_iterable(noted)))
        closing = frozenset(payer for payer, channel in channels.items() if channel.is_closing)
        claims = [
            claim
            for claim in ledger.claims(day, closing)
            if claim.payer in channels and claim.total <= channels[claim.payer].deposit
        ]
        if not claims:
            self._settled_day = day
        elif self._settled_day is None:  # a day may have ended while the host did not run
            since = [ledger.account(claim.payer).owing_since for claim in claims]
            self._settled_day = min(*since, day)
        is_due = sum(claim.earned for claim in claims) >= self._options.settle_at
        if not is_due and self._settled_day == day:
            claims = [claim for claim in claims if claim.payer in closing]
        await self._claim(head, claims)

    async def _claim(self, head: Head, claims: Sequence[Claim]) -> None:
        """Hand claims in, but those that a block has which is not final yet."""
        who, state = self._key.account, self._client.at(head.hash)
        keys = [(each.payer.caller, records.Line(who, each.payer.model)) for each in claims]
        found = await state.query_many(Marketplace.channels, keys)
        new = [
            claim
            for claim, channel in zip(claims, found, strict=True)
            if channel is not None and channel.settled < claim.total
        ]
        for at, batch in enumerate(_batches(new)):
            call = encode_call(Marketplace.settle_many, [_claim(claim) for claim in batch])
            earned = sum(claim.earned for claim in batch)
            text = f"settled {earned} planck of {len(batch)} channels"
            self._act(("settle", at), head, call, text)

    def _act(self, name: Hashable, head: Head, call: bytes, text: str) -> None:
        self._actions.act(name, head.number, self._key, call, f"{self._name} {text}")

    @property
    def _name(self) -> str:
        return self._key.address()[:8]


def _batches(claims: Sequence[Claim]) -> Iterator[Sequence[Claim]]:
    for start in range(0, len(claims), CLAIMS_PER_CALL):
        yield claims[start : start + CLAIMS_PER_CALL]


def _claim(claim: Claim) -> records.Claim:
    signature = MULTI_SIGNATURE.decode_all(bytes.fromhex(claim.signature))
    return records.Claim(claim.payer.caller, claim.payer.model, claim.total, signature)
