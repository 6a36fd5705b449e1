"""What the story says while it happens: one line an event, in plain words.

Source: WP Fig. 3 (the workflow of a task).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console

from flockchain.devnet.cast import name_of
from flockchain.sdk.amounts import format_amount
from runtime.pallets import tasks
from runtime.pallets.arena import events as arena
from runtime.pallets.arena.records import Account
from runtime.pallets.tasks import records
from runtime.primitives.content_id import cid_text
from runtime.primitives.types import AccountId


@dataclass
class Reporter:
    """Prints, and remembers what the end of the story is made from."""

    console: Console
    paid: list[arena.Paid] = field(default_factory=list)
    submissions: dict[int, arena.SubmissionRevealed] = field(default_factory=dict)
    completed: arena.TaskCompleted | None = None
    failed: bool = False

    def say(self, text: str) -> None:
        """One line."""
        self.console.print(text, highlight=False, markup=False)

    def on_event(self, number: int, event: object) -> None:
        """Tell of an event, if it belongs to the story."""
        line = self._line(event)
        if line is not None:
            self.say(f"  #{number:<4} {line}")

    def _line(self, event: object) -> str | None:
        match event:
            case records.Registered(task=task, who=who):
                return f"{name_of(who)} registers for task {task} with fee and stake"
            case tasks.TaskStarted(task=task, day=day):
                return f"task {task} starts with day {day}"
            case arena.SubmissionCommitted(submission=number, submitter=submitter):
                return f"{_who(submitter)} seals submission {number}"
            case arena.SubmissionRevealed(submission=number, submitter=submitter):
                self.submissions[number] = event
                return f"{_who(submitter)} opens submission {number}: {cid_text(event.content)}"
            case arena.SeatsDrawn(day=day, submissions=count, validators=drawn):
                return f"day {day}: the beacon deals seats for {count} submissions to {drawn}"
            case arena.ScoresCommitted(validator=validator):
                return f"{name_of(validator)} seals its scores"
            case arena.ScoresRevealed(validator=validator, verdicts=count):
                return f"{name_of(validator)} opens {count} scores"
            case arena.SubmissionScored(submission=number, numerator=top, denominator=bottom):
                opened = self.submissions.get(number)
                owner = "?" if opened is None else _who(opened.submitter)
                score = "no consensus" if bottom == 0 else _percent(top, bottom)
                return f"consensus on submission {number} of {owner}: {score}"
            case arena.DayScored(day=day, ranked=ranked, reward=reward, vested=vested):
                return (
                    f"day {day}: {ranked} ranked, reward {format_amount(reward)}, "
                    f"of which {format_amount(vested)} vests until the end"
                )
            case arena.Paid(who=who, kind=kind, amount=amount):
                self.paid.append(event)
                reason = kind.name.lower().replace("_", " ")
                return f"{format_amount(amount)} to {name_of(who)} ({reason})"
            case tasks.TaskEnded(task=task):
                return f"task {task} has ended, stakes become free"
            case arena.TaskCompleted(task=task, content=content):
                self.completed = event
                model = "none" if content is None else cid_text(content)
                return f"task {task} is complete; its consensus model: {model}"
            case arena.TaskFailed(task=task):
                self.failed = True
                return f"task {task} has failed: nothing was ever scored"
            case records.KeyRevealed(task=task):
                return f"the creator reveals the key of validation set B of task {task}"
            case records.KeyMissing(task=task):
                return f"the key of set B of task {task} is missing: the creator's stake is burned"
            case _:
                return None

    def total_paid_to(self, who: AccountId) -> int:
        """Planck."""
        return sum(event.amount for event in self.paid if event.who == who)


def _who(submitter: object) -> str:
    if isinstance(submitter, Account):
        return name_of(submitter.account)
    return "an alias"


def _percent(numerator: int, denominator: int) -> str:
    """A score of full scale 10^9 as a percentage with four digits."""
    scaled = numerator * 10_000 // (denominator * 10**7)
    return f"{scaled // 10_000}.{scaled % 10_000:04d} %"
