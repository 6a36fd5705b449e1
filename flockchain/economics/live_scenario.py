"""A `live_day` scenario as records: a change to a live task, and the days that it is seen on.

Owns the reading of the fields and the names: an address stands for an account of the chain, any
other name for somebody new who is given what the scenario lets it stake.
Source: WP II.B (roles), WP II.D (delegation), WP V.A to V.H.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from flockchain.economics.day_scenario import read_rules
from flockchain.economics.fields import Fields, ScenarioError, describe
from runtime.economy.parameters import SCORE_MAX, ArenaParameters
from runtime.economy.tasks import Role
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.rational import Rational
from runtime.primitives.ss58 import AddressError, decode_address
from runtime.primitives.types import AccountId

DAYS_MAX: Final = 30
AS_YESTERDAY: Final = "as yesterday"
YOU: Final = "you"
_ROLES: Final = {"node": Role.TRAINING_NODE, "validator": Role.TASK_VALIDATOR}
_U32_MAX: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Joiner:
    """Somebody new in the task. Stakes in base units; `share` None is the DAO's usual ratio.

    `score` is what all validators give a node's model, `scores` what a validator gives by node.
    """

    name: str
    role: Role
    own: int
    share: Rational | None
    delegations: Mapping[str, int]
    score: int | None
    scores: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Backing:
    """A delegation to an operator, base units."""

    operator: str
    amount: int
    by: str


@dataclass(frozen=True, slots=True)
class LiveScenario:
    """The change. `scores` by node for all validators; `ranking` the best first, None: as before.

    `rules`: the reward rules from tomorrow on, the chain's own if the scenario changes none.
    """

    task: int
    days: int
    joiners: tuple[Joiner, ...]
    backings: tuple[Backing, ...]
    scores: Mapping[str, int]
    ranking: tuple[str, ...] | None
    rules: ArenaParameters

    def fixed_scores(self, baseline: int) -> dict[str, int]:
        """The score of every node that the scenario fixes, by name.

        A ranking is made by scores at equal steps from full scale down to the baseline.
        """
        fixed = {each.name: each.score for each in self.joiners if each.score is not None}
        if self.ranking is not None:
            step = (SCORE_MAX - baseline) // (len(self.ranking) + 1)
            fixed |= {name: SCORE_MAX - at * step for at, name in enumerate(self.ranking)}
        return fixed | dict(self.scores)


def read_scenario(fields: Fields, rules: ArenaParameters) -> LiveScenario:
    """Read a `live_day`; `rules` are the chain's of tomorrow. Raises ScenarioError."""
    days = fields.integer("days", 1)
    if not 1 <= days <= DAYS_MAX:
        raise ScenarioError(f"{fields.at('days')}: 1 to {DAYS_MAX}, not {days}")
    joiners = tuple(_read_joiners(fields))
    scenario = LiveScenario(
        _read_task(fields),
        days,
        joiners,
        tuple(_read_backing(each) for each in fields.optional_records("delegate")),
        _read_scores(fields),
        _read_ranking(fields),
        _read_rules(fields, rules),
    )
    fields.close()
    if scenario.scores and scenario.ranking is not None:
        raise ScenarioError(f"{fields.at('scores')}: give scores or a ranking, not both")
    fixed = scenario.fixed_scores(0)
    for index, each in enumerate(joiners):
        is_ranked = scenario.ranking is not None or each.name in fixed
        if each.role is Role.TRAINING_NODE and not is_ranked:
            raise ScenarioError(
                f"{fields.at('add')}[{index}].score: what validators give {each.name}'s model"
            )
    return scenario


def account_of(name: str) -> AccountId:
    """The account that a name of a scenario stands for."""
    found = find_address(name)
    return AccountId(blake2b_256(b"scenario" + name.encode())) if found is None else found


def find_address(name: str) -> AccountId | None:
    """The account of an SS58 address or of 0x and 64 hex digits; None for any other name."""
    if name.startswith("0x") and len(name) == 66:
        try:
            return AccountId(bytes.fromhex(name[2:]))
        except ValueError:
            return None
    try:
        return AccountId(decode_address(name)[0])
    except AddressError:
        return None


def _read_joiners(fields: Fields) -> Iterator[Joiner]:
    seen: set[str] = set()
    for index, each in enumerate(fields.optional_records("add")):
        role = each.text("role")
        if role not in _ROLES:
            raise ScenarioError(f"{each.at('role')}: {describe(role)} is none of node, validator")
        name = each.text("id", f"{role} {index + 1}")
        if name in seen:
            raise ScenarioError(f"{each.at('id')}: {name} joins twice")
        seen.add(name)
        is_node = _ROLES[role] is Role.TRAINING_NODE
        share = each.optional_rational("share")
        yield Joiner(
            name,
            _ROLES[role],
            each.integer("own"),
            share,
            each.integers_by_name("delegations"),
            each.optional_integer("score") if is_node else None,
            {} if is_node else _read_scores(each),
        )
        each.close()


def _read_backing(fields: Fields) -> Backing:
    backing = Backing(fields.text("operator"), fields.integer("amount"), fields.text("by", YOU))
    fields.close()
    return backing


def _read_scores(fields: Fields) -> dict[str, int]:
    scores = fields.integers_by_name("scores")
    for name, score in scores.items():
        if score > SCORE_MAX:
            raise ScenarioError(f"{fields.at('scores')}.{name}: {score} is above {SCORE_MAX}")
    return scores


def _read_ranking(fields: Fields) -> tuple[str, ...] | None:
    if fields.value("ranking") in (None, AS_YESTERDAY):
        return None
    names = fields.items("ranking")
    if not all(isinstance(name, str) and name for name in names):
        raise ScenarioError(f'{fields.at("ranking")}: "{AS_YESTERDAY}" or names, the best first')
    return tuple(map(str, names))


def _read_task(fields: Fields) -> int:
    number = fields.integer("task")
    if number > _U32_MAX:
        raise ScenarioError(f"{fields.at('task')}: an integer of 32 bits, not {number}")
    return number


def _read_rules(fields: Fields, rules: ArenaParameters) -> ArenaParameters:
    """The chain's rules with those that the scenario may change as it has them."""
    wanted = read_rules(fields, SCORE_MAX)
    return replace(
        rules,
        vesting=wanted.vesting,
        distance_lambda=wanted.distance_lambda,
        validator_alpha=wanted.validator_alpha,
        paid_validators_max=wanted.paid_validators_max,
        gamma=wanted.gamma,
        outlier_kappa=wanted.outlier_kappa,
        outlier_tolerance=wanted.outlier_tolerance,
    )
