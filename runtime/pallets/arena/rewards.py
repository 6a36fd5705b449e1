"""A day's ranking and payments, computed at once from the scored submissions, then only paid.

Invariant: payments and what vests sum to what entered the task's pot that day.
Source: WP V.E (nodes), WP V.F (validators), WP V.H (Rewards A and B), WP IV.A (creators).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from runtime.economy.parameters import ArenaParameters
from runtime.economy.tasks import Role, Task
from runtime.pallets.arena import events
from runtime.pallets.arena.amounts import Amounts, DayFunds, divide_day, fund_pot
from runtime.pallets.arena.bounty import BountyPayout
from runtime.pallets.arena.budget import Budget
from runtime.pallets.arena.cursor import Cursor, Phase
from runtime.pallets.arena.held import HeldDay
from runtime.pallets.arena.payments import payments_by_weight
from runtime.pallets.arena.records import (
    DayKey,
    DayResult,
    JurorResult,
    Payment,
    PaymentKind,
    Roster,
)
from runtime.pallets.arena.shares import floor_shares, node_weights
from runtime.pallets.arena.standings import NOBODY, Ranking, Standings
from runtime.pallets.arena.storage import Arena, pot_of
from runtime.primitives.types import AccountId

REMEMBER_STEPS: Final = 5  # a record, read and written
RECORDS_PER_STEP: Final = 2  # of the day's result, read again


class Rewards:
    """Turns scores into payments."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.standings = Standings(arena)
        self.bounty = BountyPayout(arena)
        self.held = HeldDay(arena)

    def plan(self, key: DayKey, roster: Roster, cursor: Cursor) -> None:
        """Rank, fund the pot, store the day's result and payments. Emits DayScored, NodesHeld.

        The roster's owners are resolved.
        """
        arena = self.arena
        task = arena.tasks.get_task(key.task)
        parameters = arena.tasks.parameters_on(key.day)
        is_held = self.held.must_wait(key, roster)
        ranking = NOBODY
        if not is_held:
            ranking = self.standings.rank(key, task, roster, parameters.vesting)
        funds = self._funds(key, task, parameters)
        amounts = divide_day(key, task, funds, cursor.shares, has_ranking=ranking.is_paid())
        fund_pot(arena, key, task, amounts.total, amounts.vested)
        self.standings.note_best(key.task, ranking)
        payments = ranking.payments(amounts.paid_now)
        payments += self._pay_validators(roster, amounts)
        payments += payments_by_weight(
            [task.creator], [1], amounts.creator, Role.CREATOR, PaymentKind.CREATION
        )
        payments += self._pass_on_slashes(key, roster, cursor)
        arena.payments.put(key, payments)
        ranked_on = None if is_held else key.day
        self._store(key, funds, roster, cursor, ranking, amounts, ranked_on)
        if is_held:
            self.held.hold(key)

    def remember(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        """Add the day to the records of its ranked nodes, then of its validators.

        What is held adds nodes only, the final day validators only. The cursor's index is that of
        the first one still to be remembered.
        """
        result = self.arena.day_results.get(key)
        is_final = key.day == self.arena.tasks.get_task(key.task).final_day()
        nodes = [] if is_final else result.ranking
        jurors = [] if cursor.is_held else result.jurors
        shares = floor_shares([juror.share if juror.is_paid else 0 for juror in jurors])
        budget.spend((len(nodes) + len(jurors)) // RECORDS_PER_STEP)
        index, whole = cursor.index, len(nodes) + len(jurors)
        count = budget.take_some(REMEMBER_STEPS, whole - index)
        for at in range(index, index + count):
            if at < len(nodes):
                self.standings.remember(key.task, nodes[at])
            else:
                place = at - len(nodes)
                self.bounty.remember(key.task, jurors[place].account, shares[place])
        moved = replace(cursor, index=index + count)
        if moved.index < whole:
            return moved
        return moved.at(Phase.COMPLETE if is_final else Phase.PAY)

    def complete(self, key: DayKey, roster: Roster) -> None:
        """Add what the whole task earned, on its final day, to the payments."""
        arena = self.arena
        task = arena.tasks.get_task(key.task)
        nodes = self._final_weights(key, task, roster)
        payments = arena.payments.get(key) + self._pay_vested(key, *nodes)
        payments += self.bounty.plan(key, arena.day_results.get(key).parameters.gamma, nodes)
        arena.payments.put(key, payments)

    # -- the money

    def _funds(self, key: DayKey, task: Task, parameters: ArenaParameters) -> DayFunds:
        arena = self.arena
        if task.is_verified_on(key.day):
            reward = arena.emission.reward_of(key.day, key.task)
        else:
            reward = arena.tasks.daily_budget(key.task, key.day)
        return DayFunds(
            parameters,
            reward,
            arena.stakes.total_of(key.task, Role.TRAINING_NODE, key.day),
            arena.stakes.total_of(key.task, Role.TASK_VALIDATOR, key.day),
        )

    def _pay_validators(self, roster: Roster, amounts: Amounts) -> list[Payment]:
        accounts = [juror.account for juror in roster.jurors]
        return payments_by_weight(
            accounts,
            amounts.shares,
            amounts.validators,
            Role.TASK_VALIDATOR,
            PaymentKind.VALIDATION,
        )

    def _pass_on_slashes(self, key: DayKey, roster: Roster, cursor: Cursor) -> list[Payment]:
        """To the day's honest validators by their shares; to the treasury if there are none."""
        arena, amount = self.arena, cursor.slashed
        if not amount:
            return []
        if not any(cursor.shares):
            arena.currency.transfer(pot_of(key.task), arena.config.treasury, amount)
            return []
        accounts = [juror.account for juror in roster.jurors]
        return payments_by_weight(
            accounts, cursor.shares, amount, Role.TASK_VALIDATOR, PaymentKind.SLASHED_STAKE
        )

    def _final_weights(
        self, key: DayKey, task: Task, roster: Roster
    ) -> tuple[list[AccountId], list[int]]:
        """Nodes by the final ranking and time-weighted stake, else by mean f_i; their weights.

        The rules are those of the task's creation, so the ranking is cut anew.
        """
        arena, rules = self.arena, task.vesting
        ranked = self.standings.best_of(key, task, roster, rules.ranked_max)
        owners = [node.owner for node in ranked]
        stakes = [arena.stakes.stake_days_of(key.task, owner, key.day) for owner in owners]
        weights = node_weights(stakes, rules.rank_ratio, rules.node_alpha)
        if not any(weights):
            records = sorted(arena.node_records.items_of(key.task))
            owners = [owner for owner, _ in records]
            weights = [record.share_sum for _, record in records]
        return owners, weights

    def _pay_vested(
        self, key: DayKey, owners: list[AccountId], weights: list[int]
    ) -> list[Payment]:
        """Reward B, by the final weights."""
        arena, amount = self.arena, self.arena.vested.get(key.task)
        if not amount or not any(weights):
            return []
        arena.vested.remove(key.task)
        arena.vested_own.remove(key.task)
        return payments_by_weight(owners, weights, amount, Role.TRAINING_NODE, PaymentKind.REWARD_B)

    # -- the explanation

    def _store(
        self,
        key: DayKey,
        funds: DayFunds,
        roster: Roster,
        cursor: Cursor,
        ranking: Ranking,
        amounts: Amounts,
        ranked_on: int | None,
    ) -> None:
        jurors = [
            JurorResult(juror.account, juror.stake, share, paid > 0)
            for juror, share, paid in zip(roster.jurors, cursor.shares, amounts.shares, strict=True)
        ]
        self.arena.day_results.put(
            key,
            DayResult(
                funds.parameters,
                funds.reward,
                funds.node_stake,
                funds.validator_stake,
                amounts.creator,
                amounts.paid_now + amounts.vested,
                amounts.vested,
                amounts.validators,
                cursor.slashed,
                cursor.scored,
                ranking.records(),
                jurors,
                ranked_on,
            ),
        )
        if ranked_on is not None:
            count = len(ranking.nodes)
            self.arena.deposit_event(
                events.DayScored(key.task, key.day, count, funds.reward, amounts.vested)
            )
