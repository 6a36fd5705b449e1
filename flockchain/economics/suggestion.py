"""Ranks the operators that a delegator may back, by what its amount would earn behind each.

Pure over the yields that a chain tells. Owns the outlook: a trailing day's yield, diluted by the
amount itself, since a larger stake raises an operator's part of what its role is paid and is shared
by more. Invariant: exact until the last floor to a planck; what an outlook leaves out it warns of.
Source: WP II.D.4 (delegation), WP V.E to V.H.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from runtime.economy.parameters import ArenaParameters
from runtime.economy.tasks import Role, Task
from runtime.pallets.delegation import Ties
from runtime.primitives.fixed_point import pow_ratio
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId
from runtime.yields import YIELD_UNIT, GroupYield, OperatorYield, TaskYields

YEAR_DAYS: Final = 365
FEW_DAYS: Final = 7  # of history, or until the end, are worth a warning
ASSUMPTIONS: Final = (
    "the days to come pay as the days looked at did, by the share ratio in force tomorrow",
    "the amount itself is counted: an operator's part of what its role is paid grows with "
    "stake^alpha, and is shared by more stake; the task's own part of the emission stays as it is",
    "expected: Reward B if the task goes on to vest as it did and the final ranking equals the "
    "mean f_i; it is paid when the task is complete, and lost if the task fails or its last day "
    "ranks others; a bounty would come on top",
    "a delegation counts from tomorrow and bears slashes pro rata; what is taken back is free some "
    "days later, but for the least delegation, which stays in until the task ends; who backs a "
    "validator cannot become a node of its task, nor the reverse",
    f"a year is {YEAR_DAYS} of the chain's days, whether the task lasts so long or not",
)


@dataclass(frozen=True, slots=True)
class Delegator:
    """Who asks: its role in each task where it has one, and whom it backs already."""

    account: AccountId
    roles: dict[int, Role]
    backed: frozenset[tuple[int, AccountId]]


@dataclass(frozen=True, slots=True)
class TaskOutlook:
    """A task's yields, its record, and the reward rules of tomorrow."""

    yields: TaskYields
    record: Task
    rules: ArenaParameters


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An operator to back. `paid` and `expected` are planck a day for the amount."""

    task: int
    row: OperatorYield
    ratio: Rational
    paid: int
    expected: int
    days_left: int
    warnings: tuple[str, ...]

    @property
    def daily(self) -> int:
        """All that the amount would earn on a day, planck."""
        return self.paid + self.expected

    @property
    def yearly(self) -> int:
        """The same for a year of the chain's days, planck."""
        return self.daily * YEAR_DAYS


@dataclass(frozen=True, slots=True)
class Ranking:
    """Operators, the best first; and how many were left out, by reason."""

    suggestions: tuple[Suggestion, ...]
    left_out: dict[str, int]


def suggest(tasks: Sequence[TaskOutlook], amount: int, delegator: Delegator | None) -> Ranking:
    """Rank the operators of all tasks for `amount` planck, at least 1."""
    suggestions: list[Suggestion] = []
    left_out: dict[str, int] = {}
    for outlook in tasks:
        for row in outlook.yields.operators:
            reason = _find_obstacle(outlook.yields, row, delegator)
            if reason is None:
                suggestions.append(_look_ahead(outlook, row, amount))
            else:
                left_out[reason] = left_out.get(reason, 0) + 1
    suggestions.sort(key=lambda each: (-each.daily, each.task, each.row.operator))
    return Ranking(tuple(suggestions), left_out)


def _find_obstacle(task: TaskYields, row: OperatorYield, delegator: Delegator | None) -> str | None:
    """Why the operator cannot be backed, or why it would be in vain; None if it can."""
    if task.final_day <= task.today:
        return "could earn on no further day: the task ends today"
    if not row.own:
        return "have no stake of their own"
    is_backed = delegator is not None and (task.task, row.operator) in delegator.backed
    if not row.slots_left and not is_backed:
        return "have no free slot"
    if delegator is None:
        return None
    if row.operator == delegator.account:
        return "are the account itself"
    role = delegator.roles.get(task.task)
    if role is not None and Ties().changed(row.role, 1).forbids(role):
        return "the account's own role in the task forbids"
    return None


# -- the outlook


def _look_ahead(outlook: TaskOutlook, row: OperatorYield, amount: int) -> Suggestion:
    task, stake = outlook.yields, row.own + row.delegated
    ratio = _ratio_on(row, task.today + 1)
    share = Fraction(amount * ratio.numerator, ratio.denominator * YIELD_UNIT)
    alpha = _alpha(outlook.rules, row.role)
    grown = _growth(stake, amount, _part_of_role(task, row), alpha)
    paid = row.staked.paid * grown * Fraction(stake, stake + amount)
    return Suggestion(
        task.task,
        row,
        ratio,
        int(share * paid),
        int(amount * _vesting_a_day(outlook, row, amount)),
        task.final_day - task.today,
        tuple(_warnings(task, row, ratio)),
    )


def _part_of_role(task: TaskYields, row: OperatorYield) -> Fraction:
    """The operator's part of what its role was paid a day; a creator's slice is its own."""
    groups: dict[Role, GroupYield] = {
        Role.TRAINING_NODE: task.nodes,
        Role.TASK_VALIDATOR: task.validators,
    }
    group = groups.get(row.role)
    if group is None or not group.paid or not row.days:
        return Fraction(1)
    return min(Fraction(row.paid * task.days, row.days * group.paid), Fraction(1))


def _alpha(rules: ArenaParameters, role: Role) -> Rational:
    """The exponent of stake in daily rewards."""
    return rules.validator_alpha if role is Role.TASK_VALIDATOR else rules.vesting.node_alpha


def _growth(stake: int, amount: int, part: Fraction, alpha: Rational) -> Fraction:
    """How many times as much an operator is paid if `amount` joins its stake.

    With weight w = stake^alpha, part p of all weight and the new weight v: v / (w + p (v - w)).
    """
    before, after = pow_ratio(stake, alpha), pow_ratio(stake + amount, alpha)
    return Fraction(after) / (before + part * (after - before))


def _vesting_a_day(outlook: TaskOutlook, row: OperatorYield, amount: int) -> Fraction:
    """What a planck of `amount` gets of Reward B in the end, for each day until then.

    The pool grows as it did; f_i grows with the stake from tomorrow on; the operator's part is
    divided by the stake-days of all days and by the mean of all days' share ratios.
    """
    task, record = outlook.yields, outlook.record
    days = task.last_day - record.start_day + 1
    if not row.vesting or not task.days:
        return Fraction(0)
    stake, ends_in = row.own + row.delegated, task.final_day - task.today
    all_days, pool = record.terms.days, Fraction(task.vested * record.terms.days, days)
    part = Fraction(row.vesting, task.vested)
    grown = _growth(stake, amount, part, record.vesting.node_alpha)
    part = part * (all_days - ends_in + grown * ends_in) / all_days
    through = max(task.last_day, task.today - 1)
    stake_days = row.stake_days + stake * (task.final_day - through) + amount * ends_in
    mean = _ratio_sum(row, through, task.final_day) / (task.final_day - row.first_day + 1)
    return pool * part * mean / stake_days


def _ratio_on(row: OperatorYield, day: int) -> Rational:
    """The share ratio of a day to come, as it is announced."""
    later = (entry.ratio for entry in reversed(row.announced) if entry.from_day <= day)
    return next(later, row.ratio)


def _ratio_sum(row: OperatorYield, through: int, last: int) -> Fraction:
    """The share ratios of all days up to `last`; the mean of those up to `through` is known."""
    known = max(through - row.first_day + 1, 0)
    total = Fraction(row.mean_ratio.numerator * known, row.mean_ratio.denominator)
    day = row.first_day + known
    for end in (*(entry.from_day for entry in row.announced), last + 1):
        if day < end <= last + 1:
            ratio = _ratio_on(row, day)
            total += Fraction(ratio.numerator * (end - day), ratio.denominator)
            day = end
    return total


def _warnings(task: TaskYields, row: OperatorYield, ratio: Rational) -> list[str]:
    found = [
        f"share cut to {entry.ratio} from day {entry.from_day}"
        for entry in row.announced
        if entry.ratio < ratio
    ]
    if row.slashes:
        days = ", ".join(str(slash.day) for slash in row.slashes)
        found.append(f"slashed on day {days}")
    if row.own < row.minimum:
        found.append("own stake below the minimum")
    if row.days < FEW_DAYS:
        found.append(f"{_days(row.days)} of history")
    if task.final_day - task.today <= FEW_DAYS:
        found.append(f"task ends in {_days(task.final_day - task.today)}")
    return found


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
