"""Scenario fields: what is read, what is refused and with which message."""

import pytest

from flockchain.economics.fields import Fields, ScenarioError
from runtime.primitives.rational import Rational


@pytest.mark.parametrize("value", [0, "0", 7, "7", 2**128 - 1, str(2**128 - 1)])
def test_integers_as_numbers_or_digits(value: object) -> None:
    assert Fields({"a": value}, "s").integer("a") == int(str(value))


@pytest.mark.parametrize(
    "value", [-1, "-1", 1.0, 1e21, "1.5", "1e3", " 1", "", True, [], {}, 2**128, str(2**128), "१"]
)
def test_anything_else_is_no_integer(value: object) -> None:
    with pytest.raises(ScenarioError, match=r"^s\.a: an integer from 0 to 2\^128 - 1 expected"):
        Fields({"a": value}, "s").integer("a")


def test_absent_and_null_take_the_default() -> None:
    assert Fields({}, "s").integer("a", 5) == 5
    assert Fields({"a": None}, "s").integer("a", 5) == 5
    assert Fields({"a": None}, "s").optional_integer("a") is None
    with pytest.raises(ScenarioError, match=r"^s\.a: missing$"):
        Fields({"a": None}, "s").integer("a")


@pytest.mark.parametrize(
    ("value", "rational"),
    [
        ("17/20", Rational(17, 20)),
        ("34/40", Rational(17, 20)),
        ("0.85", Rational(17, 20)),
        ("10", Rational(10, 1)),
        (10, Rational(10, 1)),
        ("0", Rational(0, 1)),
    ],
)
def test_rationals(value: object, rational: Rational) -> None:
    assert Fields({"a": value}, "s").rational("a") == rational


@pytest.mark.parametrize("value", ["1/0", "-1/2", "1/2/3", "1e3", 0.85, True, "", None, []])
def test_no_rational(value: object) -> None:
    with pytest.raises(ScenarioError, match=r"^s\.a: "):
        Fields({"a": value}, "s").rational("a")


def test_shapes() -> None:
    with pytest.raises(ScenarioError, match=r"^s: an object is expected, not \[\]$"):
        Fields([], "s")
    with pytest.raises(ScenarioError, match=r"^s\.a: a list is expected, not 5$"):
        Fields({"a": 5}, "s").records("a")
    with pytest.raises(ScenarioError, match=r"^s\.a\[1\]: an object is expected, not 5$"):
        Fields({"a": [{}, 5]}, "s").records("a")
    with pytest.raises(ScenarioError, match=r"^s\.a: true or false expected, not 'yes'$"):
        Fields({"a": "yes"}, "s").flag("a", default=True)
    with pytest.raises(ScenarioError, match=r"^s\.a: a name is expected, not ''$"):
        Fields({"a": ""}, "s").text("a")
    with pytest.raises(ScenarioError, match=r"^s\.a\.x: an integer"):
        Fields({"a": {"x": 0.5}}, "s").integers_by_name("a")


def test_a_misspelt_field_is_refused() -> None:
    fields = Fields({"lamda": "20", "kind": "arena_day"}, "scenario")
    fields.allow("kind")
    fields.rational("lambda", "10")
    with pytest.raises(ScenarioError, match=r"^scenario\.lamda: no such field; there are kind, l"):
        fields.close()
