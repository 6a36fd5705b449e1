"""A task's bounty at its completion: what nodes and validators get on top of the reward.

The bounty is divided like R, with the stakes of all days of the task; nodes share their part as
Reward B is shared, validators theirs by their shares of every day. A part without anybody to go to
stays where the payers get it back.
Invariant: what enters the task's pot is exactly what the payments are made of.
Source: WP III.B.1 (bounties), WP V.H (completion).
"""

from __future__ import annotations

from runtime.economy.tasks import Role
from runtime.pallets.arena.payments import payments_by_weight
from runtime.pallets.arena.records import BountyResult, DayKey, Payment, PaymentKind
from runtime.pallets.arena.split import split_reward
from runtime.pallets.arena.storage import Arena, pot_of
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId

NOTHING = Rational(0, 1)


class BountyPayout:
    """Remembers what validators earned, and divides the bounty on the final day."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def remember(self, task: int, validator: AccountId, share: int) -> None:
        """Add a day's share, after the cut to k_2 and floored to 2^-128."""
        if share:
            records, place = self.arena.validator_records, (task, validator)
            records.put(place, records.get(place) + share)

    def plan(
        self, key: DayKey, gamma: Rational, nodes: tuple[list[AccountId], list[int]]
    ) -> list[Payment]:
        """The payments of a task that completes; `nodes` and their weights as of Reward B.

        Nobody of a task that fails has a weight.
        """
        arena = self.arena
        payers = arena.tasks.contributions_of(key.task)
        if not payers:
            return []
        total = sum(each.amount for each in payers)
        node_stake = arena.stakes.role_days_of(key.task, Role.TRAINING_NODE, key.day)
        validator_stake = arena.stakes.role_days_of(key.task, Role.TASK_VALIDATOR, key.day)
        split = split_reward(total, node_stake, validator_stake, gamma, NOTHING)
        owners, weights = nodes
        records = sorted(arena.validator_records.items_of(key.task))
        for_nodes = split.nodes if any(weights) else 0
        for_validators = split.validators if records else 0
        arena.bounty_results.put(
            key.task, BountyResult(payers, node_stake, validator_stake, for_nodes, for_validators)
        )
        if for_nodes + for_validators:
            arena.tasks.pay_from_bounty(key.task, pot_of(key.task), for_nodes + for_validators)
        return payments_by_weight(
            owners, weights, for_nodes, Role.TRAINING_NODE, PaymentKind.BOUNTY_TRAINING
        ) + payments_by_weight(
            [account for account, _ in records],
            [share for _, share in records],
            for_validators,
            Role.TASK_VALIDATOR,
            PaymentKind.BOUNTY_VALIDATION,
        )
