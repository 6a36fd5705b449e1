"""What the story says while it happens: one line an event, in plain words.

Ten clones do everything at once: one of them is told of, the rest are counted in.

Source: WP Fig. 3 (the workflow of a task).
"""

from __future__ import annotations

from rich.console import Console

from flockchain.devnet.arena.cast import CLONE_ACCOUNTS, name_of
from flockchain.devnet.arena.record import Record, Refusal
from flockchain.sdk.amounts import format_amount
from runtime.pallets import tasks
from runtime.pallets.arena import alias_events as aliases
from runtime.pallets.arena import events as arena
from runtime.pallets.arena.records import Account
from runtime.pallets.delegation.records import Slashed, Staked
from runtime.pallets.tasks import records
from runtime.primitives.content_id import cid_text
from runtime.primitives.types import FML, AccountId


class Reporter:
    """Prints, and remembers in `record` what the end of the story is made from."""

    def __init__(self, console: Console) -> None:
        self.record = Record()
        self._console = console
        self._told: set[tuple[int, type]] = set()  # blocks and kinds that a clone was told of

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(text, highlight=False, markup=False)

    def on_event(self, number: int, event: object) -> None:
        """Tell of an event of block `number`, if it belongs to the story."""
        self.record.note(event)
        if _doer(event) in CLONE_ACCOUNTS:
            if (number, type(event)) in self._told:
                return
            self._told.add((number, type(event)))
        line = self._line(event)
        if line is not None:
            self.say(f"  #{number:<4} {line}")

    def on_refusal(self, number: int, refusal: Refusal) -> None:
        """Tell of a call that the chain refused."""
        self.record.refusals.append(refusal)
        self.say(f"  #{number:<4} the chain refuses {_who(refusal.account)}: {refusal.error}")

    def _line(self, event: object) -> str | None:
        match event:
            case records.Registered(task=task, who=who, stake=stake):
                return f"{_who(who)} registers for task {task}: fee, stake {short(stake)}"
            case tasks.TaskCreated(task=task, creator=creator, budget=budget):
                return f"{name_of(creator)} creates task {task} and escrows {short(budget)}"
            case tasks.TaskStarted(task=task, day=day):
                return f"task {task} starts with day {day}"
            case tasks.BountyAdded(task=task, payer=payer, amount=amount):
                return f"{name_of(payer)} adds a bounty of {short(amount)} to task {task}"
            case Staked(staker=staker, operator=operator, amount=amount) if staker != operator:
                return f"{name_of(staker)} delegates {short(amount)} to {name_of(operator)}"
            case Slashed(staker=staker, amount=amount):
                return f"{name_of(staker)} is slashed {short(amount)}"
            case tasks.TaskEnded(task=task):
                return f"task {task} has ended, stakes become free"
            case records.KeyRevealed(task=task):
                return f"the creator reveals the key of validation set B of task {task}"
            case records.KeyMissing(task=task):
                return f"the key of set B of task {task} is missing: the creator's stake is burned"
            case _:
                return self._arena_line(event)

    def _owner(self, task: int, submission: int) -> str:
        owner = self.record.owner_of(task, submission)
        if owner is not None:
            return _who(owner)
        made = self.record.submissions.get((task, submission))
        return "?" if made is None else _submitter(made.submitter)

    def _arena_line(self, event: object) -> str | None:
        match event:
            case arena.SubmissionCommitted(task=task, submission=number, submitter=submitter):
                return f"task {task}: {_submitter(submitter)} seals submission {number}"
            case arena.SubmissionRevealed(task=task, submission=number, submitter=submitter):
                blob = cid_text(event.content)
                return f"task {task}: {_submitter(submitter)} opens submission {number}: {blob}"
            case aliases.RingsDealt(task=task, day=day, members=count) if count:
                return (
                    f"task {task}, day {day}: {count} nodes may hide in rings, dealt by the beacon"
                )
            case aliases.AliasOpened(task=task, day=day, submission=number, owner=owner):
                what = f"submission {number} of day {day}"
                return f"task {task}: the alias of {what} is opened: it was {name_of(owner)}"
            case aliases.NodesHeld(task=task, day=day):
                return f"task {task}, day {day}: nodes are paid with the final day, still unknown"
            case arena.SeatsDrawn(task=task, day=day, submissions=count, validators=drawn):
                return (
                    f"task {task}, day {day}: the beacon deals seats for {count} submissions "
                    f"to {drawn} validators"
                )
            case arena.KeysShared(task=task, submission=number, validators=count):
                maker = self._owner(task, number)
                return f"task {task}: {maker} gives {count} validators the key of its model"
            case arena.ScoresCommitted(task=task, validator=validator):
                return f"task {task}: {name_of(validator)} seals its scores"
            case arena.ScoresRevealed(task=task, validator=validator, verdicts=count):
                return f"task {task}: {name_of(validator)} opens {count} scores"
            case arena.SubmissionScored(task=task, submission=number):
                maker = self._owner(task, number)
                return f"task {task}: consensus on submission {number} of {maker}: {_score(event)}"
            case arena.DayScored(task=task, day=day, ranked=ranked, reward=reward, vested=vested):
                return (
                    f"task {task}, day {day}: {ranked} ranked, reward {short(reward)}, "
                    f"of which {short(vested)} vests until the end"
                )
            case arena.Paid(task=task, who=who, kind=kind, amount=amount):
                reason = kind.name.lower().replace("_", " ")
                return f"task {task}: {format_amount(amount)} to {name_of(who)} ({reason})"
            case arena.TaskCompleted(task=task, content=content):
                model = "none" if content is None else cid_text(content)
                return f"task {task} is complete; its consensus model: {model}"
            case arena.TaskFailed(task=task):
                return f"task {task} has failed: nothing was ever scored"
            case _:
                return None


def short(planck: int) -> str:
    """An amount with two decimals, cut off: for lines that only tell."""
    cents = planck * 100 // FML
    return f"{cents // 100}.{cents % 100:02d} FML" if cents % 100 else f"{cents // 100} FML"


def _doer(event: object) -> AccountId | None:
    match event:
        case records.Registered(who=who):
            return who
        case (
            arena.SubmissionCommitted(submitter=submitter)
            | arena.SubmissionRevealed(submitter=submitter)
        ) if isinstance(submitter, Account):
            return submitter.account
        case _:
            return None


def _who(account: AccountId) -> str:
    if account in CLONE_ACCOUNTS:
        return f"{name_of(account)}, as the other clones,"
    return name_of(account)


def _submitter(submitter: object) -> str:
    return _who(submitter.account) if isinstance(submitter, Account) else "an alias"


def _score(event: arena.SubmissionScored) -> str:
    """A consensus score as a percentage with four digits."""
    if event.denominator == 0:
        return "none"
    scaled = event.numerator * 10_000 // (event.denominator * 10**7)
    return f"{scaled // 10_000}.{scaled % 10_000:04d} %"
