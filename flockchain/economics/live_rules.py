"""The rules in force on a live chain, as fields of a scenario that leaves them out.

Owns which field stands for which parameter. A scenario's own fields win over the chain's, and
`--set` over both; a scenario that gives a part of the emission curve gets the rest of it only.
Source: WP III.A (emission), WP IV.A, V.D to V.H (parameters); the scenario files of
`flockchain economics evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from runtime.economy.parameters import SCORE_MAX, ArenaParameters
from runtime.pallets.emission import MONTH_DAYS, Curve, Emission
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.system import System
from runtime.pallets.tasks import Tasks
from runtime.primitives.rational import Rational
from runtime.runtime import Runtime
from runtime.version import CODE_KEY

RULE_PATHS: Final = (
    CODE_KEY,
    System.number.path(),
    Tasks.parameters.path(),
    Tasks.scheduled_parameters.path(),
    Emission.parameters.path(),
    Emission.curve.path(),
    Emission.next_curve.path(),
    Emission.minted.path(),
    Emission.ceiling.path(),
    Emission.last_day.path(),
    FlAlliance.parameters.path(),
)
"""The storage keys that hold all rules."""

Scenario = Mapping[str, object]


def with_live_rules(scenario: object, runtime: Runtime) -> object:
    """The scenario with the chain's rules in the fields that it leaves out.

    What is no scenario of a kind that has rules comes back as it is.
    """
    kind = scenario.get("kind") if isinstance(scenario, Mapping) else None
    if not isinstance(scenario, Mapping) or not isinstance(kind, str) or kind not in _RULES:
        return scenario
    return {**_RULES[kind](runtime, scenario), **scenario}


def _arena_day(runtime: Runtime, _: Scenario) -> dict[str, object]:
    today = runtime.tasks.today()
    rules = runtime.tasks.parameters_on(today)
    return {
        **_reward_rules(rules),
        "creator_share": str(rules.creator_share_in(today // MONTH_DAYS)),
        "share": str(rules.share_ratio.usual),
    }


def _live_day(runtime: Runtime, _: Scenario) -> dict[str, object]:
    return _reward_rules(rules_of_tomorrow(runtime))


def rules_of_tomorrow(runtime: Runtime) -> ArenaParameters:
    """The reward rules that a change made now would replace."""
    return runtime.tasks.parameters_on(runtime.tasks.today() + 1)


def _reward_rules(rules: ArenaParameters) -> dict[str, object]:
    return {
        "q": str(rules.vesting.rank_ratio),
        "alpha_t": str(rules.vesting.node_alpha),
        "k1": rules.vesting.ranked_max,
        "delta": str(rules.vesting.paid_daily),
        "lambda": str(rules.distance_lambda),
        "alpha_v": str(rules.validator_alpha),
        "k2": rules.paid_validators_max,
        "gamma": str(rules.gamma),
        "outliers": rules.outlier_kappa is not None,
        "kappa": str(rules.outlier_kappa or Rational(0, 1)),
        "tolerance": str(Rational.reduced(rules.outlier_tolerance, SCORE_MAX)),
    }


def _emission(runtime: Runtime, scenario: Scenario) -> dict[str, object]:
    curve, upcoming = runtime.emission.curve.get(), runtime.emission.next_curve.find()
    given = {"c0": str(curve.daily), "decay": str(curve.decay)}
    if scenario.keys() & given.keys():
        return {**given}
    rest = {} if upcoming is None else {"next": _curve(upcoming)}
    return {**_curve(curve), **rest}


def _curve(curve: Curve) -> dict[str, object]:
    return {
        "c0": str(curve.daily),
        "decay": str(curve.decay),
        "from_month": curve.from_month,
    }


def _task_split(runtime: Runtime, _: Scenario) -> dict[str, object]:
    emission = runtime.emission
    return {
        "emission": str(emission.emission_of(runtime.tasks.today())),
        "p": str(emission.parameters.get().stake_exponent),
    }


def _fl(runtime: Runtime, _: Scenario) -> dict[str, object]:
    return {"absence_slash": str(runtime.alliance.parameters.get().absence_slash)}


def _rate_limit(runtime: Runtime, _: Scenario) -> dict[str, object]:
    preset = runtime.preset
    return {
        "s_min": str(preset.validator_stake),
        "l0": preset.quota_base,
        "l_max": preset.quota_max,
    }


_RULES: Final[Mapping[str, Callable[[Runtime, Scenario], dict[str, object]]]] = {
    "arena_day": _arena_day,
    "emission": _emission,
    "fl": _fl,
    "live_day": _live_day,
    "rate_limit": _rate_limit,
    "task_split": _task_split,
}
