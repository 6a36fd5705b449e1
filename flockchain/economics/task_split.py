"""Evaluates `task_split`: how a day's emission falls to tasks, allotted by the emission pallet.

Source: WP IV.A (R^AI and R^FL, R_i by stake^p; only active and verified tasks count).
"""

from __future__ import annotations

from typing import Final

from flockchain.economics.fields import Fields, ScenarioError
from flockchain.economics.memory_chain import UNLIMITED, MemoryChain
from runtime.pallets.emission import EmissionOutOfBounds, EmissionParameters, ensure_within_bounds

DAY: Final = 0


def evaluate_task_split(scenario: Fields) -> dict[str, object]:
    """{"rewards": {task: amount}} of the tasks that are active and verified."""
    emission, exponent = scenario.integer("emission"), scenario.rational("p", "1")
    arena, alliance = _read_tasks(scenario, "arena"), _read_tasks(scenario, "fl")
    scenario.close()
    names = [name for name, _ in (*arena, *alliance)]
    if len(frozenset(names)) != len(names):
        raise ScenarioError(f"{scenario.at('arena')}: two tasks have one id")
    if sum(stake for _, stake in (*arena, *alliance)) > UNLIMITED:
        raise ScenarioError(f"{scenario.at('arena')}: the stakes sum to more than 2^128 - 1")
    try:
        ensure_within_bounds(EmissionParameters(stake_exponent=exponent))
    except EmissionOutOfBounds as error:
        raise ScenarioError(f"{scenario.at('p')}: {type(error).__doc__}") from None
    pallet = MemoryChain(emission, exponent=exponent).emission
    numbers = {name: number for number, name in enumerate(names)}
    pallet.allot(
        DAY,
        [(numbers[name], stake) for name, stake in arena],
        [(numbers[name], stake) for name, stake in alliance],
    )
    return {"rewards": {name: str(pallet.reward_of(DAY, numbers[name])) for name in names}}


def _read_tasks(scenario: Fields, key: str) -> list[tuple[str, int]]:
    """Names and stakes of the tasks that share in emission."""
    eligible = []
    for fields in scenario.records(key):
        task = fields.text("id"), fields.integer("stake")
        if fields.flag("verified", default=True) and fields.flag("active", default=True):
            eligible.append(task)
        fields.close()
    return eligible
