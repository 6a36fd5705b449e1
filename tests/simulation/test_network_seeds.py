"""Whole networks under faults and liars stay safe, and come back when all is well again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from flockchain.simulation.network.behaviours.catalogue import BEHAVIOURS
from flockchain.simulation.network.plan import Fault, Plan, draw_plan
from flockchain.simulation.network.world import play

pytestmark = pytest.mark.usefixtures("seldom_collecting", "quietly")
REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.json"))
QUICK_SEEDS = 13
SMALL_SEEDS = 40
LONG_SEEDS = 500


def ensure_good(plan: Plan) -> None:
    """Play it; a failure names the plan, which `simulate network --plan` plays again."""
    outcome = play(plan)
    found = [*outcome.safety, *outcome.liveness]
    assert found == [], json.dumps(plan.as_document())


def liars_of(seed: int) -> list[str]:
    """Two of seven, drawn."""
    return Random(f"liars {seed}").choices(list(BEHAVIOURS), k=2)


@pytest.mark.parametrize("seed", range(QUICK_SEEDS))
def test_a_seed_is_safe_and_live(seed: int) -> None:
    names = liars_of(seed) if seed % 2 else []
    ensure_good(draw_plan(seed, nodes=7, slots=80, byzantine=names))


@pytest.mark.parametrize("seed", range(100, 100 + SMALL_SEEDS))
def test_a_small_network_is_safe_and_live(seed: int) -> None:
    """Four to six nodes, one of them a liar every other time, for a third of the price."""
    names = Random(f"liars {seed}").choices(list(BEHAVIOURS), k=seed % 2)
    ensure_good(draw_plan(seed, nodes=4 + seed % 3, slots=40, byzantine=names))


@pytest.mark.parametrize("name", BEHAVIOURS)
@pytest.mark.long
def test_each_behaviour_is_survived(name: str) -> None:
    for seed in range(5):
        ensure_good(draw_plan(seed, byzantine=[name, name]))


@pytest.mark.parametrize("seed", range(1_000, 1_000 + LONG_SEEDS))
@pytest.mark.long
def test_many_seeds_are_safe_and_live(seed: int) -> None:
    nodes = 4 + seed % 10
    names = Random(f"liars {seed}").choices(list(BEHAVIOURS), k=seed % ((nodes - 1) // 3 + 1))
    ensure_good(draw_plan(seed, nodes=nodes, byzantine=names))


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_once_failed_does_not_fail_again(path: Path) -> None:
    ensure_good(Plan.of_document(json.loads(path.read_text())))


def test_the_same_plan_gives_the_same_trace() -> None:
    plan = draw_plan(11, nodes=4, slots=30, byzantine=["equivocating-author"])
    first, second = play(plan), play(plan)
    assert (first.trace, first.events) == (second.trace, second.events)
    assert play(replace(plan, seed=12)).trace != first.trace
    assert play(plan, shares=False) == first, "sharing work changes nothing"
    later = Fault("pause", 5_000, 8_000, (1,))
    assert play(replace(plan, faults=(*plan.faults, later))).trace != first.trace
