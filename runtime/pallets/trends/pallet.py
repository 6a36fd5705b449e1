"""Trends: payments list models, who locks tokens votes on them, and votes move rewards.

In a season what callers pay is counted by model and payer. When it ends, the models that counted
most and those that rose most are voted on with what was locked then. From the vote's end to the
next one's a model's votes multiply the claims of its hosts on emission and its royalties; nothing
else is minted or paid for it.
Invariant (`try_state`): tallies are the sums of payers, each up to the bound; the lists are what
all tallies give; a poll's votes are the sums of its ballots; no multiplier is less than one.

Source: litepaper, governance (top and trending models); WP VII.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from runtime import frame
from runtime.economy.parameters import ParameterOutOfBounds
from runtime.economy.trends import Multipliers, TrendParameters
from runtime.frame.weights import Weight
from runtime.pallets.trends import events, storage
from runtime.pallets.trends.counting import Counting
from runtime.pallets.trends.invariants import check
from runtime.pallets.trends.polls import Polls, vote_end
from runtime.pallets.trends.records import Parts, Season
from runtime.primitives.types import AccountId, BlockNumber

VOTE: Final = Weight(500_000_000)  # a poll with all its candidates is read and written
LOOK: Final = Weight(40_000_000)
TURN: Final = Weight(4_000_000_000)  # lists become a poll, or a poll multipliers
SWEEP: Final = Weight(20_000_000)


class Trends(storage.Trends, index=40):
    @cached_property
    def counting(self) -> Counting:
        """Payments and lists."""
        return Counting(self)

    @cached_property
    def polls(self) -> Polls:
        """Votes on lists."""
        return Polls(self)

    @frame.call(0, weight=VOTE)
    def vote(self, origin: frame.Origin, parts: Parts) -> None:
        """Divide all that one has in the open vote over up to 8 listed models. Signed.

        Each part is in parts per million of one's weight; what is left out goes to none. The last
        ballot counts. Emits ModelsVoted. Raises NoPoll, NotACandidate, BadShares, NoVotes.
        """
        self.polls.vote(frame.ensure_signed(origin), parts)

    @frame.call(1, weight=LOOK.times(2))
    def set_parameters(self, origin: frame.Origin, parameters: TrendParameters) -> None:
        """Change the rules of seasons that begin from now on, and of their votes. Root.

        Emits ParametersChanged. Raises ParametersOutOfBounds.
        """
        frame.ensure_root(origin)
        try:
            parameters.ensure_within_bounds()
        except ParameterOutOfBounds:
            raise events.ParametersOutOfBounds from None
        self.parameters.put(parameters)
        self.deposit_event(events.ParametersChanged(parameters))

    # -- what the marketplace asks

    def note_payment(self, who: AccountId, model: bytes, burned: int) -> None:
        """Count what a payment for a model burned."""
        self.counting.note(who, model, burned)

    def multipliers_of(self, model: bytes) -> Multipliers:
        """What multiplies a model's host claims and royalties now."""
        found = self.boosts.find(model)
        return Multipliers() if found is None else Multipliers(found.host, found.royalty)

    # -- hooks and genesis

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Close the vote, begin the next season, and drop what is old, when it is time."""
        season, turns = self.season.get(), 0
        if number == vote_end(season, self.config.calendar):  # no other block reads the poll
            turns += self.polls.close()
        if number >= season.until:
            rules = self.parameters.get()
            self._begin(season.number + 1, number, rules)
            self.polls.open(season.number, number, rules)
            turns += 1
        return LOOK + TURN.times(turns) + SWEEP.times(self.counting.sweep())

    def _begin(self, which: int, number: int, rules: TrendParameters) -> None:
        until = number + rules.season_days * self.config.calendar.day_blocks
        self.season.put(Season(which, until, rules))
        self.deposit_event(events.SeasonBegun(which, until))

    def genesis_build(self, parameters: TrendParameters) -> None:
        """Set the rules and begin season 0. Raises ParameterOutOfBounds."""
        parameters.ensure_within_bounds()
        self.parameters.put(parameters)
        until = parameters.season_days * self.config.calendar.day_blocks
        self.season.put(Season(0, until, parameters))

    def try_state(self) -> None:
        check(self)
