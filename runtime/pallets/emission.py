"""Emission: how many FML come to be on a day, and which task's reward they are.

Owns the emission's parameters and each day's allotment to hosts and tasks. It mints only what is
paid out or vested of an allotment, and the hosts' slice of a day for what they were paid the day
before; a day without eligible stake mints nothing for tasks, and nothing rolls over.
Invariant (`try_state`): what was ever minted is at most 300,000,000 FML, and no day mints more
than its allotment.

Source: WP III.A (emission), WP IV.A (between Arena and FL Alliance, and between tasks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from runtime import frame
from runtime.economy.calendar import MINTABLE_DAYS
from runtime.economy.market import HostClaim
from runtime.frame.traits import Currency
from runtime.frame.weights import Weight
from runtime.primitives.apportion import apportion
from runtime.primitives.fixed_point import pow_ratio
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, U32, AccountId, Balance

MONTH_DAYS: Final = 30
EMISSION_MAX: Final = 300_000_000 * FML  # ever
CAP: Final = 1_000_000_000 * FML
DAILY_MAX: Final = 1_000_000 * FML  # C_0's hard bound
_MONTHS_MAX: Final = 2_400  # 200 years: a limit on the exponent
_P_MAX: Final = Rational(4, 1)
_P_PARTS_MAX: Final = 1000


@frame.scale_type
class EmissionParameters:
    """`daily` planck a day in the first month, times `decay` every month after it.

    `stake_exponent` is p: tasks share by stake^p. `host_share` * `host_decay`^month of a day's
    emission is the model hosts' slice.
    """

    daily: Balance = 100_000 * FML
    decay: Rational = Rational(99, 100)
    stake_exponent: Rational = Rational(1, 1)
    host_share: Rational = Rational(1, 20)
    host_decay: Rational = Rational(9, 10)


@frame.scale_type
class Curve:
    """C(d) = daily * decay^(months since `from_month`), floored."""

    daily: Balance
    decay: Rational
    from_month: U32


@frame.scale_type
class TaskReward:
    """A task's part of a day's emission, and how much of it was minted, planck."""

    task: U32
    stake: Balance
    amount: Balance
    minted: Balance = 0


@frame.scale_type
class Allotment:
    """A day's emission without the hosts' slice, and the tasks that it went to.

    `hosts`: what the slice minted for what hosts were paid the day before.
    """

    day: U32
    emission: Balance
    arena: list[TaskReward]
    alliance: list[TaskReward]
    hosts: Balance = 0


@frame.event(0)
class EmissionAllotted:
    """The day's emission was divided; `arena` and `alliance` are the two parts in planck."""

    day: U32
    emission: Balance
    arena: Balance
    alliance: Balance


@frame.event(1)
class ParametersChanged:
    """A new curve acts from `from_month` on."""

    from_month: U32
    daily: Balance


@frame.event(2)
class HostPaid:
    """A model host's part of the day's emission, planck."""

    day: U32
    host: AccountId
    amount: Balance


class EmissionOutOfBounds(frame.ModuleError, index=0):
    """A parameter lies outside of its hard bounds: daily emission at most 1,000,000 FML, decay and
    shares at most 1, the exponent at most 4 in thousandths."""


@dataclass(frozen=True)
class Config:
    """`emission_max`: all that may ever be minted, `cap`: all FML that may ever be, planck.

    `kept_days`: for how long a day's allotment is kept.
    """

    emission_max: Balance = EMISSION_MAX
    cap: Balance = CAP
    kept_days: U32 = 30


def split_between_tasks(
    emission: int, exponent: Rational, arena: Sequence[int], alliance: Sequence[int]
) -> tuple[list[int], list[int]]:
    """R_i of each Arena task and of each FL Alliance task, by their stakes in planck.

    First between the two kinds by the sum of stakes, then within each by stake^p. A task without
    stake gets nothing; all zero if nobody has stake.
    """
    if not sum(arena) + sum(alliance):
        return [0] * len(arena), [0] * len(alliance)
    to_arena, to_alliance = apportion(emission, [sum(arena), sum(alliance)])
    return _split_by_power(to_arena, exponent, arena), _split_by_power(
        to_alliance, exponent, alliance
    )


def _split_by_power(amount: int, exponent: Rational, stakes: Sequence[int]) -> list[int]:
    if not sum(stakes):
        return [0] * len(stakes)
    return apportion(amount, [pow_ratio(stake, exponent) if stake else 0 for stake in stakes])


class Emission(frame.Pallet[Config], index=32):
    parameters = frame.StorageValue[EmissionParameters](
        EmissionParameters, default=EmissionParameters(), docs="Every parameter as last set."
    )
    curve = frame.StorageValue[Curve](
        Curve,
        default=Curve(100_000 * FML, Rational(99, 100), 0),
        docs="The curve in force.",
    )
    next_curve = frame.StorageValue[Curve](Curve, docs="The curve from its first month on.")
    minted = frame.StorageValue[int](Balance, default=0, docs="All emission ever minted, planck.")
    ceiling = frame.StorageValue[int](
        Balance, default=0, docs="All emission that there can ever be: its bound or the cap's rest."
    )
    last_day = frame.StorageValue[int](U32, default=0, docs="The last day that was allotted.")
    allotments = frame.StorageMap[int, Allotment](U32, Allotment, docs="What each day allotted.")

    def __init__(self, ext: frame.Externalities, config: Config, *, currency: Currency) -> None:
        super().__init__(ext, config)
        self.currency = currency

    @frame.call(0, weight=Weight(60_000_000))
    def set_parameters(self, origin: frame.Origin, parameters: EmissionParameters) -> None:
        """Change the parameters. Root. Emits ParametersChanged.

        Daily emission and decay act from the next month after the last allotted day, starting
        from `daily`; the exponent acts from the next allotment. Raises EmissionOutOfBounds.
        """
        frame.ensure_root(origin)
        ensure_within_bounds(parameters)
        from_month = self.last_day.get() // MONTH_DAYS + 1
        self.parameters.put(parameters)
        self.next_curve.put(Curve(parameters.daily, parameters.decay, from_month))
        self.deposit_event(ParametersChanged(from_month, parameters.daily))

    # -- the emission of a day

    def emission_of(self, day: int) -> Balance:
        """C(day) in planck, the hosts' slice included; 0 once everything is minted."""
        left = self.ceiling.get() - self.minted.get()
        return min(self.scheduled_of(day), max(left, 0))

    def scheduled_of(self, day: int) -> Balance:
        """C(day) by the curve alone."""
        month = day // MONTH_DAYS
        curve, upcoming = self.curve.get(), self.next_curve.find()
        if upcoming is not None and month >= upcoming.from_month:
            curve = upcoming
        months = min(month - curve.from_month, _MONTHS_MAX)
        if months < 0:
            raise ValueError(f"day {day} lies before the curve of month {curve.from_month}")
        decay = curve.decay
        return int(curve.daily * decay.numerator**months // decay.denominator**months)

    def scheduled_until(self, day: int) -> Balance:
        """The sum of C(0) .. C(day − 1) by the curve alone, in planck."""
        months, rest = divmod(day, MONTH_DAYS)
        whole = sum(self.scheduled_of(month * MONTH_DAYS) for month in range(months))
        return whole * MONTH_DAYS + rest * self.scheduled_of(months * MONTH_DAYS)

    def committed_before(self, day: int) -> Balance:
        """What was minted of earlier days' allotments, or may still be, in planck.

        The same at any later block that keeps those allotments.
        """
        committed = self.minted.get()
        for each in range(max(day - MINTABLE_DAYS, 0), self.last_day.get() + 1):
            found = self.allotments.find(each)
            for reward in (*found.arena, *found.alliance) if found is not None else ():
                committed += (reward.amount if each < day else 0) - reward.minted
            committed -= found.hosts if found is not None and each >= day else 0
        return committed

    # -- EmissionSource of the pallets that pay

    def allot(
        self,
        day: int,
        arena: Sequence[tuple[int, int]],
        alliance: Sequence[tuple[int, int]],
        hosts: Sequence[HostClaim] = (),
    ) -> None:
        """Pay the hosts' slice, and divide the day's rest among verified tasks, given as
        (task, stake). Once a day. Emits HostPaid, EmissionAllotted."""
        assert not self.allotments.contains(day), f"day {day} is allotted already"
        left = max(self.ceiling.get() - self.committed_before(day), 0)
        available = min(self.scheduled_of(day), left)
        to_hosts = self._pay_hosts(day, self.host_slice_of(day, available), hosts)
        emission = available - to_hosts
        parts = split_between_tasks(
            emission,
            self.parameters.get().stake_exponent,
            [stake for _, stake in arena],
            [stake for _, stake in alliance],
        )
        self._advance_curve(day)
        self.allotments.put(
            day,
            Allotment(
                *(day, emission, _rewards(arena, parts[0]), _rewards(alliance, parts[1])), to_hosts
            ),
        )
        self.last_day.put(day)
        if day >= self.config.kept_days:
            self.allotments.remove(day - self.config.kept_days)
        self.deposit_event(EmissionAllotted(day, emission, sum(parts[0]), sum(parts[1])))

    def host_slice_of(self, day: int, available: int) -> Balance:
        """The most that hosts get of a day on which so many planck are available, floored."""
        rules, months = self.parameters.get(), min(day // MONTH_DAYS, _MONTHS_MAX)
        share, decay = rules.host_share, rules.host_decay
        numerator = share.numerator * decay.numerator**months
        return int(available * numerator // (share.denominator * decay.denominator**months))

    def _pay_hosts(self, day: int, slice_: int, claims: Sequence[HostClaim]) -> Balance:
        """Mint each claim's part, at most what it may be; what that was."""
        if not any(claim.weight for claim in claims):
            return 0
        total = 0
        parts = apportion(slice_, [claim.weight for claim in claims])
        for claim, part in zip(claims, parts, strict=True):
            amount = min(part, claim.most)
            if amount:
                self.currency.mint(claim.host, amount)
                self.deposit_event(HostPaid(day, claim.host, amount))
                total += amount
        self.minted.put(self.minted.get() + total)
        return total

    def _advance_curve(self, day: int) -> None:
        upcoming = self.next_curve.find()
        if upcoming is not None and day // MONTH_DAYS >= upcoming.from_month:
            self.curve.put(upcoming)
            self.next_curve.remove()

    def reward_of(self, day: int, task: int) -> Balance:
        """The task's part of the day, planck; 0 if it has none or the day is not allotted."""
        found = self.allotments.find(day)
        if found is None:
            return 0
        return next((r.amount for r in (*found.arena, *found.alliance) if r.task == task), 0)

    def mint(self, day: int, task: int, who: AccountId, amount: Balance) -> None:
        """Mint of the task's part of the day into `who`, its pot. As much must be left of it.

        The day began less than MINTABLE_DAYS ago: later its rest is no longer set aside.
        """
        found = self.allotments.get(day)
        self.currency.mint(who, amount)
        self.allotments.put(
            day,
            replace(
                found,
                arena=_with_minted(found.arena, task, amount),
                alliance=_with_minted(found.alliance, task, amount),
            ),
        )
        self.minted.put(self.minted.get() + amount)

    def genesis_build(self, parameters: EmissionParameters) -> None:
        """Start the curve, after balances are built. Raises ValueError for bad parameters."""
        try:
            ensure_within_bounds(parameters)
        except EmissionOutOfBounds as error:
            raise ValueError(f"emission: {type(error).__doc__}") from error
        self.parameters.put(parameters)
        self.curve.put(Curve(parameters.daily, parameters.decay, 0))
        left = max(self.config.cap - self.currency.issuance(), 0)
        self.ceiling.put(min(self.config.emission_max, left))

    def try_state(self) -> None:
        assert self.minted.get() <= self.ceiling.get()
        for day, found in self.allotments.items():
            rewards = (*found.arena, *found.alliance)
            assert sum(reward.amount for reward in rewards) <= found.emission
            for reward in rewards:
                assert reward.minted <= reward.amount, f"day {day}: task {reward.task} overpaid"


def ensure_within_bounds(parameters: EmissionParameters) -> None:
    """Raises EmissionOutOfBounds."""
    shares = (parameters.decay, parameters.host_share, parameters.host_decay)
    exponent = parameters.stake_exponent
    if (
        parameters.daily > DAILY_MAX
        or not all(share.is_at_most_one() for share in shares)
        or max(parameters.decay.denominator, parameters.host_decay.denominator) > 10**6
        or exponent > _P_MAX
        or exponent.denominator > _P_PARTS_MAX
    ):
        raise EmissionOutOfBounds


def _rewards(tasks: Sequence[tuple[int, int]], amounts: Sequence[int]) -> list[TaskReward]:
    return [
        TaskReward(task, stake, amount)
        for (task, stake), amount in zip(tasks, amounts, strict=True)
    ]


def _with_minted(rewards: list[TaskReward], task: int, amount: int) -> list[TaskReward]:
    return [
        TaskReward(r.task, r.stake, r.amount, r.minted + amount) if r.task == task else r
        for r in rewards
    ]
