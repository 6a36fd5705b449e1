"""A5: validators that together lift their own bad model, from a tenth of the stake to a majority.

Owns the 14-row grid: seven parts of the stake, weighed by stake and in committees.
Source: WP V.E ("outlier scores will be ignored"), WP V.F, Table I.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from flockchain.economics.attacks.findings import Finding, Plot, Row
from flockchain.economics.attacks.stage import Rules, Stage
from runtime.constants import MAINNET
from runtime.primitives.types import FML

STAKE: Final = 300_000 * FML
PERCENTS: Final = (10, 20, 30, 40, 45, 49, 51)
PERCENTS_THIN: Final = (10, 49, 51)
DAYS: Final = 5
TASKS: Final = 20  # with committees: tasks that begin on other days draw other seats
TASKS_THIN: Final = 2
MOLE: Final = "mole"
SCORES: Final = {"node 0": 80, "node 1": 75, "node 2": 70, MOLE: 60}  # in hundredths
LIE: Final = 95
_HUNDREDTH: Final = 10_000_000


def study_collusion(*, is_thin: bool = False) -> Finding:
    """Play the grid, each row once honestly and once with the lie."""
    plain = Rules(days=DAYS)
    drawn = replace(plain, seats=MAINNET.seats, final_seats=MAINNET.final_seats)
    tasks = TASKS_THIN if is_thin else TASKS
    rows, curves = [], {}
    checks: dict[str, bool] = {}
    measured: dict[str, bool] = {}
    settings = {
        "by stake": [plain],
        "committees": [replace(drawn, empty_days=start) for start in range(tasks)],
    }
    for label, rules in settings.items():
        shares = []
        for percent in PERCENTS_THIN if is_thin else PERCENTS:
            honest, _ = _play(rules, percent, is_lying=False)
            lying, part = _play(rules, percent, is_lying=True)
            is_minority = percent < 50 and label == "by stake"
            of_tasks = f", mean of {len(rules)} tasks" if len(rules) > 1 else ""
            case = f"{label}, {percent} % collude{of_tasks}"
            rows.append(Row(case, honest, lying, "<= 0" if is_minority else ""))
            shares.append((float(percent), part / 100))
            if percent < 50:
                claims = checks if label == "by stake" else measured
                name = f"{label}, {percent} % collude: the honest get their part of the stake"
                claims[name] = part >= 100 * (100 - percent)
        curves[f"honest part, {label}"] = shares
    curves["honest part of the stake"] = [(float(each), 100.0 - each) for each in PERCENTS]
    return Finding(
        "A5",
        "Validator collusion",
        "300,000 FML of validators' stake, held by two colluders and three others. The colluders "
        "give their own node's model 0.95 instead of 0.60, the worst of four, and score the rest "
        "honestly. Five days. Amounts are the colluders' and their node's together.",
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
        measured,
    )


_READING: Final = (
    "**Weighed by stake, a minority loses**: the median is honest, the lie lies beyond "
    "max(3·MAD, 1 %) and is dropped, and the liars are not paid for that submission.",
    "**A majority owns the task**: with 51 % the honest are the outliers. Nothing in the reward "
    "rules stops that; stake bought for it and the DAO's right to withdraw verification do.",
    "**Committees are captured by chance**: a minority has most of 5 seats now and then (at 40 % "
    "of the stake in about a third of the draws) and lifts its model on that day. Nine tenths of "
    f"the nodes' reward hang on the final day's {MAINNET.final_seats} seats, of which 30 % of the "
    "stake gets most in 5 % of the draws, 40 % in 21 % and 45 % in 35 %. The rows are means over "
    "tasks that differ in their draw only; where they are positive, a large minority gains from "
    "lying. Counterweights: on the other days the liars go unpaid for that submission, and more "
    "final seats (the creator's choice, up to 50) make capture rarer.",
)


def _play(tasks: Sequence[Rules], percent: int, *, is_lying: bool) -> tuple[int, int]:
    """The colluders' mean net, planck, and the honest part of validators' rewards in 1/10,000."""
    won = paid_good = paid_bad = 0
    for rules in tasks:
        net, good, bad = _play_task(rules, percent, is_lying=is_lying)
        won, paid_good, paid_bad = won + net, paid_good + good, paid_bad + bad
    return won // len(tasks), paid_good * 10_000 // (paid_good + paid_bad)


def _play_task(rules: Rules, percent: int, *, is_lying: bool) -> tuple[int, int, int]:
    """The colluders' net, and the rewards of the honest and of the lying validators, planck."""
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
    return stage.net(*bad, MOLE), paid_good, paid_bad
