"""Votes and commits for blocks that are not imported yet, and what a completed round lacks here.

Owns their bound: two votes of a kind for each authority and round, and few commits. Only messages
with good signatures come here, so only members can fill it, each its own share. Invariant: what is
released or dropped is no longer held.
Source: GRANDPA paper 2.3 (a vote counts when its block is known).
"""

from collections.abc import Iterable
from typing import Final

from flockchain.consensus.grandpa.messages import (
    CommitMessage,
    Message,
    SignedMessage,
    VoteMessage,
)
from runtime.primitives.types import Hash

COMMITS_MAX: Final = 4
_VOTES_EACH_MAX: Final = 2
_ROUNDS: Final = 3  # the current one, the one before, a peer's; early votes are held elsewhere
_KINDS: Final = 2  # prevotes and precommits


def targets_max(voters: int) -> int:
    """The most blocks that so many voters can make it wait for."""
    return voters * (_ROUNDS * _KINDS * _VOTES_EACH_MAX + COMMITS_MAX)


class WaitingRoom:
    """Messages by the block they wait for."""

    __slots__ = ("_commits", "_completed", "_shares", "_votes")

    def __init__(self) -> None:
        self._votes: dict[Hash, list[VoteMessage]] = {}
        self._shares: dict[tuple[int, type[Message], bytes], int] = {}
        self._commits: dict[int, CommitMessage] = {}
        self._completed: dict[tuple[type[Message], bytes], tuple[Hash, ...]] = {}

    def __len__(self) -> int:
        return sum(self._shares.values()) + len(self._commits)

    def hold_vote(self, vote: VoteMessage) -> bool:
        """Keep a vote until its target is imported; False for a double or above the bound."""
        target, share = vote.message.message.target_hash, _share(vote)
        waiting = self._votes.get(target, [])
        if vote in waiting or self._shares.get(share, 0) >= _VOTES_EACH_MAX:
            return False
        self._votes[target] = [*waiting, vote]
        self._shares[share] = self._shares.get(share, 0) + 1
        return True

    def hold_commit(self, commit: CommitMessage) -> None:
        """Keep a commit, one a round; the oldest round gives way."""
        self._commits[commit.round] = commit
        while len(self._commits) > COMMITS_MAX:
            del self._commits[min(self._commits)]

    def hold_completed(self, votes: Iterable[SignedMessage]) -> None:
        """Votes of a round that is complete for a peer, the last such round's alone: their blocks
        may be on branches that lost, which no peer's best chain brings."""
        self._completed.clear()
        for signed in votes:
            share = type(signed.message), signed.id
            held = self._completed.get(share, ())
            if len(held) < _VOTES_EACH_MAX:
                self._completed[share] = (*held, signed.message.target_hash)

    def targets(self) -> list[Hash]:
        """The blocks that votes, commits and a completed round wait for, or may wait for."""
        found = dict.fromkeys(self._votes)
        for commit in self._commits.values():
            signed = commit.commit.precommits
            found.update(dict.fromkeys(vote.precommit.target_hash for vote in signed))
        for blocks in self._completed.values():
            found.update(dict.fromkeys(blocks))
        return list(found)

    def release_votes(self, block: Hash) -> list[VoteMessage]:
        """Votes for `block`, in the order in which they came."""
        released = self._votes.pop(block, [])
        for vote in released:
            self._return_share(vote)
        return released

    def release_commits(self) -> list[CommitMessage]:
        """All commits, newest round first; a commit can wait for several blocks."""
        released = [self._commits[number] for number in sorted(self._commits, reverse=True)]
        self._commits.clear()
        return released

    def forget_below(self, round_number: int) -> None:
        """Drop votes of rounds that are over."""
        kept: dict[Hash, list[VoteMessage]] = {}
        self._shares.clear()
        self._completed.clear()
        for block, votes in self._votes.items():
            for vote in votes:
                if vote.round >= round_number:
                    kept.setdefault(block, []).append(vote)
                    self._shares[_share(vote)] = self._shares.get(_share(vote), 0) + 1
        self._votes = kept

    def _return_share(self, vote: VoteMessage) -> None:
        share = _share(vote)
        self._shares[share] -= 1
        if self._shares[share] == 0:
            del self._shares[share]


def _share(vote: VoteMessage) -> tuple[int, type[Message], bytes]:
    return vote.round, type(vote.message.message), vote.message.id
