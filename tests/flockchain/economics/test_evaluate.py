"""Every published scenario through the real pallets, and how lists of them are judged."""

import json
from pathlib import Path
from typing import Any

import pytest

from flockchain.economics.evaluate import check, evaluate, find_difference
from flockchain.economics.fields import ScenarioError

VECTORS = Path(__file__).parents[2] / "vectors" / "economics.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))
FML = 10**18


def scenario_of(kind: str, **fields: object) -> dict[str, Any]:
    found = next(case["scenario"] for case in CASES if case["scenario"]["kind"] == kind)
    return {**json.loads(json.dumps(found)), **fields}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_published_scenario(case: dict[str, Any]) -> None:
    assert check(case, 0).fault is None


def test_published_scenarios_are_met_key_by_key() -> None:
    for case in CASES:
        if case["scenario"]["kind"] != "arena_day":
            assert evaluate(case["scenario"]) == case["expected"]


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ({"kind": "lottery"}, "scenario.kind: 'lottery' is none of arena_day, "),
        ({}, "scenario.kind: missing"),
        ([], "scenario: an object is expected, not []"),
        (scenario_of("emission", c0=1.5), "scenario.c0: an integer from 0 to 2^128 - 1 expected"),
        (scenario_of("emission", decay="3/2"), "scenario.decay: 3/2 is above 1"),
        (scenario_of("emission", horizon=10**9), "scenario.days: at most 72000 days"),
        (scenario_of("task_split", p="5"), "scenario.p: A parameter lies outside of its hard"),
        (scenario_of("rate_limit", s_min=0), "scenario.s_min: a minimum stake above 0 is needed"),
        (scenario_of("rate_limit", smin=5), "scenario.smin: no such field; there are comment, "),
    ],
)
def test_refusals(scenario: object, message: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        evaluate(scenario)
    assert str(refusal.value).startswith(message)


def test_inactive_tasks_take_no_part() -> None:
    scenario = scenario_of("task_split")
    scenario["fl"][0]["active"] = False
    assert evaluate(scenario) == {"rewards": {"a": str(1000 * FML)}}


def test_two_tasks_of_one_name_are_refused() -> None:
    scenario = scenario_of("task_split")
    scenario["fl"][0]["id"] = "a"
    with pytest.raises(ScenarioError, match=r"^scenario\.arena: two tasks have one id$"):
        evaluate(scenario)


def test_settings_change_the_answer() -> None:
    answer = evaluate(scenario_of("task_split"), ["fl.f.stake=0"])
    assert answer == {"rewards": {"a": str(1000 * FML), "f": "0"}}


def test_rate_limit_has_a_cap_if_asked() -> None:
    answer = evaluate(scenario_of("rate_limit", l_max=10))
    assert answer["limits"] == {
        "99": 0, "100": 4, "200": 5, "400": 8, "900": 10, "1600": 10, "10000": 10,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "expected", "fault"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, None),
        ({"a": 1}, {"a": 2}, "a: 1 instead of 2"),
        ({"a": {"x": "1"}}, {"a": {"x": "1", "y": "0"}}, "a.y: nothing instead of '0'"),
        ({"payouts": {"x": "1"}}, {"payouts": {"x": "1", "y": "0"}}, None),
        ({"payouts": {"x": "1", "y": "0"}}, {"payouts": {"x": "1"}}, None),
        ({"payouts": {"x": "1", "y": "2"}}, {"payouts": {"x": "1"}}, "payouts.y: '2' instead of"),
        ({"a": 1}, {"a": {"x": 1}}, "a: 1 instead of {'x': 1}"),
    ],
)
def test_differences(answer: object, expected: object, fault: str | None) -> None:
    found = find_difference(answer, expected)
    assert (found or "").startswith(fault or "")
    assert (found is None) is (fault is None)


def test_a_list_entry_that_is_no_case_fails_by_its_place() -> None:
    case = check({"kind": "emission"}, 3)
    assert (case.name, case.answer) == ("#3", None)
    assert case.fault == "an object with name, scenario and expected is needed"


def test_a_refused_scenario_is_a_failed_case() -> None:
    case = check({"name": "x", "scenario": scenario_of("emission", decay="3/2")}, 0)
    assert case.answer is None
    assert case.fault == "scenario.decay: 3/2 is above 1"
