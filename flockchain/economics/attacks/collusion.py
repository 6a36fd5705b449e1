"""A5: validators that together lift their own bad model, from a tenth of the stake to a majority.

Owns the 14-row grid: seven parts of the stake, weighed by stake and in committees.
Source: WP V.E ("outlier scores will be ignored"), WP V.F, Table I.
"""

from __future__ import annotations

from typing import Final

from flockchain.economics.attacks.findings import Finding, Plot, Row
from flockchain.economics.attacks.stage import Rules, Stage
from runtime.constants import MAINNET
from runtime.primitives.types import FML

STAKE: Final = 300_000 * FML
PERCENTS: Final = (10, 20, 30, 40, 45, 49, 51)
PERCENTS_THIN: Final = (10, 49, 51)
DAYS: Final = 80
DAYS_THIN: Final = 3
MOLE: Final = "mole"
SCORES: Final = {"node 0": 80, "node 1": 75, "node 2": 70, MOLE: 60}  # in hundredths
LIE: Final = 95
_HUNDREDTH: Final = 10_000_000


def study_collusion(*, is_thin: bool = False) -> Finding:
    """Play the grid, each row once honestly and once with the lie."""
    days = DAYS_THIN if is_thin else DAYS
    settings = {
        "by stake": Rules(days=days),
        "committees": Rules(seats=MAINNET.seats, final_seats=MAINNET.final_seats, days=days),
    }
    rows, curves, checks = [], {}, {}
    for label, rules in settings.items():
        shares = []
        for percent in PERCENTS_THIN if is_thin else PERCENTS:
            honest, _ = _play(rules, percent, is_lying=False)
            lying, part = _play(rules, percent, is_lying=True)
            is_minority = percent < 50 and label == "by stake"
            case = f"{label}, {percent} % collude, {days} days"
            rows.append(Row(case, honest, lying, "<= 0" if is_minority else ""))
            shares.append((float(percent), part / 100))
            if is_minority:
                name = f"{case}: the honest are paid at least their part of the stake"
                checks[name] = part >= 100 * (100 - percent)
        curves[f"honest part, {label}"] = shares
    curves["honest part of the stake"] = [(float(each), 100.0 - each) for each in PERCENTS]
    return Finding(
        "A5",
        "Validator collusion",
        "300,000 FML of validators' stake, held by two colluders and three others. The colluders "
        "give their own node's model 0.95 instead of 0.60, the worst of four, and score the rest "
        "honestly. Amounts are the colluders' and their node's together.",
        rows,
        _READING,
        Plot(
            "attack_collusion",
            "A5: what honest validators are paid",
            "colluding stake, %",
            "part of the validators' rewards, %",
            curves,
        ),
        checks,
    )


_READING: Final = (
    "**Weighed by stake, a minority loses**: the median is honest, the lie lies beyond "
    "max(3·MAD, 1 %) and is dropped, and the liars are not paid for that submission.",
    "**A majority owns the task**: with 51 % the honest are the outliers. Nothing in the reward "
    "rules stops that; stake bought for it and the DAO's right to withdraw verification do.",
    "**Committees are captured by chance**: a minority has most of 5 seats now and then (at 40 % "
    "of the stake in about a third of the draws) and lifts its model on that day. The rows show "
    "what that gains. Counterweights: nine tenths of the nodes' reward hang on the final day's "
    f"{MAINNET.final_seats} seats, and on the other days the liars go unpaid.",
)


def _play(rules: Rules, percent: int, *, is_lying: bool) -> tuple[int, int]:
    """The colluders' net, planck, and the honest part of validators' rewards in 1/10,000."""
    bad = {f"colluder {each}": STAKE * percent // 200 for each in range(2)}
    good = {f"validator {each}": STAKE * (100 - percent) // 300 for each in range(3)}
    stage = Stage(rules, dict.fromkeys(SCORES, 5_000 * FML), {**good, **bad})
    stage.submit({name: name for name in SCORES})

    def judge(name: str, node: str) -> int:
        is_lie = is_lying and node == MOLE and name in bad
        return (LIE if is_lie else SCORES[node]) * _HUNDREDTH

    for _ in range(rules.days):
        stage.play(judge)
    stage.chain.try_state()
    fee = MAINNET.registration_fee
    paid_good, paid_bad = stage.net(*good) + fee * len(good), stage.net(*bad) + fee * len(bad)
    return stage.net(*bad, MOLE), paid_good * 10_000 // (paid_good + paid_bad)
