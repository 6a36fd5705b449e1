"""`--set`: paths, additions, refusals."""

from typing import Any

import pytest

from flockchain.economics.fields import ScenarioError
from flockchain.economics.overrides import override

SCENARIO: dict[str, Any] = {
    "lambda": "10",
    "nodes": [{"id": "n1", "own": "1"}, {"id": "n2", "own": "2"}],
}


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("lambda=20", {**SCENARIO, "lambda": "20"}),
        ("k1=5", {**SCENARIO, "k1": "5"}),
        ("outliers=false", {**SCENARIO, "outliers": False}),
        ("k1=null", {**SCENARIO, "k1": None}),
        ("nodes.n2.own=9", {**SCENARIO, "nodes": [SCENARIO["nodes"][0], {"id": "n2", "own": "9"}]}),
        ("nodes.0.own=9", {**SCENARIO, "nodes": [{"id": "n1", "own": "9"}, SCENARIO["nodes"][1]]}),
        ("name=a=b", {**SCENARIO, "name": "a=b"}),
    ],
)
def test_settings(setting: str, changed: object) -> None:
    before = {**SCENARIO}
    assert override(SCENARIO, [setting]) == changed
    assert before == SCENARIO


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("lambda", "--set lambda: write it as key=value"),
        ("=5", "--set =5: write it as key=value"),
        ("nodes.n3.own=5", "--set nodes.n3.own=5: the scenario has no n3"),
        ("nodes.2.own=5", "--set nodes.2.own=5: the scenario has no 2"),
        ("task.own=5", "--set task.own=5: the scenario has no task"),
        ("lambda.own.x=5", "--set lambda.own.x=5: the scenario has no own"),
    ],
)
def test_refusals(setting: str, message: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        override(SCENARIO, [setting])
    assert str(refusal.value) == message
