"""Bounties: what anybody pays on top of a task's reward, kept until the task ends.

At completion the arena takes what it can pay out; the rest, and all of a task that failed or was
cancelled, returns to its payers pro rata, some of them each block. A bounty is taken until the
final day's seats are drawn: whoever can still earn it then knows of it before the work is done, and
nobody can wait for scores and pay a winner.
Invariant: a task's pot holds at least what is left of its bounty.
Source: WP III.B.1 (bounties).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from runtime import frame
from runtime.economy.bounty import PAYERS_MAX, Contribution
from runtime.frame.weights import Weight
from runtime.pallets.tasks import records
from runtime.pallets.tasks.storage import Bounty, Tasks, bounty_pot_of
from runtime.primitives.apportion import apportion
from runtime.primitives.types import AccountId

RETURN: Final = Weight(100_000_000)  # a transfer with its events


class Bounties:
    """Takes, pays out and gives back."""

    def __init__(self, tasks: Tasks) -> None:
        self.tasks = tasks

    def add(self, who: AccountId, task: int, amount: int) -> None:
        """Put `amount` planck into a live task's bounty. Emits BountyAdded."""
        tasks = self.tasks
        found, calendar = tasks.live_task(task), tasks.config.calendar
        drawn = calendar.first_block(found.final_day()) + calendar.reveal_end
        if tasks.block.block_number() >= drawn:
            raise records.BountyTooLate
        if amount < tasks.config.bounty_min:
            raise records.BountyTooSmall
        before = tasks.bounties.find(task) or Bounty([], 0)
        contributions = _with(before.contributions, who, amount)
        if len(contributions) > PAYERS_MAX:
            raise records.TooManyPayers
        if tasks.currency.spendable(who) < amount:
            raise records.InsufficientFunds
        tasks.currency.transfer(who, bounty_pot_of(task), amount)
        tasks.bounties.put(task, Bounty(contributions, before.left + amount))
        tasks.deposit_event(records.BountyAdded(task, who, amount, before.left + amount))

    def pay(self, task: int, to: AccountId, amount: int) -> None:
        """Move a part of the bounty to the pot that rewards are paid from."""
        bounty = self.tasks.bounties.get(task)
        assert amount <= bounty.left, f"bounty of task {task}"
        self.tasks.bounties.put(task, replace(bounty, left=bounty.left - amount))
        self.tasks.currency.transfer(bounty_pot_of(task), to, amount)

    def close(self, task: int) -> None:
        """The task ended: what is left is its payers', by what each gave."""
        tasks, bounty = self.tasks, self.tasks.bounties.find(task)
        if bounty is None:
            return
        if not bounty.left:
            tasks.bounties.remove(task)
            return
        parts = apportion(bounty.left, [each.amount for each in bounty.contributions])
        due = [
            Contribution(each.payer, part)
            for each, part in zip(bounty.contributions, parts, strict=True)
            if part
        ]
        tasks.bounties.put(task, Bounty(due, bounty.left))
        tasks.returning.put([*tasks.returning.get(), task])

    def give_back(self) -> Weight:
        """Pay the next payers of ended tasks, so many a block."""
        tasks, done = self.tasks, 0
        while (queue := tasks.returning.get()) and done < tasks.config.returns_per_block:
            task = queue[0]
            bounty = tasks.bounties.get(task)
            count = tasks.config.returns_per_block - done
            due, rest = bounty.contributions[:count], bounty.contributions[count:]
            for each in due:
                self._return(task, each)
            done += len(due)
            if rest:
                left = bounty.left - sum(each.amount for each in due)
                tasks.bounties.put(task, Bounty(rest, left))
            else:
                tasks.bounties.remove(task)
                tasks.returning.put(queue[1:])
        return RETURN.times(done)

    def _return(self, task: int, due: Contribution) -> None:
        """What a payer that was reaped cannot take goes to the treasury. Emits BountyReturned."""
        tasks, pot, to = self.tasks, bounty_pot_of(task), due.payer
        try:
            tasks.currency.transfer(pot, to, due.amount)
        except frame.DispatchError:
            to = tasks.config.treasury
            tasks.currency.transfer(pot, to, due.amount)
        tasks.deposit_event(records.BountyReturned(task, due.payer, to, due.amount))

    def try_state(self) -> None:
        """Every pot holds what is left of its bounty, which is owed to somebody."""
        tasks, returning = self.tasks, self.tasks.returning.get()
        for task, bounty in tasks.bounties.items():
            given = sum(each.amount for each in bounty.contributions)
            is_live = tasks.get_task(task).status.is_live()
            assert is_live == (task not in returning), f"bounty of task {task}"
            assert given >= bounty.left if is_live else given == bounty.left > 0
            # Above it is what somebody sent there; nothing can take it out.
            assert tasks.currency.free(bounty_pot_of(task)) >= bounty.left, f"bounty of task {task}"


def _with(contributions: list[Contribution], who: AccountId, amount: int) -> list[Contribution]:
    """The same with more of one payer, at its place; a new payer comes last."""
    if all(each.payer != who for each in contributions):
        return [*contributions, Contribution(who, amount)]
    return [
        replace(each, amount=each.amount + amount) if each.payer == who else each
        for each in contributions
    ]
