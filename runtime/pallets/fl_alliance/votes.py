"""Votes: sealed by the drawn voters, then opened, so that nobody can follow the majority.

Invariant: a vote names the aggregate that its voter computed; bits concern proposals of it only.
Source: WP VI.E (validation and voting); sealing, hashes and leave-one-out marks are this project's.
"""

from __future__ import annotations

from dataclasses import replace

from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.proposals import find_voter
from runtime.pallets.fl_alliance.records import Ballot, NoData, Vote
from runtime.pallets.fl_alliance.seals import seal_vote
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.storage import FlAlliance
from runtime.primitives.types import AccountId, Hash


class Votes:
    """Commit and reveal of votes."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance

    def commit(self, who: AccountId, task: int, round_: int, seal: Hash) -> None:
        """Seal a vote. Emits VoteCommitted."""
        alliance = self.alliance
        key = alliance.ensure_stage(task, round_, Stage.VOTE)
        found = find_voter(alliance, key, who)
        if found.seal is not None:
            raise events.AlreadyCommitted
        alliance.votes.put((key, who), replace(found, seal=seal))
        alliance.note_done(task)
        alliance.deposit_event(events.VoteCommitted(task, round_, who))

    def reveal(self, who: AccountId, task: int, round_: int, ballot: Ballot, salt: bytes) -> None:
        """Open a vote. Emits VoteRevealed."""
        alliance = self.alliance
        key = alliance.ensure_stage(task, round_, Stage.OPEN)
        found = find_voter(alliance, key, who)
        if found.seal is None:
            raise events.NothingCommitted
        if found.ballot is not None:
            raise events.AlreadyRevealed
        genesis = alliance.block.genesis_hash()
        if seal_vote(genesis, (task, round_), who, ballot, salt) != found.seal:
            raise events.WrongSeal
        if _bits_of(ballot) & ~alliance.progress.get(task).mask:
            raise events.BitsOutOfRange
        alliance.votes.put((key, who), replace(found, ballot=ballot))
        alliance.note_done(task)
        accepts = ballot.accepts if isinstance(ballot, Vote) else None
        aggregate = ballot.aggregate if isinstance(ballot, Vote) else None
        alliance.deposit_event(events.VoteRevealed(task, round_, who, accepts, aggregate))


def _bits_of(ballot: Ballot) -> int:
    match ballot:
        case Vote():
            return ballot.marks
        case NoData():
            return ballot.missing
        case other:
            raise AssertionError(f"{other} is no ballot")
