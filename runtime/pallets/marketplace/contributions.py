"""Contributed data: a set for a model, the follow-up task that trains on it, and its impact.

A set is known by its content id and belongs to who recorded it first; what a task's terms named
before is nobody's any more. When a follow-up task of the
model trains on it and validators have measured what it added, its owner shares in the royalties of
that task's model.
Source: WP II.C (feedback on models that are served improves them).
"""

from __future__ import annotations

from dataclasses import replace

from runtime.pallets.marketplace import events, records
from runtime.pallets.marketplace.case_records import Contribution
from runtime.pallets.marketplace.storage import Marketplace
from runtime.primitives.types import AccountId


class Contributions:
    """Recording data sets, and that tasks use them."""

    def __init__(self, market: Marketplace) -> None:
        self.market = market

    def contribute(self, who: AccountId, dataset: bytes, model: bytes) -> None:
        """Record a data set; its record stays, so it burns a fee."""
        market, own = self.market, self.market.contributed.get(who)
        market.model_of(model)
        if market.contributions.contains(dataset):
            raise events.AlreadyContributed
        if len(own) >= records.CONTRIBUTIONS_MAX:
            raise events.TooManyContributions
        market.currency.burn(who, market.config.channel_fee)
        block = market.block.block_number()
        market.contributions.put(dataset, Contribution(who, model, block))
        market.contributed.put(who, [*own, dataset])
        market.deposit_event(events.Contributed(dataset, who, model))

    def use(self, dataset: bytes, task: int) -> None:
        """Note that a follow-up task of the model trains on the set, as the task's terms say."""
        market = self.market
        found = market.contributions.find(dataset)
        if found is None:
            raise events.UnknownContribution
        if found.task is not None:
            raise events.AlreadyUsed
        record = market.tasks.get_task(task)
        if dataset not in record.terms.training or found.model not in record.terms.parents:
            raise events.NotInUse
        if found.block >= record.created_at:
            raise events.ContributedLate
        market.contributions.put(dataset, replace(found, task=task))
        market.data_of.put(task, [*market.data_of.get(task), dataset])
        market.deposit_event(events.ContributionUsed(dataset, task))
