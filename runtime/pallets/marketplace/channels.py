"""Payment channels: deposits by caller, host and model, settled by the caller's vouchers.

A call costs no transaction: the caller signs what it owes in all, the host keeps the highest
voucher and settles when it likes. What was settled never falls, so a voucher pays once.
Source: WP II.C, III.B.2 (payment of hosts beyond the free calls).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runtime import frame
from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import events
from runtime.pallets.marketplace.payments import Payments
from runtime.pallets.marketplace.records import Channel, Claim, Line
from runtime.pallets.marketplace.storage import Marketplace
from runtime.primitives.types import AccountId
from runtime.primitives.vouchers import Voucher


class Channels:
    """Opening, filling, settling, closing."""

    def __init__(self, market: Marketplace) -> None:
        self.market = market
        self.payments = Payments(market)

    def open(self, caller: AccountId, line: Line, amount: int) -> None:
        """Deposit for calls of a host's model; a new record burns its fee."""
        market = self.market
        found = market.channels.find((caller, line))
        if caller == line.host:
            raise events.OwnHost
        offer = market.offer_of(line.host, line.model)
        if found is not None and (found.left() or found.closing_at is not None):
            raise events.ChannelOpen
        if not 0 < max(offer.price, 1) <= amount:
            raise events.NoDeposit
        market.currency.hold(HoldReason.CHANNEL, caller, amount)
        if found is None:
            market.currency.burn(caller, market.config.channel_fee)
        self._fund(caller, line, found or Channel(0), amount)

    def top_up(self, caller: AccountId, line: Line, amount: int) -> None:
        """Deposit more."""
        found = self._find(caller, line)
        if found.closing_at is not None:
            raise events.ChannelIsClosing
        if amount == 0:
            raise events.NoDeposit
        self.market.currency.hold(HoldReason.CHANNEL, caller, amount)
        self._fund(caller, line, found, amount)

    def close(self, caller: AccountId, line: Line) -> None:
        """Give the host a day to settle."""
        market, found = self.market, self._find(caller, line)
        if found.closing_at is not None:
            raise events.ChannelIsClosing
        closing_at = market.block.block_number() + market.config.calendar.day_blocks
        market.channels.put((caller, line), replace(found, closing_at=closing_at))
        market.deposit_event(events.ChannelClosing(caller, line.host, line.model, closing_at))

    def withdraw(self, caller: AccountId, line: Line) -> None:
        """Take back what no voucher claimed."""
        market, found = self.market, self._find(caller, line)
        if found.closing_at is None or market.block.block_number() < found.closing_at:
            raise events.NotYetFree
        market.currency.release(HoldReason.CHANNEL, caller, found.left())
        market.channels.put((caller, line), Channel(found.settled, found.settled))
        market.deposit_event(events.ChannelClosed(caller, line.host, line.model, found.left()))

    def settle(self, host: AccountId, claim: Claim) -> None:
        """Pay what a voucher claims beyond what was settled."""
        error = self._refusal(host, claim)
        if error is not None:
            raise error
        self._pay(host, claim)

    def settle_many(self, host: AccountId, claims: Sequence[Claim]) -> None:
        """The same for many callers; what earns nothing is told and skipped."""
        settled = 0
        for claim in claims:
            error = self._refusal(host, claim)
            if error is None:
                self._pay(host, claim)
                settled += 1
            else:
                self.market.deposit_event(
                    events.ClaimRefused(claim.caller, host, claim.model, error.error_index)
                )
        if not settled:
            raise events.NothingSettled

    def _refusal(self, host: AccountId, claim: Claim) -> frame.ModuleError | None:
        """Why a claim earns nothing. The signature, which costs most, comes last."""
        market = self.market
        found = market.channels.find((claim.caller, Line(host, claim.model)))
        if found is None:
            return events.UnknownChannel()
        if claim.total <= found.settled:
            return events.NothingNew()
        if claim.total > found.deposit:
            return events.AboveDeposit()
        genesis = market.block.genesis_hash()
        voucher = Voucher(genesis, claim.caller, host, claim.model, claim.total)
        if not market.verifier(claim.signature, claim.caller, voucher.payload()):
            return events.BadSignature()
        return None

    def _pay(self, host: AccountId, claim: Claim) -> None:
        market, key = self.market, (claim.caller, Line(host, claim.model))
        found = market.channels.get(key)
        paid = claim.total - found.settled
        market.channels.put(key, replace(found, settled=claim.total))
        split = self.payments.pay(claim.caller, host, claim.model, paid)
        market.deposit_event(
            events.Settled(
                *(claim.caller, host, claim.model, claim.total, paid, split.burned, split.royalty)
            )
        )

    def _fund(self, caller: AccountId, line: Line, found: Channel, amount: int) -> None:
        deposit = found.deposit + amount
        self.market.channels.put((caller, line), replace(found, deposit=deposit))
        self.market.deposit_event(events.ChannelFunded(caller, line.host, line.model, deposit))

    def _find(self, caller: AccountId, line: Line) -> Channel:
        found = self.market.channels.find((caller, line))
        if found is None:
            raise events.UnknownChannel
        return found
