"""Counting a season's payments: who burned how much for which model, and the two lists.

A payer counts what it burned for a model up to a bound, so many payers weigh more than one large
one, and to be many costs as much as is counted. What a model counts only grows in a season; so the
lists are exact, though only the model that was paid for is looked at.
Source: litepaper, governance (rewarding prominent models without self-dealing and Sybils).
"""

from __future__ import annotations

from runtime.pallets.trends.records import SWEPT_MAX, Listed, Payer, Season, Tally
from runtime.pallets.trends.storage import Trends
from runtime.primitives.types import AccountId


class Counting:
    """Payments, tallies and lists."""

    def __init__(self, trends: Trends) -> None:
        self.trends = trends

    def note(self, who: AccountId, model: bytes, burned: int) -> None:
        """Count what a payment burned; a first one that burned too little leaves no record."""
        trends, season = self.trends, self.trends.season.get()
        rules, key = season.rules, (season.number, Payer(model, who))
        found = trends.payers.find(key)
        if found is None and burned < rules.payer_least:
            return
        before = found or 0
        trends.payers.put(key, before + burned)
        gained = min(before + burned, rules.payer_most) - min(before, rules.payer_most)
        if not gained:
            return
        tally = trends.tallies.get((season.number, model))
        tally = Tally(tally.counted + gained, tally.payers + (found is None))
        trends.tallies.put((season.number, model), tally)
        if tally.payers >= rules.payers_least:
            self._list(season, model, tally)

    def _list(self, season: Season, model: bytes, tally: Tally) -> None:
        """Give a model its places in the lists."""
        trends, rules = self.trends, season.rules
        before = trends.tallies.get((season.number - 1, model)) if season.number else Tally(0, 0)
        rise = rules.rise(tally.counted, before.counted)
        made = Listed(model, tally.counted, tally.payers, rise)
        top = [made, *(each for each in trends.top.get() if each.model != model)]
        trends.top.put(sorted(top, key=Listed.top_key)[: rules.listed])
        trending = [made, *(each for each in trends.trending.get() if each.model != model)]
        trends.trending.put(sorted(trending, key=Listed.rise_key)[: rules.listed])

    def sweep(self) -> int:
        """Drop some of what is kept of seasons before the last; how many entries that were."""
        trends, oldest = self.trends, self.trends.swept.get()
        if oldest + 2 > trends.season.get().number:
            return 0
        done = 0
        for item in (trends.payers, trends.ballots, trends.tallies):
            done += item.remove_some(oldest, SWEPT_MAX - done) if done < SWEPT_MAX else 0
        if done < SWEPT_MAX:
            trends.swept.put(oldest + 1)
        return done
