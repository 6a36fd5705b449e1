"""Evaluates `fl`: balances and pool of an FL Alliance task, round by round, by the pallet itself.

A round with fewer than `min_voters` voters does not take place: nothing changes, and it is none of
the task's rounds. Invariant: what the chain could not hold is refused with the field's path.
Source: WP VI.F, Algorithm 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flockchain.economics.alliance_task import AllianceRules, AllianceTask, SettledRound
from flockchain.economics.fields import Fields, ScenarioError, describe
from runtime import frame
from runtime.pallets.fl_alliance.stages import Outcome
from runtime.pallets.fl_alliance.terms import PARTICIPANTS_MAX
from runtime.primitives.rational import Rational

OUTCOMES: Final = {Outcome.ACCEPTED: 1, Outcome.REJECTED: -1, Outcome.VOID: 0}


@dataclass(frozen=True, slots=True)
class GivenRound:
    """Proposers, and votes by voter; None is a missing one."""

    proposers: list[str]
    votes: Mapping[str, int | None]


def evaluate_fl(scenario: Fields) -> dict[str, object]:
    """{"rounds": [{"outcome": 1, −1 or 0, "balances": {name: amount}, "pool": amount}]}."""
    slash = _read_share(scenario, "slash", "1/10")
    rules = AllianceRules(
        scenario.integer("pool"),
        scenario.integer("rounds"),
        slash,
        _read_share(scenario, "absence_slash", str(slash)),
        _read_share(scenario, "quorum", "2/3"),
    )
    voters_min = scenario.integer("min_voters", 1)
    stakes = _read_stakes(scenario)
    history = [_read_round(fields, stakes) for fields in scenario.records("history")]
    scenario.close()
    held = [given for given in history if len(given.votes) >= voters_min]
    if len(held) > rules.rounds:
        raise ScenarioError(f"{scenario.at('history')}: {len(held)} rounds of {rules.rounds}")
    try:
        task = AllianceTask(rules, stakes)
    except frame.DispatchError as error:
        raise ScenarioError(f"{scenario.at('participants')}: {type(error).__doc__}") from None
    settled = SettledRound(Outcome.VOID, task.balances(), rules.pool)
    rounds: list[object] = []
    for given in history:
        if len(given.votes) < voters_min:
            settled = SettledRound(Outcome.VOID, settled.balances, settled.pool)
        else:
            settled = task.play_round(given.proposers, given.votes)
        rounds.append(_answer(settled))
    return {"rounds": rounds}


def _answer(settled: SettledRound) -> dict[str, object]:
    return {
        "outcome": OUTCOMES[settled.outcome],
        "balances": {name: str(amount) for name, amount in settled.balances.items()},
        "pool": str(settled.pool),
    }


def _read_stakes(scenario: Fields) -> dict[str, int]:
    stakes: dict[str, int] = {}
    for fields in scenario.records("participants"):
        name = fields.text("id")
        if name in stakes:
            raise ScenarioError(f"{fields.at('id')}: two participants are {describe(name)}")
        stakes[name] = fields.integer("stake")
        if not stakes[name]:
            raise ScenarioError(f"{fields.at('stake')}: at least 1 is staked")
        fields.close()
    return stakes


def _read_round(fields: Fields, stakes: Mapping[str, int]) -> GivenRound:
    proposers = [str(name) for name in fields.items("proposers")]
    votes = fields.votes("votes")
    fields.close()
    names = [*proposers, *votes]
    for name in names:
        if name not in stakes:
            raise ScenarioError(f"{fields.at('proposers')}: there is no participant {name}")
    if len(frozenset(names)) != len(names):
        raise ScenarioError(f"{fields.at('proposers')}: a participant has one role in a round")
    if not proposers or not votes or len(names) > PARTICIPANTS_MAX:
        raise ScenarioError(
            f"{fields.at('proposers')}: a round has proposers and voters, {PARTICIPANTS_MAX} in all"
        )
    return GivenRound(proposers, votes)


def _read_share(fields: Fields, key: str, default: str) -> Rational:
    share = fields.rational(key, default)
    if not share.is_at_most_one():
        raise ScenarioError(f"{fields.at(key)}: {share} is above 1")
    return share
