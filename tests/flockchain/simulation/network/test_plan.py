"""Plans are drawn alike from a seed, stay within their bounds, and survive JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flockchain.simulation.network.plan import FAULTS, Fault, Plan, PlanError, draw_plan


def test_a_seed_gives_one_plan() -> None:
    assert draw_plan(5) == draw_plan(5)
    assert draw_plan(5) != draw_plan(6)


def test_every_fault_is_drawn_and_ends_before_the_calm() -> None:
    plans = [draw_plan(seed) for seed in range(200)]
    assert {fault.kind for plan in plans for fault in plan.faults} == set(FAULTS)
    for plan in plans:
        for fault in plan.faults:
            assert 0 < fault.at_ms < fault.until_ms <= plan.heal_ms


def test_liars_and_lost_disks_together_stay_below_a_third() -> None:
    for seed in range(100):
        faults = draw_plan(seed, byzantine=("mute", "mute")).faults
        assert all(fault.kind != "lost-disk" for fault in faults)
        lost = [fault for fault in draw_plan(seed).faults if fault.kind == "lost-disk"]
        assert len(lost) <= 1


def test_a_plan_survives_json() -> None:
    plan = draw_plan(3, byzantine=("mute",))
    assert plan.faults
    assert Plan.of_document(json.loads(json.dumps(plan.as_document()))) == plan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"byzantine": ("mute",) * 7}, "7 liars among 7 nodes"),
        ({"slots": 45}, "45 slots leave no time: at least 46"),
        ({"faults": (Fault("rain", 1, 2),)}, "unknown fault 'rain'"),
        ({"faults": (Fault("pause", 1, 2, (7,)),)}, "names a node that is not there"),
        ({"faults": (Fault("loss", 1, 75_001),)}, "lasts beyond 75000 ms, when all is to be well"),
    ],
)
def test_a_plan_that_cannot_be_played_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        replace(Plan(1), **change).check()  # type: ignore[arg-type]


def test_a_document_that_is_no_plan_is_refused() -> None:
    with pytest.raises(PlanError, match="no plan: 'faults'"):
        Plan.of_document({"seed": 1})
