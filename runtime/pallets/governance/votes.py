"""Flags and votes: what an account's standing counts, added once and replaced by a later ballot.

A vote counts what was locked when the vote opened, weighted by notice; on a quadratic track it
counts the root of the account's own weight, and only if the DAO attests the account. Flags and
turnout count tokens.
Source: WP VII.
"""

from __future__ import annotations

from dataclasses import replace
from math import isqrt

from runtime.pallets.governance import events
from runtime.pallets.governance.records import (
    Ballot,
    Power,
    Proposal,
    Stage,
    Standing,
    Tally,
    standing_at,
)
from runtime.pallets.governance.storage import Governance
from runtime.primitives.types import AccountId


class Votes:
    """Ballots of one account each."""

    def __init__(self, dao: Governance) -> None:
        self.dao = dao

    def flag(self, who: AccountId, number: int, *, is_scam: bool) -> None:
        """Say in the debate that a proposal is a scam, or that it is none."""
        dao = self.dao
        entry, proposal = dao.live_proposal(number)
        if proposal.stage is not Stage.DEBATE:
            raise events.NotInDebate
        tokens = self.power_at(who, entry.snapshot).tokens
        if not tokens:
            raise events.NoVotes
        ballot = Ballot(number, is_flag=True, is_aye=is_scam, counted=Power(tokens, tokens))
        flags = self._cast(who, ballot, proposal.flags)
        dao.proposals.put(number, replace(proposal, flags=flags))
        dao.deposit_event(events.Flagged(number, who, is_scam, tokens))

    def vote(self, who: AccountId, number: int, *, is_aye: bool) -> None:
        """Vote on a proposal, or change the vote."""
        dao = self.dao
        entry, proposal = dao.live_proposal(number)
        if proposal.stage is not Stage.VOTING:
            raise events.NotInVoting
        counted = self._counted(who, entry.snapshot, proposal)
        ballot = Ballot(number, is_flag=False, is_aye=is_aye, counted=counted)
        votes = self._cast(who, ballot, proposal.votes)
        dao.proposals.put(number, replace(proposal, votes=votes))
        dao.deposit_event(events.Voted(number, who, is_aye, counted.weight))

    def _counted(self, who: AccountId, snapshot: int, proposal: Proposal) -> Power:
        standing = self._standing(who, snapshot)
        power = standing.votes()
        if proposal.is_quadratic:  # roots do not add up: nobody votes for another here
            tokens = standing.own.tokens if self.dao.attested.get(who) else 0
            power = Power(tokens, isqrt(standing.own.weight))
        if not power.tokens:
            raise events.NoVotes
        return power

    def power_at(self, who: AccountId, snapshot: int) -> Power:
        """What an account could vote with before a block, in a weighted vote."""
        return self._standing(who, snapshot).votes()

    def _standing(self, who: AccountId, snapshot: int) -> Standing:
        position = self.dao.positions.find(who)
        return Standing(0) if position is None else standing_at(position.standings, snapshot)

    def _cast(self, who: AccountId, ballot: Ballot, tally: Tally) -> Tally:
        """Keep a ballot in place of the account's earlier one; the tally with it."""
        position = self.dao.positions.get(who)
        live = {each.proposal for each in self.dao.live.get()}
        others = []
        for each in position.ballots:
            if (each.proposal, each.is_flag) == (ballot.proposal, ballot.is_flag):
                tally = counted_in(tally, each, -1)
            elif each.proposal in live:
                others.append(each)
        self.dao.positions.put(who, replace(position, ballots=[*others, ballot]))
        return counted_in(tally, ballot, 1)


def counted_in(tally: Tally, ballot: Ballot, times: int) -> Tally:
    """The tally with a ballot more (1) or less (-1)."""
    weight = ballot.counted.weight * times
    return Tally(
        tally.ayes + weight * ballot.is_aye,
        tally.nays + weight * (not ballot.is_aye),
        tally.turnout + ballot.counted.tokens * times,
    )
