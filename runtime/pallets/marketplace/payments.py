"""What becomes of what a caller pays: a part burns, a part waits for the model's contributors.

Royalties of a model wait in a pot until anybody has them paid. They are divided equally among the
models of its lineage, itself included, and each part goes to who made that model.
Source: WP III.B.2 (payment); royalties are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.economy.market import PaymentSplit
from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import events
from runtime.pallets.marketplace.needs import HostedModel
from runtime.pallets.marketplace.ratings import Ratings
from runtime.pallets.marketplace.storage import Marketplace
from runtime.primitives.apportion import apportion
from runtime.primitives.types import AccountId


class Payments:
    """Of held tokens of callers, and of the royalties' pot."""

    def __init__(self, market: Marketplace) -> None:
        self.market = market
        self.ratings = Ratings(market)

    def pay(self, caller: AccountId, host: AccountId, model: bytes, paid: int) -> PaymentSplit:
        """Divide `paid` planck that are held of the caller. The host's part, which can be refused
        if its account is gone, comes first."""
        market, currency = self.market, self.market.currency
        split = market.parameters.get().split(paid)
        currency.transfer_held(HoldReason.CHANNEL, caller, host, split.host)
        currency.burn_held(HoldReason.CHANNEL, caller, split.burned)
        self.ratings.note(caller, host, paid, split.burned)
        if split.royalty:
            pot = market.config.royalties
            currency.transfer_held(HoldReason.CHANNEL, caller, pot, split.royalty)
            market.royalties.put(model, market.royalties.get(model) + split.royalty)
        return split

    def pay_royalties(self, model: bytes) -> None:
        """Give a model's royalties to its contributors; what would be dust waits on."""
        market = self.market
        waiting = market.royalties.get(model)
        if not waiting:
            raise events.NoRoyalties
        parts = royalty_parts(waiting, market.models.lineage(model))
        kept = sum(amount for _, amount in market.currency.pay_out(market.config.royalties, parts))
        if kept:
            market.royalties.put(model, kept)
        else:
            market.royalties.remove(model)
        market.deposit_event(events.RoyaltiesPaid(model, waiting - kept, kept))


def royalty_parts(amount: int, lineage: Sequence[HostedModel]) -> list[tuple[AccountId, int]]:
    """Who gets what of a royalty, by account: equal parts for the models of a lineage."""
    owners: dict[AccountId, int] = {}
    for model, part in zip(lineage, apportion(amount, [1] * len(lineage)), strict=True):
        owners[model.owner] = owners.get(model.owner, 0) + part
    return [(who, part) for who, part in sorted(owners.items()) if part]
