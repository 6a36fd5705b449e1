"""What a staked planck earned a day, for each operator of a task: exact, from the kept records.

Off the block path. Owns the means over trailing days and what an operator has of the vesting pool
if the final ranking equals the mean f_i so far. A day counts for a figure only if the ledger still
knows what the figure needs: how an operator's stake was divided, and its share ratio.
Invariant: nothing is estimated; every figure says over how many days it is.
Source: WP II.D (delegation), WP V.E to V.H (rewards).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from runtime import frame
from runtime.economy.tasks import Role, Task
from runtime.pallets.arena.records import DayKey, DayResult, PaymentKind
from runtime.pallets.delegation import Operator
from runtime.pallets.delegation.position import Position
from runtime.pallets.delegation.ratio import RatioFrom, ShareRatio
from runtime.primitives.rational import Rational
from runtime.primitives.types import U16, U32, U256, AccountId, Balance
from runtime.runtime import Runtime

YIELD_UNIT: Final = 10**18  # yields are in 10^-18 planck a planck and day
DAILY_KINDS: Final = (PaymentKind.REWARD_A, PaymentKind.VALIDATION, PaymentKind.CREATION)


@frame.scale_type
class Yield:
    """What a planck earned a day, in 10^-18 planck, floored.

    `paid`: the mean over `days` days of what was paid. `expected`: what a planck-day has of the
    vesting Reward B, over all days of the task, if the final ranking equals the mean f_i so far.
    """

    paid: U256
    days: U16
    expected: U256


@frame.scale_type
class SlashedOn:
    """A day on which a validator did not seal, or not open, its scores; `rate` of its stake."""

    day: U32
    rate: Rational


@frame.scale_type
class OperatorYield:
    """An operator of a task since `first_day`.

    Stakes in planck are those of now, which count from tomorrow. `ratio` is today's, `mean_ratio`
    the mean of its days, by which Reward B is divided.

    `paid`: Reward A, validation and creation of `days` settled days, `paid_days` of them above 0,
    delegators' parts included; `from_slashes`: what others' slashes added. `vesting`: its part of
    the pool by the mean f_i; `stake_days`: planck days through the last settled day, or yesterday.
    `staked` is a planck's yield before it is shared, `own_stake` and `delegation` that of the
    operator's and of a delegator's planck.
    """

    operator: AccountId
    role: Role
    first_day: U32
    own: Balance
    delegated: Balance
    minimum: Balance
    slots_left: U32
    ratio: Rational
    mean_ratio: Rational
    announced: list[RatioFrom]
    days: U16
    paid_days: U16
    paid: Balance
    from_slashes: Balance
    vesting: Balance
    stake_days: U256
    staked: Yield
    own_stake: Yield
    delegation: Yield
    slashes: list[SlashedOn]


@frame.scale_type
class GroupYield:
    """Operators together. `staked` is over all their stake of each day.

    `own_stake` and `delegation` are means of the operators' yields, by what each has of that kind
    of stake now.
    """

    operators: U32
    own: Balance
    delegated: Balance
    paid: Balance
    staked: Yield
    own_stake: Yield
    delegation: Yield


@frame.scale_type
class TaskYields:
    """A task's yields over its `days` last settled days, `first_day` .. `last_day`.

    `ranked_days` of them had a ranking. `vested`: the pool of Reward B, `slashed`: what validators
    lost on those days, planck.
    """

    task: U32
    today: U32
    final_day: U32
    days: U16
    first_day: U32
    last_day: U32
    ranked_days: U16
    vested: Balance
    slashed: Balance
    whole: GroupYield
    nodes: GroupYield
    validators: GroupYield
    operators: list[OperatorYield]


@dataclass
class _Mean:
    """The mean of a figure over the days of which it is known."""

    total: int = 0
    days: int = 0

    def add(self, numerator: int, denominator: int) -> None:
        """One day's numerator / denominator; 0 / 0 is 0."""
        self.total += numerator * YIELD_UNIT // denominator if numerator else 0
        self.days += 1

    def as_yield(self, expected: int) -> Yield:
        """The mean, floored, beside what is expected."""
        return Yield(self.total // self.days if self.days else 0, self.days, expected)


@dataclass
class _Day:
    """A settled day: what it paid to each operator, and stakes that its records tell, planck."""

    day: int
    result: DayResult
    paid: dict[AccountId, int] = field(default_factory=dict)
    from_slashes: dict[AccountId, int] = field(default_factory=dict)
    stakes: dict[AccountId, int] = field(default_factory=dict)
    slashes: dict[AccountId, SlashedOn] = field(default_factory=dict)


class TaskBooks:
    """The records of one task. Cost: those of the days that are looked at, and all operators."""

    def __init__(self, runtime: Runtime, task: int, days: int) -> None:
        """Look at the last `days` settled days. Raises UnknownTask."""
        self._runtime = runtime
        self._task = task
        self._record: Task = runtime.tasks.get_task(task)
        self._today = runtime.arena.today()
        self._days = self._settled(days)
        records = sorted(runtime.arena.node_records.items_of(task))
        self._shares = {who: record.share_sum for who, record in records}
        self._share_sum = sum(self._shares.values())
        last = max((day.day for day in self._days), default=0)
        self._vested_through = max(last, self._today - 1)  # further back stakes are forgotten

    def yields(self) -> TaskYields:
        """Everything."""
        ledger, days = self._runtime.delegation, self._days
        found = sorted(ledger.operators.items_of(self._task), key=lambda pair: pair[0])
        operators = [self._operator(who, operator) for who, operator in found]
        nodes = [each for each in operators if each.role is Role.TRAINING_NODE]
        validators = [each for each in operators if each.role is Role.TASK_VALIDATOR]
        return TaskYields(
            self._task,
            self._today,
            self._record.final_day(),
            len(days),
            days[0].day if days else self._record.start_day,
            days[-1].day if days else self._record.start_day,
            sum(bool(day.result.ranking) for day in days),
            self._runtime.arena.vested.get(self._task),
            sum(day.result.slashed for day in days),
            self._group([*nodes, *validators], [Role.TRAINING_NODE, Role.TASK_VALIDATOR]),
            self._group(nodes, [Role.TRAINING_NODE]),
            self._group(validators, [Role.TASK_VALIDATOR]),
            operators,
        )

    # -- the days

    def _settled(self, count: int) -> list[_Day]:
        """The last `count` settled days, ascending; today, and yesterday, may not be settled.

        Nor is a day whose nodes are paid with the next one.
        """
        last = min(self._today, self._record.final_day())
        first = max(self._record.start_day, last - count - 1)
        days = []
        for day in range(first, last + 1):
            result = self._runtime.arena.day_results.find(DayKey(self._task, day))
            if result is not None and result.ranked_on is not None:
                days.append(self._read(day, result))
        return days[-count:]

    def _read(self, day: int, result: DayResult) -> _Day:
        read = _Day(day, result)
        for payment in self._runtime.arena.payments.get(DayKey(self._task, day)):
            if payment.kind in DAILY_KINDS:
                read.paid[payment.operator] = read.paid.get(payment.operator, 0) + payment.amount
            elif payment.kind is PaymentKind.SLASHED_STAKE:
                read.from_slashes[payment.operator] = payment.amount
        read.stakes = {node.owner: node.stake for node in result.ranking}
        read.stakes |= {juror.account: juror.stake for juror in result.jurors}
        if result.slashed:
            read.slashes = self._slashes(day, result)
        return read

    def _slashes(self, day: int, result: DayResult) -> dict[AccountId, SlashedOn]:
        """Who was drawn and did not seal, or not open, its scores: none of them has a share."""
        arena, key = self._runtime.arena, DayKey(self._task, day)
        roster = arena.rosters.get(key)
        slashes = {}
        for who in [juror.account for juror in result.jurors if not juror.share]:
            rate = arena.scoring.penalty_of(key, roster, who, result.parameters)
            if rate is not None:
                slashes[who] = SlashedOn(day, rate)
        return slashes

    # -- one operator

    def _operator(self, who: AccountId, operator: Operator) -> OperatorYield:
        ratio, limit = operator.ratio, self._runtime.delegation.config.delegators_max
        days = [day for day in self._days if day.day >= ratio.first_day]
        paid = [day.paid.get(who, 0) for day in days]
        means = _means(who, operator, days)
        expected = self._expected(who, operator)
        staked, own, delegation = (
            mean.as_yield(each) for mean, each in zip(means, expected, strict=True)
        )
        return OperatorYield(
            who,
            operator.role,
            ratio.first_day,
            operator.own.amount,
            operator.delegated.amount,
            operator.minimum,
            max(limit - operator.delegators, 0),
            ratio.at(self._today),
            ratio.mean_through(self._vested_through),
            [entry for entry in ratio.entries if entry.from_day > self._today],
            len(days),
            sum(amount > 0 for amount in paid),
            sum(paid),
            sum(day.from_slashes.get(who, 0) for day in days),
            self._vesting(who),
            sum(self._stake_days(operator)),
            staked,
            own,
            delegation,
            [day.slashes[who] for day in days if who in day.slashes],
        )

    def _vesting(self, who: AccountId) -> int:
        if not self._share_sum:
            return 0
        vested = self._runtime.arena.vested.get(self._task)
        return vested * self._shares.get(who, 0) // self._share_sum

    def _expected(self, who: AccountId, operator: Operator) -> tuple[int, int, int]:
        """What a planck-day has of the pool: before it is shared, own, a delegator's."""
        own, delegated = self._stake_days(operator)
        amount = self._vesting(who) * YIELD_UNIT
        if not amount or not own + delegated:
            return 0, 0, 0
        ratio = operator.ratio.mean_through(self._vested_through)
        return _divide(amount, own, delegated, ratio)

    def _stake_days(self, operator: Operator) -> tuple[int, int]:
        """Own and delegated."""
        day = self._vested_through
        return operator.own.stake_days_through(day), operator.delegated.stake_days_through(day)

    # -- all of them

    def _group(self, operators: Sequence[OperatorYield], roles: Sequence[Role]) -> GroupYield:
        mean = _Mean()
        for day in self._days:
            paid = sum(day.paid.get(each.operator, 0) for each in operators)
            stakes = {
                Role.TRAINING_NODE: day.result.node_stake,
                Role.TASK_VALIDATOR: day.result.validator_stake,
            }
            mean.add(paid, sum(stakes[role] for role in roles))
        vesting = sum(each.vesting for each in operators) * YIELD_UNIT
        ledger, day_ = self._runtime.delegation, self._vested_through
        stake_days = sum(
            ledger.totals.get((self._task, role)).stake_days_through(day_) for role in roles
        )
        return GroupYield(
            len(operators),
            sum(each.own for each in operators),
            sum(each.delegated for each in operators),
            sum(each.paid for each in operators),
            mean.as_yield(vesting // stake_days if stake_days else 0),
            _weighted([(each.own_stake, each.own) for each in operators]),
            _weighted([(each.delegation, each.delegated) for each in operators]),
        )


def _means(who: AccountId, operator: Operator, days: Sequence[_Day]) -> tuple[_Mean, _Mean, _Mean]:
    """What a staked, an own and a delegated planck was paid, over the days that are known.

    Whether a day is known must not depend on whether it paid: that would bend the means. A paid
    day's records tell the stake of nodes and validators, so theirs is known on every day.
    """
    if not any(who in day.paid for day in days):
        return _Mean(0, len(days)), _Mean(0, len(days)), _Mean(0, len(days))
    means = staked, own, delegation = _Mean(), _Mean(), _Mean()
    for day in days:
        amount, stake = day.paid.get(who, 0), _stake_on(operator, day.day, day.stakes.get(who))
        if stake.total is None and operator.role is Role.CREATOR:
            continue
        total = stake.total or 1  # without any nothing was paid
        staked.add(amount, total)
        ratio = _ratio_on(operator.ratio, day.day)
        if ratio is None:
            continue
        delegation.add(amount * ratio.numerator, total * ratio.denominator)
        if stake.is_divided and stake.own != 0:
            kept = total * ratio.denominator - ratio.numerator * (stake.delegated or 0)
            own.add(amount * kept, total * ratio.denominator * (stake.own or 1))
    return means


@dataclass(frozen=True, slots=True)
class _Stake:
    """An operator's stake at the start of a day, planck; None where the ledger has forgotten it."""

    own: int | None
    delegated: int | None
    total: int | None

    @property
    def is_divided(self) -> bool:
        """Whether own and delegated stake follow as soon as the total is known."""
        return self.own is not None or self.delegated is not None


def _stake_on(operator: Operator, day: int, total: int | None) -> _Stake:
    """What the ledger knows of a day, with the total that the day's records tell."""
    own, delegated = find_at(operator.own, day), find_at(operator.delegated, day)
    if own is not None and delegated is not None:
        return _Stake(own, delegated, own + delegated)
    if total is not None and own is not None:
        return _Stake(own, total - own, total)
    if total is not None and delegated is not None:
        return _Stake(total - delegated, delegated, total)
    return _Stake(own, delegated, total)


def _divide(amount: int, own: int, delegated: int, ratio: Rational) -> tuple[int, int, int]:
    """An amount a planck before it is shared, a planck of own stake, a planck of a delegator."""
    total, parts = own + delegated, ratio.denominator
    kept = total * parts - ratio.numerator * delegated
    to_own = amount * kept // (total * parts * own) if own else 0
    return amount // total, to_own, amount * ratio.numerator // (total * parts)


def find_at(position: Position, day: int) -> int | None:
    """The stake at the start of a day, or None if the position has forgotten it."""
    try:
        return position.at(day)
    except ValueError:
        return None


def _ratio_on(ratio: ShareRatio, day: int) -> Rational | None:
    """The ratio in force on a day, or None if it is forgotten."""
    return ratio.at(day) if day >= ratio.entries[0].from_day else None


def _weighted(yields: Sequence[tuple[Yield, int]]) -> Yield:
    """The mean by weight; its days are the fewest of any that weighs."""
    known = [(each, weight) for each, weight in yields if weight and each.days]
    total = sum(weight for _, weight in known)
    if not total:
        return Yield(0, 0, 0)
    return Yield(
        sum(each.paid * weight for each, weight in known) // total,
        min(each.days for each, _ in known),
        sum(each.expected * weight for each, weight in known) // total,
    )
