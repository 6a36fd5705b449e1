"""What happened in the chapter, event by event: what the end is told and checked from.

Source: WP VI.B to VI.F.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.pallets.fl_alliance import events as alliance
from runtime.primitives.types import AccountId


@dataclass
class Record:
    """The task's events, in the order of the chain."""

    task: int
    joined: list[alliance.Joined] = field(default_factory=list)
    tallied: list[alliance.RoundTallied] = field(default_factory=list)
    rewarded: list[alliance.Rewarded] = field(default_factory=list)
    slashed: list[alliance.Slashed] = field(default_factory=list)
    expelled: list[alliance.Expelled] = field(default_factory=list)
    claimed: list[alliance.Claimed] = field(default_factory=list)
    proved: list[alliance.SumProved] = field(default_factory=list)
    failed: list[alliance.AggregatorFailed] = field(default_factory=list)
    shared: list[alliance.SecretsShared] = field(default_factory=list)
    revealed: list[alliance.SharesRevealed] = field(default_factory=list)
    models: list[bytes] = field(default_factory=list)  # global models, in the order of acceptance
    ended: alliance.TaskEnded | None = None
    votes: dict[int, list[alliance.VoteRevealed]] = field(default_factory=dict)

    def note(self, event: object) -> None:
        """Remember an event of the task."""
        if getattr(event, "task", None) != self.task:
            return
        match event:
            case alliance.Joined():
                self.joined.append(event)
            case alliance.VoteRevealed():
                self.votes.setdefault(event.round, []).append(event)
            case alliance.RoundTallied():
                self.tallied.append(event)
            case alliance.Rewarded():
                self.rewarded.append(event)
            case alliance.Slashed():
                self.slashed.append(event)
            case alliance.Expelled():
                self.expelled.append(event)
            case alliance.Claimed():
                self.claimed.append(event)
            case alliance.SumProved():
                self.proved.append(event)
            case alliance.AggregatorFailed():
                self.failed.append(event)
            case alliance.SecretsShared():
                self.shared.append(event)
            case alliance.SharesRevealed():
                self.revealed.append(event)
            case alliance.RoundSettled(model=model) if model is not None:
                if model not in self.models:
                    self.models.append(model)
            case alliance.TaskEnded():
                self.ended = event
            case _:
                pass

    # -- questions

    def got(self, account: AccountId) -> int:
        """What its balance gained, planck."""
        return sum(event.amount for event in self.rewarded if event.who == account)

    def lost(self, account: AccountId) -> int:
        """What its balance lost, planck."""
        return sum(event.amount for event in self.slashed if event.who == account)

    def balance(self, account: AccountId) -> int:
        """Its balance in the task: what it staked, gained and lost, planck."""
        stake = sum(event.stake for event in self.joined if event.who == account)
        return stake + self.got(account) - self.lost(account)

    def claimed_by(self, account: AccountId) -> int:
        """What it took home, planck."""
        return sum(each.stake + each.earned for each in self.claimed if each.who == account)
