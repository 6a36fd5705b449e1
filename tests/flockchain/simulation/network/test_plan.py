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
        ({"slots": 45}, "45 slots leave no time before 45 of calm: at least one each"),
        ({"calm_slots": 0}, "no time before 0 of calm"),
        ({"faults": (Fault("rain", 1, 2),)}, "unknown fault 'rain'"),
        ({"faults": (Fault("pause", 1, 2, (7,)),)}, "names a node that is not there"),
        ({"faults": (Fault("loss", 1, 75_001),)}, "lasts beyond 75000 ms, when all is to be well"),
        ({"faults": (Fault("loss", 3, 2),)}, "ends before it begins"),
        ({"faults": (Fault("loss", -1, 2),)}, "begins before all"),
        ({"faults": (Fault("drift", 1, 2, (0,), -1_000_000),)}, "makes a clock stand still"),
        ({"faults": (Fault("crash", 1, 2, (0,), 1, "melted"),)}, "no mode of a crash 'melted'"),
        ({"slots": 60.5}, "60.5 is no whole number"),
        ({"nodes": True}, "True is no whole number"),
        ({"byzantine": (["mute"],)}, r"\['mute'\] is no name"),
    ],
)
def test_a_plan_that_cannot_be_played_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        replace(Plan(1), **change).check()  # type: ignore[arg-type]


def test_a_document_that_is_no_plan_is_refused() -> None:
    with pytest.raises(PlanError, match="no plan: 'faults'"):
        Plan.of_document({"seed": 1})
    whole = Plan(1).as_document()
    with pytest.raises(PlanError, match="no plan: list indices"):
        Plan.of_document([1])  # type: ignore[arg-type]
    with pytest.raises(PlanError, match=r"no plan: .*'speed'"):
        Plan.of_document({**whole, "speed": 1})
    with pytest.raises(PlanError, match="'7' is no whole number"):
        Plan.of_document({**whole, "nodes": "7"})


def test_faults_without_room_for_one_are_refused() -> None:
    with pytest.raises(PlanError, match="20 slots have no room for faults: at least 21, or none"):
        draw_plan(1, slots=20)
    assert draw_plan(1, slots=20, kinds=()).faults == ()
    assert draw_plan(1, slots=21).faults
    with pytest.raises(PlanError, match="3 nodes, 0 of them liars, bear no lost-disk"):
        draw_plan(1, nodes=3, kinds=("lost-disk",))


def test_one_node_and_one_kind_can_be_drawn() -> None:
    for seed in range(20):
        assert draw_plan(seed, nodes=1).faults
        assert [one.kind for one in draw_plan(seed, kinds=("lost-disk",)).faults] == ["lost-disk"]
