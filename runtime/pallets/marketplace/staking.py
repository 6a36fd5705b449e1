"""Callers' stakes: how many calls a day are free.

A stake counts from the day after it arrived and leaves after its notice, so that no stake makes
calls free for two accounts on one day. The calls themselves are counted by hosts, off the chain.
Source: WP III.B.2 (users have a rate limit by their stake).
"""

from __future__ import annotations

from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import events, records
from runtime.pallets.marketplace.records import CallerStake, Leaving
from runtime.pallets.marketplace.storage import Marketplace
from runtime.primitives.types import AccountId


class Staking:
    """Stakes of callers."""

    def __init__(self, market: Marketplace) -> None:
        self.market = market

    def stake(self, who: AccountId, amount: int) -> None:
        """Hold more."""
        if amount == 0:
            raise events.NothingStaked
        found = self._of(who)
        self.market.currency.hold(HoldReason.CALLER_STAKE, who, amount)
        total = found.amount + amount
        self._put(who, total, found, found.leaving)
        self.market.deposit_event(events.CallerStaked(who, total))

    def unstake(self, who: AccountId, amount: int) -> None:
        """Give notice for a part."""
        found = self._of(who)
        if not 0 < amount <= found.amount:
            raise events.NothingStaked
        if len(found.leaving) >= records.LEAVING_MAX:
            raise events.TooManyParts
        free_at = self.market.free_at()
        self._put(who, found.amount - amount, found, [*found.leaving, Leaving(amount, free_at)])
        self.market.deposit_event(events.CallerUnstaking(who, amount, free_at))

    def withdraw(self, who: AccountId) -> None:
        """Make free what has waited long enough."""
        found, number = self._of(who), self.market.block.block_number()
        left = [part for part in found.leaving if part.free_at > number]
        amount = sum(part.amount for part in found.leaving) - sum(part.amount for part in left)
        if not amount:
            raise events.NotYetFree
        self.market.currency.release(HoldReason.CALLER_STAKE, who, amount)
        self._put(who, found.amount, found, left)
        self.market.deposit_event(events.CallerUnstaked(who, amount))

    def free_calls(self, who: AccountId) -> int:
        """How many calls of each host's model are free today."""
        found = self.market.callers.find(who)
        stake = 0 if found is None else found.counted_on(self.market.today())
        return self.market.parameters.get().free_calls(stake)

    def _of(self, who: AccountId) -> CallerStake:
        found = self.market.callers.find(who)
        return CallerStake(0, 0, self.market.today(), []) if found is None else found

    def _put(self, who: AccountId, amount: int, old: CallerStake, leaving: list[Leaving]) -> None:
        """Keep a stake, and what it was when today began."""
        today = self.market.today()
        before = old.before if old.day == today else old.amount
        if amount or leaving:
            self.market.callers.put(who, CallerStake(amount, before, today, leaving))
        else:
            self.market.callers.remove(who)
