"""The marketplace's pallet as hosts and callers read it: terms, offers, channels, the day.

Everything is of the last final block, so that no fork takes a deposit back that was served for.
Owns what is remembered of a block. Invariant: all that is said between two updates is of one block.
Source: WP II.C, III.B.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from flockchain.marketplace.gateway import Route
from flockchain.marketplace.ledger import Channel, Payer, Terms
from flockchain.marketplace.promises import Line
from flockchain.sdk import Client, Head, StateView
from runtime.pallets.marketplace import Marketplace, records
from runtime.pallets.marketplace.records import Offer
from runtime.primitives.types import AccountId

ROUTES_MAX: Final = 8192  # 256 hosts of 32 offers


class HostView:
    """What a host must know to charge. `update` before use and on every final block."""

    def __init__(self, client: Client, host: AccountId) -> None:
        self._client = client
        self._host = host
        self._known: dict[Payer, Terms] = {}
        self.number = -1
        self.day = 0
        self.state: StateView | None = None
        self.offers: dict[bytes, Offer] = {}

    async def update(self) -> None:
        """Take up the last final block. Raises SdkError."""
        head: Head = await self._client.chain.finalized()
        if head.number == self.number:
            return
        state = self._client.gathered_at(head.hash)
        offers = {
            model: offer async for model, offer in state.query_map(Marketplace.offers, self._host)
        }
        self.number, self.state, self.offers = head.number, state, offers
        self.day = self._client.preset.calendar.day_of(head.number)
        self._known = {}

    async def terms(self, payer: Payer) -> Terms:
        """On what terms it calls. Raises SdkError."""
        known = self._known.get(payer)
        if known is not None:
            return known
        state = self.state
        assert state is not None, "update comes first"
        offer = self.offers.get(payer.model)
        line = records.Line(self._host, payer.model)
        opened = state.find(Marketplace.channels, (payer.caller, line))
        staked = state.find(Marketplace.callers, payer.caller)
        ruled = state.query(Marketplace.parameters)
        channel, stake, rules = await asyncio.gather(opened, staked, ruled)
        free = 0 if stake is None else rules.free_calls(stake.counted_on(self.day))
        price = None if offer is None else offer.price
        terms = Terms(price, free, self.day, _channel(channel))
        if state is self.state:  # no block came in between
            self._known[payer] = terms
        return terms

    async def channels(self, payers: Sequence[Payer]) -> dict[Payer, Channel]:
        """The channels of these payers that there are. Raises SdkError."""
        assert self.state is not None, "update comes first"
        keys = [(each.caller, records.Line(self._host, each.model)) for each in payers]
        found = await self.state.query_many(Marketplace.channels, keys)
        pairs = zip(payers, map(_channel, found), strict=True)
        return {payer: channel for payer, channel in pairs if channel is not None}


class CallerView:
    """What a caller's gateway asks; read again when a block became final."""

    def __init__(self, client: Client, caller: AccountId, hosts: frozenset[AccountId]) -> None:
        """`hosts`: only these, all if it is empty."""
        self._client = client
        self._caller = caller
        self._hosts = hosts
        self._head: Head | None = None
        self._routes: list[Route] = []

    async def routes(self) -> Sequence[Route]:
        """Every offer that is open now. Raises SdkError."""
        head = await self._client.chain.finalized()
        if self._head is None or head.hash != self._head.hash:
            found: list[Route] = []
            async for (host, model), offer in self._client.at(head.hash).query_map(
                Marketplace.offers
            ):
                if not self._hosts or host in self._hosts:
                    line = Line(AccountId(host), model)
                    found.append(Route(line, name_of(offer), offer.endpoint, offer.price))
            self._head, self._routes = head, found[:ROUTES_MAX]
        return self._routes

    async def channel(self, line: Line) -> Channel | None:
        """The caller's channel. Raises SdkError."""
        key = (self._caller, records.Line(line.host, line.model))
        found = await (await self._client.at_finalized()).find(Marketplace.channels, key)
        return _channel(found)

    async def day(self) -> int:
        """The chain's day. Raises SdkError."""
        head = await self._client.chain.finalized()
        return self._client.preset.calendar.day_of(head.number)


def name_of(offer: Offer) -> str:
    """What an offered model is called in calls."""
    return f"task-{offer.task}"


def _channel(found: records.Channel | None) -> Channel | None:
    if found is None:
        return None
    return Channel(found.deposit, found.settled, found.closing_at is not None)
