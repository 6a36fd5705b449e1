"""A2: one validator's stake split over n accounts, weighed by stake and in committees.

Owns the comparison at equal capital. Everybody scores alike, so that only stake and seats differ.
Source: WP V.F (s^α_v), WP V.D and Fig. 4 (the rate limit), Table I.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flockchain.economics.attacks.findings import Finding, Plot, Row, in_fml, show_fml, show_ratio
from flockchain.economics.attacks.stage import Rules, Stage
from runtime.constants import MAINNET
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
_ONE: Final = Rational(1, 1)


def study_stake_splitting(*, is_thin: bool = False) -> Finding:
    """Play every n for three α_v by stake, and for the shipped committees."""
    counts = COUNTS_THIN if is_thin else COUNTS
    rows, curves, measured = [], {}, {}
    for alpha in ALPHAS:
        rules = Rules(replace(MAINNET.arena, validator_alpha=alpha))
        nets = {n: _play(rules, n, NODES) for n in counts}
        claim = "<= 0" if alpha >= _ONE else ""
        rows += [
            Row(f"by stake, α_v = {show_ratio(alpha)}, n = {n}", nets[1], nets[n], claim)
            for n in counts
            if n in (2, 5, 10, 20)
        ]
        curves[f"by stake, α_v = {show_ratio(alpha)}"] = _curve(nets, rules.days)
    days = DAYS_THIN if is_thin else DAYS
    rules = Rules(seats=MAINNET.seats, final_seats=MAINNET.final_seats, days=days)
    for label, nodes in COMMITTEES:
        nets = {n: _play(rules, n, nodes) for n in counts}
        rows += [
            Row(f"committees, {label}, {days} days, n = {n}", nets[1], nets[n])
            for n in counts
            if n in (2, 5, 10, 20)
        ]
        curves[f"committees, {label}"] = _curve(nets, days)
        measured[f"no split gains in committees, {label}"] = max(nets.values()) == nets[1]
    return Finding(
        "A2",
        "Stake split across validators",
        "Four validators of 60,000 FML, one of them split evenly over n accounts; all score "
        f"alike. Committees: {MAINNET.seats} seats ({MAINNET.final_seats} on the final day), "
        "4, 13 or 20 nodes (20, 65 or 100 seats a day), α_v = 1.",
        rows,
        _READING,
        Plot(
            "attack_stake_splitting",
            "A2: the gain of splitting a validator's stake",
            "accounts",
            "FML a day, net of fees",
            curves,
        ),
        {},
        measured,
    )


_READING: Final = (
    "**At the shipped α_v = 1, weighed by stake, a split only costs the fees**; above 1 it also "
    "loses weight.",
    "**With α_v < 1 a split gains**: the summed weight grows by n^(1−α_v). The DAO may set such "
    f"an α_v; only the {show_fml(MAINNET.registration_fee)} FML fee and the minimum of "
    f"{show_fml(MAINNET.validator_stake)} FML an account stand against it then. Keep α_v ≥ 1.",
    "**Committees, quotas slack**: seats are drawn by stake, so splitting changes nothing on "
    "average and costs the fees. What the rows show beside that is the chance of the draw, a "
    "standard deviation of about 67·√days FML between two runs; all rows of a setting share one "
    "honest run.",
    "**Committees, quotas tight**: the rows' gain is about one such deviation, so they do not "
    "settle whether a split pays there.",
    "**Committees, quotas short: a split gains**, up to twice the reward. The limit L(s) "
    "is concave: 60,000 FML have 17 seats as one account and 80 as twenty. Where the seats of a "
    "day exceed the validators' quotas, the small accounts take the seats that nobody else may. "
    "The fees are repaid within days, so fee and minimum stake bound the number of accounts, not "
    "the gain. The counterweight is enough validators for the seats: honest ones may split as "
    "well, or more join, and with slack quotas the gain is gone. With short quotas it also fills "
    "seats that would have stayed empty.",
)


def _curve(nets: dict[int, int], days: int) -> list[tuple[float, float]]:
    return [(n, in_fml(net - nets[1]) / days) for n, net in nets.items()]


def _play(rules: Rules, accounts: int, nodes: int) -> int:
    parts = {f"part {each}": CAPITAL // accounts for each in range(accounts)}
    trainers = {f"node {each}": 5_000 * FML for each in range(nodes)}
    stage = Stage(rules, trainers, {**OTHERS, **parts})
    stage.submit({name: name for name in trainers})
    scores = {name: 900_000_000 - at * 10_000_000 for at, name in enumerate(trainers)}
    for _ in range(rules.days):
        stage.play(lambda _, node: scores[node])
    stage.chain.try_state()
    return stage.net(*parts)
