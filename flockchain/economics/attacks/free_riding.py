"""A8: nodes that submit what cost nothing, and validators that score without looking.

Source: WP Table I (free riders: top k_1 and k_2, the baseline), WP V.F.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

from flockchain.economics.attacks.findings import Finding, Plot, Row
from flockchain.economics.attacks.stage import BASELINE, Rules, Stage
from runtime.constants import MAINNET
from runtime.economy.parameters import SCORE_MAX
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

RIDER: Final = "rider"
NODES: Final = {f"node {each}": 5_000 * FML for each in range(3)}
VALIDATORS: Final = {f"validator {each}": 20_000 * FML for each in range(4)}
SEED: Final = 8
SCORED_NODES: Final = 20
DAYS: Final = 50  # times 20 nodes: 1,000 submissions scored
DAYS_THIN: Final = 5
LAMBDAS: Final = (0, 1, 3, 10, 30, 100)
MEAN: Final = 750_000_000
SPREAD: Final = 100_000_000
NOISE: Final = 2_000_000
_CASES: Final = (
    ("random model, 0.10", 100_000_000, BASELINE, False, "<= 0"),
    ("the starting model, at the baseline", BASELINE, BASELINE, False, "<= 0"),
    ("copy of another's model, committed later", 900_000_000, BASELINE, True, "<= 0"),
    ("random model, 0.10, task without a baseline", 100_000_000, 0, False, ""),
)


def study_free_riding(*, is_thin: bool = False) -> Finding:
    """Play four kinds of free submissions and two of free scores."""
    days = DAYS_THIN if is_thin else DAYS
    rows = [Row(f"node: {case[0]} (2 days)", 0, _submit(*case[1:4]), case[4]) for case in _CASES]
    rules = Rules(days=days)
    honest = _score(rules, "honest")
    for style, label in (("random", "random scores"), ("constant", "always the usual score")):
        name = f"validator: {label}, {days * SCORED_NODES} submissions"
        rows.append(Row(name, honest, _score(rules, style), "<= 0"))
    ridden = rows[-2].attack + MAINNET.registration_fee
    return Finding(
        "A8",
        "Free riders",
        "Nodes: the rider beside three honest nodes of the same stake; the comparison is staying "
        f"away. Validators: the rider is one of five of equal stake; {SCORED_NODES} nodes; the "
        "comparison is scoring honestly.",
        rows,
        _READING,
        Plot(
            "attack_free_riding",
            "A8: a free scorer's reward, by λ and with or without the outlier rule",
            "λ",
            "% of an honest validator's",
            _curves(is_thin=is_thin),
        ),
        {
            "a random scorer earns at most 25 % of an honest one": (
                4 * ridden <= honest + MAINNET.registration_fee
            )
        },
    )


_READING: Final = (
    "**A free submission earns nothing behind a baseline**: at or below it a model is not ranked, "
    "a copy of somebody's model is not scored, and the fee is gone.",
    "**Without a baseline a random model is paid for the last rank.** A task's creator declares "
    "the baseline, and the DAO should verify no task without one.",
    "**A random scorer is dropped as an outlier** on nearly every submission. The softmax alone "
    "(the curves without the outlier rule) punishes it less: at λ = 10 a distance of 0.1 costs a "
    "factor of e. A validator that always says the usual score fares by how alike models are.",
)


def _submit(score: int, baseline: int, is_copy: bool) -> int:
    stage = Stage(Rules(baseline=baseline), {**NODES, RIDER: 5_000 * FML}, VALIDATORS)
    models = {name: name for name in stage.nodes}
    if is_copy:
        models[RIDER] = "node 0"
    stage.submit(models)
    for _ in range(stage.rules.days):
        stage.play(lambda _, node: score if node == RIDER else 900_000_000)
    stage.chain.try_state()
    return stage.net(RIDER)


def _score(rules: Rules, style: str) -> int:
    """The fifth validator's net, planck; every day brings new models."""
    rng = random.Random(SEED)
    nodes = {f"node {each}": 1_000 * FML for each in range(SCORED_NODES)}
    stage = Stage(rules, nodes, {**VALIDATORS, RIDER: 20_000 * FML})
    stage.submit({name: name for name in nodes})
    for _ in range(rules.days):
        seen: dict[tuple[str, str], int] = {}
        for node in nodes:
            truth = MEAN + rng.randrange(-SPREAD, SPREAD + 1)
            for name in stage.validators:
                seen[name, node] = truth + rng.randrange(-NOISE, NOISE + 1)
            ridden = {"random": rng.randrange(SCORE_MAX + 1), "constant": MEAN}
            seen[RIDER, node] = ridden.get(style, seen[RIDER, node])
        stage.play(lambda name, node, seen=seen: seen[name, node])  # type: ignore[misc]
    stage.chain.try_state()
    return stage.net(RIDER)


def _curves(*, is_thin: bool) -> dict[str, list[tuple[float, float]]]:
    curves: dict[str, list[tuple[float, float]]] = {}
    fee = MAINNET.registration_fee
    for kappa, label in ((MAINNET.arena.outlier_kappa, "outlier rule"), (None, "no outlier rule")):
        for lambda_ in LAMBDAS[3:4] if is_thin else LAMBDAS:
            parameters = replace(
                MAINNET.arena, distance_lambda=Rational(lambda_, 1), outlier_kappa=kappa
            )
            rules = Rules(parameters, days=DAYS_THIN)
            honest = _score(rules, "honest") + fee
            for style in ("random", "constant"):
                ratio = 100 * (_score(rules, style) + fee) / honest
                curves.setdefault(f"{style}, {label}", []).append((float(lambda_), ratio))
    return curves
