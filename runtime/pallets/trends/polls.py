"""Polls: the vote on a season's lists, and the multipliers that follow from it.

A ballot divides its weight over listed models; what it leaves to none makes every boost smaller.
Of a boost each model has what its votes are of all that were cast. Without a quorum, and without
candidates, all multipliers are one.
Source: litepaper, governance (the community adjusts future incentives); WP VII.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runtime.economy.calendar import Calendar
from runtime.economy.trends import PPM, TrendParameters, boosted
from runtime.pallets.trends import events
from runtime.pallets.trends.records import Ballot, Boost, Candidate, Part, Poll, Season
from runtime.pallets.trends.storage import Trends
from runtime.primitives.types import AccountId


class Polls:
    """Opening, voting, closing."""

    def __init__(self, trends: Trends) -> None:
        self.trends = trends

    def open(self, season: int, number: int, rules: TrendParameters) -> None:
        """Have the lists of a season voted on that ends before block `number`."""
        trends, candidates = self.trends, self._candidates()
        trends.top.put([])
        trends.trending.put([])
        if not candidates:
            trends.poll.remove()
            self._boost([])
            return
        until = number + rules.vote_days * trends.config.calendar.day_blocks
        quorum = rules.quorum.mul_ceil(trends.electorate.locked())
        trends.electorate.keep_snapshot(number, until)
        trends.poll.put(Poll(season, number, until, rules, quorum, candidates))
        trends.deposit_event(events.PollOpened(season, len(candidates), quorum, until))

    def _candidates(self) -> list[Candidate]:
        top = {each.model: each for each in self.trends.top.get()}
        trending = {each.model: each for each in self.trends.trending.get()}
        return [
            Candidate(
                *(model, model in top, model in trending),
                *(listed.counted, listed.payers),
            )
            for model, listed in sorted({**trending, **top}.items())
        ]

    def vote(self, who: AccountId, parts: Sequence[Part]) -> None:
        """Keep a ballot in place of the account's earlier one."""
        trends, poll = self.trends, self.trends.poll.find()
        if poll is None or not poll.is_open:
            raise events.NoPoll
        models = [part.model for part in parts]
        if not set(models) <= {each.model for each in poll.candidates}:
            raise events.NotACandidate
        is_whole = sum(part.share for part in parts) <= PPM and all(part.share for part in parts)
        if len(set(models)) != len(models) or not is_whole:
            raise events.BadShares
        power = trends.electorate.power_at(who, poll.snapshot)
        if not power.weight:
            raise events.NoVotes
        old = trends.ballots.find((poll.season, who))
        if old is not None:
            poll = counted_in(poll, old, -1)
        ballot = Ballot(list(parts), power.tokens, power.weight)
        trends.ballots.put((poll.season, who), ballot)
        trends.poll.put(counted_in(poll, ballot, 1))
        trends.deposit_event(events.ModelsVoted(poll.season, who, len(parts), power.weight))

    def close(self) -> bool:
        """Let multipliers follow from the votes; whether a vote was open."""
        trends, poll = self.trends, self.trends.poll.find()
        if poll is None or not poll.is_open:
            return False
        rules = poll.rules
        trends.poll.put(replace(poll, is_open=False))
        has_quorum = poll.turnout >= poll.quorum and poll.cast > 0
        trends.deposit_event(events.PollClosed(poll.season, poll.turnout, poll.quorum, has_quorum))
        chosen = [each for each in poll.candidates if each.votes] if has_quorum else []
        self._boost(
            [
                (
                    each.model,
                    Boost(
                        boosted(rules.host_boost, each.votes, poll.cast),
                        boosted(rules.royalty_boost, each.votes, poll.cast),
                    ),
                )
                for each in chosen
            ]
        )
        return True

    def _boost(self, made: Sequence[tuple[bytes, Boost]]) -> None:
        """Let these multipliers be the only ones; there are no more than candidates."""
        trends = self.trends
        for model in list(trends.boosts.keys()):
            trends.boosts.remove(model)
        for model, boost in made:
            trends.boosts.put(model, boost)
            trends.deposit_event(events.ModelBoosted(model, boost.host, boost.royalty))


def vote_end(season: Season, calendar: Calendar) -> int:
    """The block in which the vote is over that opened when the season began."""
    rules = season.rules
    return season.until - (rules.season_days - rules.vote_days) * calendar.day_blocks


def counted_in(poll: Poll, ballot: Ballot, times: int) -> Poll:
    """The poll with a ballot more (1) or less (-1); each model's part of it floored."""
    shares = {part.model: part.share for part in ballot.parts}
    candidates = [
        replace(each, votes=each.votes + ballot.weight * shares.get(each.model, 0) // PPM * times)
        for each in poll.candidates
    ]
    return replace(
        poll,
        candidates=candidates,
        turnout=poll.turnout + ballot.tokens * times,
        cast=poll.cast + ballot.weight * times,
    )
