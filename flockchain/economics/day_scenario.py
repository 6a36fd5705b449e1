"""An `arena_day` scenario as records: one day of one task without committees.

Owns the reading of the fields and the order of accounts: names sort as accounts do.
Invariant: what the chain could not hold (two roles of one account, a share above 1) is refused.
Source: WP V.E to V.H; defaults where FLock published none are this project's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flockchain.economics.fields import Fields, ScenarioError
from runtime.economy.parameters import (
    SCORE_MAX,
    ArenaParameters,
    ParameterOutOfBounds,
    VestingRules,
)
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId

TOTAL_STAKE_MAX: Final = 2**96  # a weighted sum of scores must fit 128 bits


@dataclass(frozen=True, slots=True)
class Operator:
    """A training node or task validator; stakes in base units.

    `committed_at` orders nodes' ties; `scores` are a validator's, by node.
    """

    name: str
    own: int
    share: Rational
    delegations: Mapping[str, int]
    committed_at: int = 0
    scores: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class DayScenario:
    """One day: `reward` is what the task has to give, base units; `baseline` in score units."""

    reward: int
    baseline: int
    parameters: ArenaParameters
    nodes: tuple[Operator, ...]
    validators: tuple[Operator, ...]

    def accounts(self) -> dict[str, AccountId]:
        """An account for every name; accounts sort as the names do."""
        operators = (*self.nodes, *self.validators)
        names = {operator.name for operator in operators}
        names.update(name for operator in operators for name in operator.delegations)
        return {name: make_account(index) for index, name in enumerate(sorted(names), start=1)}


def make_account(index: int) -> AccountId:
    """The index-th account of a scenario, in account order."""
    return AccountId(index.to_bytes(4, "big").ljust(32, b"\0"))


def read_day(scenario: Fields) -> DayScenario:
    """Read the fields of an `arena_day`. Raises: ScenarioError."""
    full_scale = scenario.integer("full_scale", SCORE_MAX)
    if not 0 < full_scale <= SCORE_MAX:
        raise ScenarioError(f"{scenario.at('full_scale')}: 1 to {SCORE_MAX}, not {full_scale}")
    share = str(_read_share(scenario, "share", "0"))
    nodes = tuple(
        _read_node(fields, index, share) for index, fields in enumerate(scenario.records("nodes"))
    )
    names = [node.name for node in nodes]
    validators = tuple(
        _read_validator(fields, names, full_scale, share)
        for fields in scenario.records("validators")
    )
    day = DayScenario(
        scenario.integer("reward"),
        scenario.integer("baseline", 0),
        _read_parameters(scenario, full_scale),
        nodes,
        validators,
    )
    scenario.close()
    _ensure_single_roles([*names, *(validator.name for validator in validators)], scenario)
    _ensure_within_bounds(day, scenario)
    return day


def _read_parameters(scenario: Fields, full_scale: int) -> ArenaParameters:
    rules = read_rules(scenario, full_scale)
    rules = replace(rules, creator_share=_read_share(scenario, "creator_share", "0"))
    # A distance is a fraction of full scale: another full scale is another lambda.
    lambda_ = rules.distance_lambda
    scaled = Rational.reduced(lambda_.numerator * SCORE_MAX, lambda_.denominator * full_scale)
    return replace(rules, distance_lambda=scaled)


def read_rules(scenario: Fields, full_scale: int) -> ArenaParameters:
    """The reward rules that a scenario names; the rest as it is by default.

    Raises: ScenarioError.
    """
    kappa = scenario.rational("kappa", "3")
    rules = ArenaParameters(
        vesting=VestingRules(
            rank_ratio=_read_share(scenario, "q", "17/20"),
            node_alpha=scenario.rational("alpha_t", "1"),
            ranked_max=_read_cut(scenario, "k1"),
            paid_daily=_read_share(scenario, "delta", "1/10"),
        ),
        distance_lambda=scenario.rational("lambda", "10"),
        validator_alpha=scenario.rational("alpha_v", "1"),
        paid_validators_max=_read_cut(scenario, "k2"),
        gamma=_read_share(scenario, "gamma", "1/2"),
        outlier_kappa=kappa if scenario.flag("outliers", default=True) else None,
        outlier_tolerance=_read_share(scenario, "tolerance", "1/100").mul_floor(full_scale),
    )
    try:
        rules.ensure_within_bounds()
    except ParameterOutOfBounds as error:
        raise ScenarioError(f"{scenario.at('parameters')}: {error}") from None
    return rules


def _read_cut(scenario: Fields, key: str) -> int | None:
    cut = scenario.optional_integer(key)
    if cut == 0:
        raise ScenarioError(f"{scenario.at(key)}: a cut to the best 0 would pay nobody")
    return cut


def _read_node(fields: Fields, index: int, share: str) -> Operator:
    node = Operator(
        fields.text("id"),
        fields.integer("own"),
        _read_share(fields, "share", share),
        fields.integers_by_name("delegations"),
        fields.integer("committed_at", index),
    )
    fields.close()
    return node


def _read_validator(fields: Fields, nodes: Sequence[str], full_scale: int, share: str) -> Operator:
    scores = fields.integers_by_name("scores")
    for name, score in scores.items():
        if name not in nodes:
            raise ScenarioError(f"{fields.at('scores')}.{name}: there is no such node")
        if score > full_scale:
            raise ScenarioError(f"{fields.at('scores')}.{name}: {score} is above {full_scale}")
    validator = Operator(
        fields.text("id"),
        fields.integer("own"),
        _read_share(fields, "share", share),
        fields.integers_by_name("delegations"),
        scores=scores,
    )
    fields.close()
    return validator


def _read_share(fields: Fields, key: str, default: str) -> Rational:
    share = fields.rational(key, default)
    if not share.is_at_most_one():
        raise ScenarioError(f"{fields.at(key)}: {share} is above 1")
    return share


def _ensure_single_roles(names: Sequence[str], scenario: Fields) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ScenarioError(f"{scenario.at(name)}: an account has one role in a task")
        seen.add(name)


def _ensure_within_bounds(day: DayScenario, scenario: Fields) -> None:
    stakes = (
        operator.own + sum(operator.delegations.values())
        for operator in (*day.nodes, *day.validators)
    )
    if sum(stakes) > TOTAL_STAKE_MAX:
        raise ScenarioError(f"{scenario.at('nodes')}: the stakes sum to more than 2^96")
    if day.reward > TOTAL_STAKE_MAX:
        raise ScenarioError(f"{scenario.at('reward')}: {day.reward} is above 2^96")
    if day.baseline > SCORE_MAX:
        raise ScenarioError(f"{scenario.at('baseline')}: {day.baseline} is above full scale")
