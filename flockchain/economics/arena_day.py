"""Evaluates `arena_day`: what one day of a task pays, settled by the arena pallet.

Source: WP V.E to V.H.
"""

from __future__ import annotations

from typing import Final

from flockchain.economics.arena_task import ArenaTask
from flockchain.economics.day_scenario import read_day
from flockchain.economics.fields import Fields
from runtime.pallets.arena.records import PaymentKind

DAYS: Final = 2  # the shortest task: its first day is an ordinary one


def evaluate_arena_day(scenario: Fields) -> dict[str, object]:
    """{"payouts": {account: amount}, "vesting": amount, "ranking": [node, the best first]}.

    Payouts are the validators' and the nodes' Reward A, delegators included. With a creator's slice
    there is "creator": amount too.
    """
    day = read_day(scenario)
    task = ArenaTask(day, DAYS)
    settled = task.play_day({each.name: each.scores or {} for each in day.validators})
    task.chain.try_state()
    payouts = settled.of_kinds(PaymentKind.VALIDATION, PaymentKind.REWARD_A)
    answer: dict[str, object] = {
        "payouts": {name: str(payouts[name]) for name in sorted(payouts)},
        "vesting": str(settled.vested),
        "ranking": list(settled.ranking),
    }
    if settled.created:
        answer["creator"] = str(settled.created)
    return answer
