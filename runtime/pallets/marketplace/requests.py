"""Calls that the chain makes: the fee waits for an answer, and returns when none comes.

Who answers first is paid its price, the rest of the fee returns. The answer is a content id; the
host signs it as it signs any, so that it can be challenged. A block lets a bounded number expire;
who does not want to wait for its turn takes its own fee back.
Source: WP II.C (inference for what runs on the chain).
"""

from __future__ import annotations

from itertools import islice

from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import events, records
from runtime.pallets.marketplace.payments import Payments
from runtime.pallets.marketplace.records import Request
from runtime.pallets.marketplace.storage import Marketplace
from runtime.primitives.multi import MultiSignature
from runtime.primitives.types import ZERO_HASH, AccountId, Hash
from runtime.primitives.vouchers import Answer


class Requests:
    """Asking, answering, expiring."""

    def __init__(self, market: Marketplace) -> None:
        self.market = market
        self.payments = Payments(market)

    def request(
        self, caller: AccountId, host: AccountId | None, model: bytes, question: bytes, max_fee: int
    ) -> None:
        """Hold the fee and ask."""
        market = self.market
        market.model_of(model)
        least = market.config.channel_fee
        if host is not None:
            if host == caller:
                raise events.OwnHost
            least = max(market.offer_of(host, model).price, least)
        if max_fee < least:
            raise events.FeeTooSmall
        market.currency.hold(HoldReason.CHANNEL, caller, max_fee)
        number = market.next_request.get()
        deadline = market.block.block_number() + market.parameters.get().request_blocks
        market.next_request.put(number + 1)
        market.requests.put(number, Request(caller, host, model, question, max_fee, deadline))
        market.deadlines.put((deadline, number), True)
        market.deposit_event(
            events.InferenceRequested(number, caller, model, question, host, deadline)
        )

    def answer(self, who: AccountId, number: int, answer: bytes, signature: MultiSignature) -> None:
        """Take the host's price out of the fee and tell who waits."""
        market = self.market
        found = market.requests.find(number)
        if found is None or market.block.block_number() >= found.deadline:
            raise events.UnknownRequest
        if found.host not in (None, who):
            raise events.NotAsked
        if found.caller == who:
            raise events.OwnHost
        price = market.offer_of(who, found.model).price
        if price > found.max_fee:
            raise events.FeeTooSmall
        said = self._answer(who, number, found, answer)
        if not market.verifier(signature, who, said.payload()):
            raise events.BadSignature
        self._forget(number, found)
        self.payments.pay(found.caller, who, found.model, price)
        market.currency.release(HoldReason.CHANNEL, found.caller, found.max_fee - price)
        market.deposit_event(
            events.InferenceAnswered(
                *(number, found.caller, who, found.model, found.question, answer, price, signature)
            )
        )

    def _answer(self, who: AccountId, number: int, found: Request, answer: bytes) -> Answer:
        """What the host signs: its seed is the request's number."""
        genesis, asked = self.market.block.genesis_hash(), Hash(found.question)
        said = Hash(answer)
        return Answer(
            genesis, who, found.caller, found.model, asked, ZERO_HASH, seed=number, answer=said
        )

    def withdraw(self, caller: AccountId, number: int) -> None:
        """Take the fee back once the time is over, before it is the request's turn."""
        found = self.market.requests.find(number)
        if found is None or found.caller != caller:
            raise events.UnknownRequest
        if self.market.block.block_number() < found.deadline:
            raise events.NotYetFree
        self._return_fee(number, found)

    def expire(self, number: int) -> int:
        """Return the fees of requests whose time is over; at how many things it looked."""
        market, block, looks = self.market, self.market.next_deadline.get(), 0
        while block <= number and looks < records.LOOKS_MAX:
            room = records.LOOKS_MAX - looks
            due = [each for each, _ in islice(market.deadlines.items_of(block), room)]
            for each in due:
                self._return_fee(each, market.requests.get(each))
            looks += len(due) + 1
            if len(due) == room:
                break
            block += 1
        market.next_deadline.put(block)
        return looks

    def _return_fee(self, number: int, found: Request) -> None:
        market = self.market
        self._forget(number, found)
        market.currency.release(HoldReason.CHANNEL, found.caller, found.max_fee)
        market.deposit_event(events.RequestExpired(number, found.caller, found.max_fee))

    def _forget(self, number: int, found: Request) -> None:
        self.market.requests.remove(number)
        self.market.deadlines.remove((found.deadline, number))
