"""What-if questions about rounds of the FL Alliance, answered by the pallet."""

from __future__ import annotations

from typing import Any

import pytest

from flockchain.economics.evaluate import evaluate
from flockchain.economics.fields import ScenarioError
from flockchain.economics.live_rules import with_live_rules
from runtime.api import runtime_at
from runtime.frame.externalities import DictState
from runtime.frame.origin import ROOT
from runtime.pallets.fl_alliance.terms import AllianceParameters
from runtime.primitives.rational import Rational
from tests.runtime.pallets.fl_alliance.alliance_world import new_alliance
from tests.runtime.played_state import top_of


def scenario(**fields: object) -> dict[str, Any]:
    """Three rounds of a pool of 90; A to E have 100 each."""
    return {
        "kind": "fl",
        "pool": "90",
        "rounds": 3,
        "participants": [{"id": name, "stake": "100"} for name in "ABCDE"],
        "history": [{"proposers": ["A"], "votes": {"B": 1, "C": 1, "D": -1}}],
        **fields,
    }


def rounds(given: dict[str, Any], *settings: str) -> list[dict[str, Any]]:
    found = evaluate(given, settings)["rounds"]
    assert isinstance(found, list)
    return found


def test_a_round_pays_and_slashes() -> None:
    balances = {"A": "110", "B": "110", "C": "110", "D": "90", "E": "100"}
    assert rounds(scenario()) == [{"outcome": 1, "balances": balances, "pool": "70"}]


def test_settings_change_the_answer() -> None:
    found = rounds(scenario(), "slash=1/4", "participants.A.stake=200")[0]
    assert found["balances"] == {"A": "215", "B": "108", "C": "107", "D": "75", "E": "100"}
    assert found["pool"] == str(90 - 30 + 25)


def test_absence_has_a_rate_of_its_own() -> None:
    history = [{"proposers": ["A"], "votes": {"B": 1, "C": 1, "D": None}}]
    assert rounds(scenario(history=history))[0]["balances"]["D"] == "90"
    found = rounds(scenario(history=history, absence_slash="1/2"))[0]
    assert (found["balances"]["D"], found["pool"]) == ("50", "110")


def test_a_tie_accepts() -> None:
    history = [{"proposers": ["A"], "votes": {"B": 1, "C": -1}}]
    found = rounds(scenario(history=history))[0]
    assert (found["outcome"], found["balances"]["C"]) == (1, "90")


@pytest.mark.parametrize(("quorum", "outcome"), [("2/3", 0), ("1/2", 0), ("1/3", 0)])
def test_a_lower_quorum_still_needs_a_majority_for_one_aggregate(quorum: str, outcome: int) -> None:
    history = [{"proposers": ["A"], "votes": {"B": 1, "C": None, "D": None}}]
    assert rounds(scenario(history=history, quorum=quorum))[0]["outcome"] == outcome


def test_a_quorum_of_all_voids_a_round_with_a_missing_vote() -> None:
    history = [{"proposers": ["A"], "votes": {"B": 1, "C": 1, "D": None}}]
    assert rounds(scenario(history=history, quorum="1"))[0]["outcome"] == 0


def test_too_few_voters_hold_no_round() -> None:
    one = {"proposers": ["A"], "votes": {"B": 1}}
    three = {"proposers": ["A"], "votes": {"B": 1, "C": 1, "D": 1}}
    found = rounds(scenario(history=[one, three], min_voters=3))
    assert found[0] == {"outcome": 0, "balances": dict.fromkeys("ABCDE", "100"), "pool": "90"}
    assert found[1]["pool"] == "60"  # a third: it is the first round


def test_what_the_last_round_leaves_is_shown_before_it_is_burned() -> None:
    found = rounds(scenario(rounds=1))
    assert found[0]["pool"] == "10"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"pool": "2"},
            "scenario.participants: A self-funded task has at least one planck a round.",
        ),
        ({"rounds": 0}, "scenario.history: 1 rounds of 0"),
        ({"slash": "3/2"}, "scenario.slash: 3/2 is above 1"),
        ({"quorum": "0"}, "scenario.participants: Rates lie between 0 and 1 in 10^-6ths: those of"),
        ({"participants": [{"id": "A", "stake": 0}]}, "scenario.participants[0].stake: at least 1"),
        (
            {"participants": [{"id": "A", "stake": 1}, {"id": "A", "stake": 1}]},
            "scenario.participants[1].id: two participants are 'A'",
        ),
        (
            {"history": [{"proposers": ["Z"], "votes": {"B": 1}}]},
            "scenario.history[0].proposers: there is no participant Z",
        ),
        (
            {"history": [{"proposers": ["A"], "votes": {"A": 1}}]},
            "scenario.history[0].proposers: a participant has one role in a round",
        ),
        (
            {"history": [{"proposers": [], "votes": {"A": 1}}]},
            "scenario.history[0].proposers: a round has proposers and voters, 256 in all",
        ),
        (
            {"history": [{"proposers": ["A"], "votes": {"B": 2}}]},
            "scenario.history[0].votes.B: 1, -1 or null expected, not 2",
        ),
        (
            {"history": [{"proposers": ["A"], "votes": []}]},
            "scenario.history[0].votes: an object is expected, not []",
        ),
        ({"history": [{"proposers": ["A"]}]}, "scenario.history[0].votes: missing"),
        ({"treshold": 1}, "scenario.treshold: no such field"),
    ],
)
def test_refusals(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        evaluate(scenario(**fields))
    assert str(refusal.value).startswith(message)


def test_a_live_chain_gives_the_daos_rate_for_absence() -> None:
    made = new_alliance()
    made.pallet.set_parameters(ROOT, AllianceParameters(Rational(1, 4)))
    runtime = runtime_at(DictState(top_of(made.world)))
    assert with_live_rules({"kind": "fl"}, runtime) == {"kind": "fl", "absence_slash": "1/4"}
    given = {"kind": "fl", "absence_slash": "1/2"}
    assert with_live_rules(given, runtime) == given
