"""A2: one validator's stake split over n accounts, weighed by stake and in committees.

Owns the comparison at equal capital. Everybody scores alike, so that only stake and seats differ.
In committees the draw is chance: what seats beyond the stake's part paid is counted apart, as luck,
and taken off, so that some days decide what a split gains.
Source: WP V.F (s^α_v), WP V.D and Fig. 4 (the rate limit), Table I.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

from flockchain.economics.attacks.findings import Finding, Plot, Row, in_fml, show_fml, show_ratio
from flockchain.economics.attacks.stage import TASK, Rules, Stage
from runtime.constants import MAINNET
from runtime.pallets.arena.records import DayKey, DayResult
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

CAPITAL: Final = 60_000 * FML  # of the attacker and of each other validator: 20 times the minimum
OTHERS: Final = {f"validator {each}": CAPITAL for each in range(3)}
COUNTS: Final = (1, 2, 3, 5, 8, 10, 15, 20)
COUNTS_THIN: Final = (1, 2, 20)
ALPHAS: Final = (Rational(1, 2), Rational(1, 1), Rational(3, 2))
DAYS: Final = 40  # of a task with committees: the draw is chance, days even it out
DAYS_THIN: Final = 2
NODES: Final = 4
# Each node's model has 5 seats; the quotas of four validators of 60,000 FML are 17 seats each.
COMMITTEES: Final = (("quotas slack", 4), ("quotas tight", 13), ("quotas short", 20))
DEVIATIONS: Final = 4  # of the seats drawn from the stake's part: beyond that it is not chance
_ONE: Final = Rational(1, 1)


def study_stake_splitting(*, is_thin: bool = False) -> Finding:
    """Play every n for three α_v by stake, and for the shipped committees."""
    counts = COUNTS_THIN if is_thin else COUNTS
    rows, curves = [], {}
    for alpha in ALPHAS:
        rules = Rules(replace(MAINNET.arena, validator_alpha=alpha))
        nets = {n: _play(rules, n, NODES).net for n in counts}
        claim = "<= 0" if alpha >= _ONE else ""
        rows += [
            Row(f"by stake, α_v = {show_ratio(alpha)}, n = {n}", nets[1], nets[n], claim)
            for n in counts
            if n in (2, 5, 10, 20)
        ]
        curves[f"by stake, α_v = {show_ratio(alpha)}"] = _curve(nets, rules.days)
    days = DAYS_THIN if is_thin else DAYS
    rules = Rules(seats=MAINNET.seats, final_seats=MAINNET.final_seats, days=days)
    is_fair = True
    for label, nodes in COMMITTEES:
        runs = {n: _play(rules, n, nodes) for n in counts}
        nets = {n: run.net - run.luck for n, run in runs.items()}
        is_fair = is_fair and all(run.is_drawn_by_stake() for run in runs.values())
        rows += [
            Row(f"committees, {label}, {days} days, n = {n}", nets[1], nets[n], "<= 0")
            for n in counts
            if n in (2, 5, 10, 20)
        ]
        curves[f"committees, {label}"] = _curve(nets, days)
    return Finding(
        "A2",
        "Stake split across validators",
        "Four validators of 60,000 FML, one of them split evenly over n accounts; all score "
        f"alike. Committees: {MAINNET.seats} seats ({MAINNET.final_seats} on the final day), "
        "4, 13 or 20 nodes (20, 65 or 100 seats a day), α_v = 1; less the luck of the draw.",
        rows,
        _READING,
        Plot(
            "attack_stake_splitting",
            "A2: the gain of splitting a validator's stake",
            "accounts",
            "FML a day, net of fees",
            curves,
        ),
        {"seats are drawn by stake, however it is split and whatever the quotas": is_fair},
    )


_READING: Final = (
    "**At the shipped α_v = 1, weighed by stake, a split only costs the fees**; above 1 it also "
    "loses weight.",
    "**With α_v < 1 a split gains**: the summed weight grows by n^(1−α_v). The DAO may set such "
    f"an α_v; only the {show_fml(MAINNET.registration_fee)} FML fee and the minimum of "
    f"{show_fml(MAINNET.validator_stake)} FML an account stand against it then. Keep α_v ≥ 1.",
    "**In committees a split only costs the fees**, be the quotas slack, tight or short (60,000 "
    "FML have 17 seats a day as one account and 80 as twenty; the four have 68 for the 100 that "
    "are dealt). A seat falls on a validator by its stake; at its limit another scores it, and pay "
    "goes by what fell on one, not by what one scored. The limit thus bounds how much anybody "
    "decides and has to do, and nobody has more pay for having more of it. A split still holds "
    "more seats where quotas are short, up to the part of its stake: what a validator of that "
    "size would have without a limit.",
    "**The luck of the draw** is taken off in both runs: each day's pay for the seats drawn beyond "
    "the stake's part. It is no gain: its mean is nought.",
)


@dataclass(slots=True)
class Run:
    """What a played task came to: planck, and seats of the attacker beside all that were drawn."""

    net: int = 0
    luck: int = 0
    drawn: int = 0
    all_drawn: int = 0

    def is_drawn_by_stake(self) -> bool:
        """Whether the attacker's seats are a quarter of all, as chance has it."""
        expected = self.all_drawn / 4
        deviation = sqrt(self.all_drawn * 3 / 16)
        return abs(self.drawn - expected) <= DEVIATIONS * deviation

    def count(self, stage: Stage, day: int, result: DayResult, names: Collection[str]) -> None:
        """Add a settled day's seats, and what those beyond a quarter were paid."""
        jurors = stage.chain.arena.rosters.get(DayKey(TASK, day)).jurors
        accounts = {stage.accounts[name] for name in names}
        seats = sum(juror.drawn for juror in jurors)
        own = sum(juror.drawn for juror in jurors if juror.account in accounts)
        self.drawn, self.all_drawn = self.drawn + own, self.all_drawn + seats
        if seats:
            self.luck += result.for_validators * (4 * own - seats) // (4 * seats)


def _curve(nets: dict[int, int], days: int) -> list[tuple[float, float]]:
    return [(n, in_fml(net - nets[1]) / days) for n, net in nets.items()]


def _play(rules: Rules, accounts: int, nodes: int) -> Run:
    parts = {f"part {each}": CAPITAL // accounts for each in range(accounts)}
    trainers = {f"node {each}": 5_000 * FML for each in range(nodes)}
    stage, run = Stage(rules, trainers, {**OTHERS, **parts}), Run()
    stage.submit({name: name for name in trainers})
    scores = {name: 900_000_000 - at * 10_000_000 for at, name in enumerate(trainers)}
    for _ in range(rules.days):
        day = stage.chain.tasks.today()
        result = stage.play(lambda _, node: scores[node])
        run.count(stage, day, result, parts)
    stage.chain.try_state()
    run.net = stage.net(*parts)
    return run
