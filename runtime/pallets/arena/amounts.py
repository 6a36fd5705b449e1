"""What a task's day pays to whom, from its reward and stakes, and how that enters the task's pot.

Invariant: money that nobody can get is neither minted nor taken from the escrow.
Source: WP V.H (Rewards A and B), WP V.I (50/50), WP IV.A (creators; verified or self-funded).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.economy.parameters import ArenaParameters
from runtime.economy.tasks import Task
from runtime.pallets.arena.records import DayKey
from runtime.pallets.arena.shares import keep_best
from runtime.pallets.arena.split import split_reward, split_vesting
from runtime.pallets.arena.storage import Arena, pot_of
from runtime.primitives.rational import Rational

MONTH_DAYS = 30
NOTHING = Rational(0, 1)


@dataclass(frozen=True, slots=True)
class DayFunds:
    """What a day's pots are divided from: the rules, R_i, T and S, planck."""

    parameters: ArenaParameters
    reward: int
    node_stake: int
    validator_stake: int


@dataclass(frozen=True, slots=True)
class Amounts:
    """What the day pays, planck; `shares` of validators after the cut to k_2."""

    creator: int
    paid_now: int
    vested: int
    validators: int
    shares: list[int]

    @property
    def total(self) -> int:
        """What enters the pot."""
        return self.creator + self.paid_now + self.vested + self.validators


def divide_day(
    key: DayKey, task: Task, funds: DayFunds, shares: Sequence[int], *, has_ranking: bool
) -> Amounts:
    """The day's pots; `shares` are the validators' before the cut."""
    parameters, creator_share = funds.parameters, NOTHING
    if task.is_verified_on(key.day):
        creator_share = parameters.creator_share_in(key.day // MONTH_DAYS)
    split = split_reward(
        funds.reward, funds.node_stake, funds.validator_stake, parameters.gamma, creator_share
    )
    paid, vested = split_vesting(split.nodes if has_ranking else 0, task.vesting.paid_daily)
    best = keep_best(shares, parameters.paid_validators_max)
    validators = split.validators if any(best) else 0
    creator = split.creator if has_ranking or validators else 0
    return Amounts(creator, paid, vested, validators, best)


def fund_pot(arena: Arena, key: DayKey, task: Task, total: int, vested: int) -> None:
    """Mint `total` of the day, or take it from the escrow; `vested` of it stays in the pot."""
    if not total:
        return
    pot = pot_of(key.task)
    if task.is_verified_on(key.day):
        arena.emission.mint(key.day, key.task, pot, total)
    else:
        arena.tasks.pay_from_escrow(key.task, pot, total)
        arena.vested_own.put(key.task, arena.vested_own.get(key.task) + vested)
    arena.vested.put(key.task, arena.vested.get(key.task) + vested)
