"""What happened in the chapter, event by event: what the end is told and checked from.

Source: WP Fig. 3 (the workflow of a task).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from runtime.pallets.arena import events as arena
from runtime.pallets.arena.alias_events import AliasOpened
from runtime.pallets.arena.records import Account, PaymentKind
from runtime.pallets.delegation.records import Slashed, Staked
from runtime.pallets.tasks import BountyAdded, records
from runtime.primitives.types import AccountId

FULL_SCALE = 10**9


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that the chain took into a block and refused."""

    account: AccountId
    error: str


@dataclass
class Record:
    """Everything, in the order of the chain."""

    paid: list[arena.Paid] = field(default_factory=list)
    registered: list[records.Registered] = field(default_factory=list)
    staked: list[Staked] = field(default_factory=list)
    slashed: list[Slashed] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    bounties: list[BountyAdded] = field(default_factory=list)
    returned: list[records.BountyReturned] = field(default_factory=list)
    submissions: dict[tuple[int, int], arena.SubmissionRevealed] = field(default_factory=dict)
    aliases: dict[tuple[int, int], AliasOpened] = field(default_factory=dict)
    scores: dict[tuple[int, int, int], Fraction] = field(default_factory=dict)
    completed: dict[int, arena.TaskCompleted] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)

    def note(self, event: object) -> None:
        """Remember an event."""
        match event:
            case arena.Paid():
                self.paid.append(event)
            case records.Registered():
                self.registered.append(event)
            case Staked():
                self.staked.append(event)
            case Slashed():
                self.slashed.append(event)
            case BountyAdded():
                self.bounties.append(event)
            case records.BountyReturned():
                self.returned.append(event)
            case arena.SubmissionRevealed():
                self.submissions[event.task, event.submission] = event
            case AliasOpened():
                self.aliases[event.task, event.submission] = event
            case arena.SubmissionScored(numerator=top, denominator=bottom) if bottom:
                name = (event.task, event.day, event.submission)
                self.scores[name] = Fraction(top, bottom * FULL_SCALE)
            case arena.TaskCompleted():
                self.completed[event.task] = event
            case arena.TaskFailed():
                self.failed.add(event.task)
            case _:
                pass

    # -- questions

    def paid_to(self, *accounts: AccountId) -> int:
        """All that they got together, planck."""
        return sum(event.amount for event in self.paid if event.who in accounts)

    def paid_for(self, task: int, *kinds: PaymentKind) -> int:
        """All that was paid for the task, of these kinds or of any, planck."""
        return sum(
            event.amount
            for event in self.paid
            if event.task == task and (not kinds or event.kind in kinds)
        )

    def slashed_of(self, account: AccountId) -> int:
        """All that the account lost of its stake, planck."""
        return sum(event.amount for event in self.slashed if event.staker == account)

    def score_of(self, task: int, day: int, account: AccountId) -> Fraction | None:
        """The consensus score of the account's last submission of those scored that day, 0 to 1."""
        numbers = [
            number
            for of_task, number in self.submissions
            if of_task == task
            and self.owner_of(task, number) == account
            and (task, day, number) in self.scores
        ]
        return self.scores[task, day, max(numbers)] if numbers else None

    def owner_of(self, task: int, submission: int) -> AccountId | None:
        """Whose a submission is; None before its alias is opened, or it is revealed at all."""
        opened = self.aliases.get((task, submission))
        made = self.submissions.get((task, submission))
        if opened is not None:
            return opened.owner
        if made is None or not isinstance(made.submitter, Account):
            return None
        return made.submitter.account

    def days_of(self, task: int) -> list[int]:
        """The task's days with a score."""
        return sorted({day for of_task, day, _ in self.scores if of_task == task})
