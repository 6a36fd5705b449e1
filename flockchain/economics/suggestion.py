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
    "expected: Reward B if the final ranking equals the mean f_i so far; it is paid when the task "
    "is complete, and lost if the task fails or its last day ranks others",
    "a delegation counts from tomorrow, bears slashes pro rata, and is free some days after it is "
    "taken back; who backs a validator cannot become a node of its task, nor the reverse",
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
    ratio = next(
        (entry.ratio for entry in reversed(row.announced) if entry.from_day <= task.today + 1),
        row.ratio,
    )
    share = Fraction(amount * ratio.numerator, ratio.denominator * YIELD_UNIT)
    daily_part = _part_of_role(task, row)
    vesting_part = Fraction(row.vesting, task.vested) if task.vested else Fraction(0)
    daily_alpha, vesting_alpha = _alphas(outlook, row.role)
    paid = row.staked.paid * _dilution(stake, amount, daily_part, daily_alpha)
    expected = row.staked.expected * _dilution(stake, amount, vesting_part, vesting_alpha)
    return Suggestion(
        task.task,
        row,
        ratio,
        int(share * paid),
        int(share * expected),
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


def _alphas(outlook: TaskOutlook, role: Role) -> tuple[Rational, Rational]:
    """The exponents of stake in daily rewards and in Reward B."""
    vesting = outlook.record.vesting.node_alpha
    if role is Role.TASK_VALIDATOR:
        return outlook.rules.validator_alpha, vesting
    return outlook.rules.vesting.node_alpha, vesting


def _dilution(stake: int, amount: int, part: Fraction, alpha: Rational) -> Fraction:
    """By what a planck's yield shrinks if `amount` joins `stake`.

    With weight w = stake^alpha, part p of all weight and the new weight v, the operator is paid
    v / (w + p (v - w)) times as much as before, for (stake + amount) / stake times the stake.
    """
    before, after = pow_ratio(stake, alpha), pow_ratio(stake + amount, alpha)
    return Fraction(after) / (before + part * (after - before)) * Fraction(stake, stake + amount)


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
