"""A task's last day but one if aliases are on its roster: its nodes are paid a day later.

Such aliases are scored once more on the final day, which pays most, and are opened only then. So
that day's validators and creator are paid at once; the ranking and all that nodes get of it wait
for the final day's settlement, and come before it. They are computed with what the day itself was
settled with: its rules and stakes, and the delegations at its start.
Invariant: if everybody opens its aliases, everybody is paid to the unit what it were without them;
until then nothing of it is minted or taken from the escrow.
Source: WP V.B (blind validation), WP V.H (Rewards A and B); the wait is this project's.
"""

from __future__ import annotations

from dataclasses import replace

from runtime.economy.tasks import Role, Task
from runtime.pallets.arena import alias_events, events
from runtime.pallets.arena.amounts import Amounts, DayFunds, divide_day, fund_pot
from runtime.pallets.arena.payments import payments_by_weight
from runtime.pallets.arena.records import DayKey, DayResult, PaymentKind, Roster
from runtime.pallets.arena.standings import Standings
from runtime.pallets.arena.storage import Arena


class HeldDay:
    """Holds the nodes' part, and ranks and pays them with the final day."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.standings = Standings(arena)

    def must_wait(self, key: DayKey, roster: Roster) -> bool:
        """Whether nodes of the day may still open aliases when it is settled."""
        is_last_but_one = key.day == self.arena.tasks.get_task(key.task).final_day() - 1
        return is_last_but_one and any(entry.owner is None for entry in roster.entries)

    def hold(self, key: DayKey) -> None:
        """Let the settled day's nodes wait. Emits NodesHeld.

        What the day may still mint is set aside by the emission for longer than that.
        """
        self.arena.deposit_event(alias_events.NodesHeld(key.task, key.day))

    def find(self, key: DayKey) -> DayKey | None:
        """The day before, if its nodes wait for the settlement of `key`."""
        before = DayKey(key.task, key.day - 1)
        result = self.arena.day_results.find(before)
        return before if result is not None and result.ranked_on is None else None

    def plan(self, key: DayKey, roster: Roster) -> int:
        """Rank and fund a day that was held; adds to its payments. Emits DayScored.

        The roster's owners are resolved. Returns the index of the first payment that is new.
        """
        arena, result = self.arena, self.arena.day_results.get(key)
        task = arena.tasks.get_task(key.task)
        ranking = self.standings.rank(key, task, roster, result.parameters.vesting)
        amounts = self._amounts(key, task, result, has_ranking=ranking.is_paid())
        creator = amounts.creator - result.for_creator
        nodes = amounts.paid_now + amounts.vested
        fund_pot(arena, key, task, creator + nodes, amounts.vested)
        self.standings.note_best(key.task, ranking)
        paid = arena.payments.get(key)
        payments = ranking.payments(amounts.paid_now) + payments_by_weight(
            [task.creator], [1], creator, Role.CREATOR, PaymentKind.CREATION
        )
        arena.payments.put(key, [*paid, *payments])
        ranked = replace(
            result,
            for_creator=amounts.creator,
            for_nodes=nodes,
            vested=amounts.vested,
            ranking=ranking.records(),
            ranked_on=key.day + 1,
        )
        arena.day_results.put(key, ranked)
        count = len(ranking.nodes)
        arena.deposit_event(
            events.DayScored(key.task, key.day, count, result.reward, amounts.vested)
        )
        return len(paid)

    def _amounts(self, key: DayKey, task: Task, result: DayResult, *, has_ranking: bool) -> Amounts:
        funds = DayFunds(
            result.parameters, result.reward, result.node_stake, result.validator_stake
        )
        shares = [juror.share for juror in result.jurors]
        return divide_day(key, task, funds, shares, has_ranking=has_ranking)
