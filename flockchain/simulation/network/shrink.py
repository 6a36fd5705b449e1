"""A failing plan made small: fewer faults, shorter ones, fewer liars, slots and nodes.

Owns the order of attempts. Invariant: what it returns fails; unless attempts ran out, none of its
single steps does.
Source: delta debugging.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from flockchain.simulation.network.plan import SLOT_MS, Fault, Plan, PlanError

_ATTEMPTS_MAX: Final = 200
_NODES_MIN: Final = 4


def shrink(plan: Plan, fails: Callable[[Plan], bool], attempts_max: int = _ATTEMPTS_MAX) -> Plan:
    """A plan made smaller by single steps as long as one fails, in `attempts_max` plays at most."""
    left, is_smaller = attempts_max, True
    while is_smaller and left > 0:
        is_smaller = False
        for candidate in _steps(plan):
            if left == 0:
                break
            left -= 1
            if fails(candidate):
                plan, is_smaller = candidate, True
                break
    return plan


def _steps(plan: Plan) -> Iterator[Plan]:
    """Plans a step smaller, the largest steps first."""
    half = len(plan.faults) // 2
    if half > 1:
        yield replace(plan, faults=plan.faults[:half])
        yield replace(plan, faults=plan.faults[half:])
    for fault in plan.faults:
        yield plan.without(fault)
    yield from _with_fewer_nodes(plan)
    for place in range(len(plan.byzantine)):
        fewer = plan.byzantine[:place] + plan.byzantine[place + 1 :]
        yield replace(plan, byzantine=fewer)
    yield from _shorter(plan)
    for place, fault in enumerate(plan.faults):
        for smaller in _smaller(fault):
            yield replace(plan, faults=(*plan.faults[:place], smaller, *plan.faults[place + 1 :]))


def _with_fewer_nodes(plan: Plan) -> Iterator[Plan]:
    count = plan.nodes - 1
    if count < _NODES_MIN or len(plan.byzantine) > (count - 1) // 3:
        return
    fewer = replace(plan, nodes=count)
    try:
        fewer.check()
    except PlanError:
        return  # a fault is about the last node
    yield fewer


def _shorter(plan: Plan) -> Iterator[Plan]:
    end_ms = max((fault.until_ms for fault in plan.faults), default=0)
    slots = -(-end_ms // SLOT_MS) + 1 + plan.calm_slots
    for fewer in (slots, (plan.slots + slots) // 2):
        if fewer < plan.slots:
            yield replace(plan, slots=fewer)


def _smaller(fault: Fault) -> Iterator[Fault]:
    length_ms = fault.until_ms - fault.at_ms
    if length_ms > 2 * SLOT_MS:
        yield replace(fault, until_ms=fault.at_ms + length_ms // 2)
    if abs(fault.amount) > 1_000:
        yield replace(fault, amount=fault.amount // 2)
