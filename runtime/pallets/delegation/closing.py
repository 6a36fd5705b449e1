"""Freeing what ended tasks hold: so many stakers a block, then the task is forgotten.

Invariant: in a task that is being closed, whoever is still listed has its stake held.
Source: WP II.D.3 (stakes are free when a task ends).
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from runtime.economy.tasks import Role
from runtime.frame.weights import Weight
from runtime.pallets.delegation import ledger
from runtime.pallets.delegation.ledger import reason_of
from runtime.pallets.delegation.records import (
    Freed,
    Operator,
    OperatorKey,
    StakerKey,
    TaskStakesFreed,
)
from runtime.primitives.types import AccountId, BlockNumber

FREE_ONE: Final = Weight(150_000_000)


class Closing(ledger.Delegation, index=31):
    """Ends of tasks, over the next blocks."""

    def close_task(self, task: int) -> None:
        """The task ended: no stake is taken, all of it is freed over the next blocks."""
        self.closing.put([*self.closing.get(), task])

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Free stakes of ended tasks, so many stakers a block. Emits TaskStakesFreed."""
        budget, used = self.config.releases_per_block, 0
        while used < budget and (queue := self.closing.get()):
            task = queue[0]
            operators = list(islice(self.operators.items_of(task), budget - used))
            for who, operator in operators:
                if used < budget:
                    used += self._free_operator(task, who, operator, budget - used)
            if not operators:
                self._forget_task(task)
                self.closing.put(queue[1:])
                self.deposit_event(TaskStakesFreed(task))
                used += 1
        return FREE_ONE.times(used)

    def _free_operator(self, task: int, who: AccountId, operator: Operator, most: int) -> int:
        """Free what is staked behind an operator and forget it, or `most` of it; the steps."""
        key = OperatorKey(task, who)
        parts = list(islice(self.delegations.items_of(key), most))
        for staker, position in parts:
            self._free(key, staker, operator.role, position.amount)
            self.delegations.remove((key, staker))
            self.backed.remove((StakerKey(task, staker), who))
            self.ties.remove((task, staker))
        if len(parts) == most:
            return most
        self._free(key, who, operator.role, operator.own.amount)
        if operator.covered:
            self.locks.uncover(who, operator.covered)
        self.operators.remove((task, who))
        return len(parts) + 1

    def _free(self, key: OperatorKey, staker: AccountId, role: Role, amount: int) -> None:
        amount += sum(chunk.amount for chunk in self.unbonding.get((key, staker)))
        if amount:
            self.currency.release(reason_of(role, is_own=staker == key.operator), staker, amount)
            self.deposit_event(Freed(key.task, key.operator, staker, amount))
        self._put_unbonding(key, staker, [])

    def _forget_task(self, task: int) -> None:
        for role in Role:
            self.totals.remove((task, role))
            self.places.remove((task, role))
        self.starts.remove(task)
