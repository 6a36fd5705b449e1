"""What becomes of what a caller pays: a part burns, a part waits for the model's contributors.

Royalties of a model wait in a pot until anybody has them paid. They are divided equally among the
models of its lineage, itself included. Of a model's score each contributed data set has what it
added, and who made the model the rest; in these proportions its part is divided.
Source: WP III.B.2 (payment); royalties are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.economy.market import PaymentSplit
from runtime.economy.parameters import SCORE_MAX
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
        multipliers = market.trends.multipliers_of(model)
        split = market.parameters.get().split(paid, multipliers.royalty)
        currency.transfer_held(HoldReason.CHANNEL, caller, host, split.host)
        currency.burn_held(HoldReason.CHANNEL, caller, split.burned)
        self.ratings.note(caller, host, paid, split.burned, multipliers.host)
        market.trends.note_payment(caller, model, split.burned)
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
        parts = self._parts(waiting, market.models.lineage(model))
        kept = sum(amount for _, amount in market.currency.pay_out(market.config.royalties, parts))
        if kept:
            market.royalties.put(model, kept)
        else:
            market.royalties.remove(model)
        market.deposit_event(events.RoyaltiesPaid(model, waiting - kept, kept))

    def _parts(self, amount: int, lineage: Sequence[HostedModel]) -> list[tuple[AccountId, int]]:
        """Who gets what of a royalty, by account."""
        owed: dict[AccountId, int] = {}
        for model, part in zip(lineage, apportion(amount, [1] * len(lineage)), strict=True):
            shares = self._shares(model)
            weights = [weight for _, weight in shares]
            for (who, _), share in zip(shares, apportion(part, weights), strict=True):
                owed[who] = owed.get(who, 0) + share
        return [(who, part) for who, part in sorted(owed.items()) if part]

    def _shares(self, model: HostedModel) -> list[tuple[AccountId, int]]:
        """A model's maker and the owners of data that it was trained on, by score units."""
        market = self.market
        sets = [market.contributions.get(each) for each in market.data_of.get(model.task)]
        added = [(each.owner, each.impact) for each in sets if each.impact]
        score = model.score_numerator // model.score_denominator or SCORE_MAX
        own = max(score - sum(impact for _, impact in added), 0)
        return [(model.owner, own), *added]
