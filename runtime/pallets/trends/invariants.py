"""What is true of trends after every block.

Source: litepaper, governance.
"""

from __future__ import annotations

from dataclasses import replace

from runtime.economy.trends import PPM
from runtime.pallets.trends.polls import counted_in, vote_end
from runtime.pallets.trends.records import CANDIDATES_MAX, Listed, Poll, Season, Tally
from runtime.pallets.trends.storage import Trends


def check(trends: Trends) -> None:
    """Raise AssertionError if an invariant is broken."""
    season, poll = trends.season.get(), trends.poll.find()
    _check_tallies(trends, season)
    _check_lists(trends, season)
    if poll is not None:
        _check_poll(trends, poll)
        assert poll.until == vote_end(season, trends.config.calendar), "a vote that would not end"
    boosts = list(trends.boosts.items())
    assert len(boosts) <= CANDIDATES_MAX
    for model, boost in boosts:
        assert min(boost.host, boost.royalty) >= PPM, f"boost of {model.hex()}"
    oldest = min(trends.swept.get(), season.number)
    for item in (trends.payers, trends.tallies, trends.ballots):
        kept = {of for of, _ in item.keys()}  # noqa: SIM118
        assert min(kept, default=oldest) >= oldest, f"{item.name} before season {oldest}"


def _check_tallies(trends: Trends, season: Season) -> None:
    counted: dict[bytes, Tally] = {}
    for payer, burned in trends.payers.items_of(season.number):
        old = counted.get(payer.model, Tally(0, 0))
        most = min(burned, season.rules.payer_most)
        counted[payer.model] = Tally(old.counted + most, old.payers + 1)
    assert counted == dict(trends.tallies.items_of(season.number)), f"season {season.number}"


def _check_lists(trends: Trends, season: Season) -> None:
    """The lists are what all tallies together give."""
    rules, number = season.rules, season.number
    before = dict(trends.tallies.items_of(number - 1)) if number else {}
    listed = [
        Listed(
            *(model, tally.counted, tally.payers),
            rules.rise(tally.counted, before.get(model, Tally(0, 0)).counted),
        )
        for model, tally in trends.tallies.items_of(number)
        if tally.payers >= rules.payers_least
    ]
    assert trends.top.get() == sorted(listed, key=Listed.top_key)[: rules.listed]
    assert trends.trending.get() == sorted(listed, key=Listed.rise_key)[: rules.listed]


def _check_poll(trends: Trends, poll: Poll) -> None:
    emptied = [replace(each, votes=0) for each in poll.candidates]
    counted = replace(poll, candidates=emptied, turnout=0, cast=0)
    for _, ballot in trends.ballots.items_of(poll.season):
        counted = counted_in(counted, ballot, 1)
    assert counted == poll, f"the vote on season {poll.season}"
    assert sum(each.votes for each in poll.candidates) <= poll.cast
