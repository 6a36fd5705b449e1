"""One day of the arena as the whitepaper's formulas: exact fractions and 80-digit reals.

Owns payouts without any rounding, to compare the ledger's integers with. Only who is among the best
k_2 goes by sums of floored shares, as the rule says: two validators may be that close.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from mpmath import mp, mpf

from tests.runtime.pallets.arena import exact_model
from tests.runtime.pallets.arena.exact_model import real

_NOISE = mpf(10) ** -38  # of a share's last place: what 80 digits leave of an exact number


def total_stake(operator: Mapping[str, Any]) -> int:
    return int(operator["own"]) + sum(int(each) for each in operator["delegations"].values())


def exact_day(scenario: Mapping[str, Any]) -> tuple[dict[str, mpf], mpf, list[str]]:
    """Payouts by name, what vests, and the ranking."""
    nodes = {node["id"]: node for node in scenario["nodes"] if total_stake(node)}
    validators = [each for each in scenario["validators"] if total_stake(each)]
    validators.sort(key=lambda validator: str(validator["id"]))
    whole = sum(map(total_stake, nodes.values())), sum(map(total_stake, validators))
    if not all(whole):
        return {}, mpf(0), []
    gamma, reward = Fraction(scenario["gamma"]), int(scenario["reward"])
    pots = [reward * (gamma + (1 - 2 * gamma) * Fraction(side, sum(whole))) for side in whole]
    means, shares, floored, scored = _score(scenario, list(nodes.values()), validators)
    ranking = [name for name in means if means[name] > int(scenario["baseline"])]
    ranking.sort(key=lambda name: (-means[name], nodes[name]["committed_at"]))
    ranking = ranking[: scenario["k1"]]
    payouts: dict[str, mpf] = defaultdict(mpf)
    if scored:
        best = sorted(shares, key=lambda name: -floored[name])[: scenario["k2"]]
        for validator in validators:
            if validator["id"] in best:
                part = shares[validator["id"]] / sum(shares[name] for name in best)
                _pay(payouts, validator, real(pots[1]) * part)
    vesting = mpf(0)
    if ranking:
        delta = Fraction(scenario["delta"])
        vesting = real(pots[0] * (1 - delta))
        stakes = [total_stake(nodes[name]) for name in ranking]
        f = exact_model.node_shares(stakes, Fraction(scenario["q"]), Fraction(scenario["alpha_t"]))
        for name, part in zip(ranking, f, strict=True):
            _pay(payouts, nodes[name], real(pots[0] * delta) * part)
    return payouts, vesting, ranking


def _score(
    scenario: Mapping[str, Any],
    nodes: list[Mapping[str, Any]],
    validators: list[Mapping[str, Any]],
) -> tuple[dict[str, Fraction], dict[str, mpf], dict[str, int], int]:
    """Means of the submissions that half of the stake scored; summed shares; the same in 2^-128,
    each floored before it is summed; N."""
    full_scale, kappa = scenario["full_scale"], Fraction(3) if scenario["outliers"] else None
    means: dict[str, Fraction] = {}
    shares: dict[str, mpf] = {validator["id"]: mpf(0) for validator in validators}
    floored = dict.fromkeys(shares, 0)
    scored = 0
    seats = sum(map(total_stake, validators))
    for node in nodes:
        judges = [validator for validator in validators if node["id"] in validator["scores"]]
        scores = [(total_stake(judge), judge["scores"][node["id"]]) for judge in judges]
        if not scores:
            continue
        scored += 1
        kept = exact_model.kept_scores(scores, kappa, full_scale // 100)
        parts = exact_model.softmax(
            scores, kept, Fraction(scenario["lambda"]), Fraction(scenario["alpha_v"]), full_scale
        )
        for judge, part in zip(judges, parts, strict=True):
            shares[judge["id"]] += part
            floored[judge["id"]] += int(mp.floor(mpf(part) * 2**128 + _NOISE))
        if (
            2 * sum(score[0] for score, is_kept in zip(scores, kept, strict=True) if is_kept)
            >= seats
        ):
            means[node["id"]] = exact_model.mean(scores, kept)
    return means, shares, floored, scored


def _pay(payouts: dict[str, mpf], operator: Mapping[str, Any], amount: mpf) -> None:
    delegations = dict(sorted(operator["delegations"].items()))
    parts = exact_model.delegation_shares(
        int(operator["own"]),
        [int(each) for each in delegations.values()],
        Fraction(operator["share"]),
    )
    for name, part in zip([operator["id"], *delegations], parts, strict=True):
        payouts[name] += amount * real(part)
