"""What attacks on a round's rules earn."""

from __future__ import annotations

import pytest

from flockchain.economics.attacks.findings import Row
from flockchain.simulation.fl.attack_table import (
    AttackTable,
    capture_chance,
    render_rounds,
    slowest_decay,
)
from flockchain.simulation.fl.drill import QUANTITY, Behaviour, Drill, Drilled
from runtime.economy.parameters import SCORE_MAX
from runtime.pallets.fl_alliance.stages import Outcome
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

ROUNDS = 3


def drill(behaviour: Behaviour, attackers: int = 2) -> Drilled:
    return Drill(behaviour, attackers, members=9, rounds=ROUNDS).play()


@pytest.fixture(scope="module")
def honest() -> dict[int, Drilled]:
    return {attackers: drill(Behaviour(), attackers) for attackers in (2, 4)}


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(chooses=True),
        Behaviour(update="zero"),
        Behaviour(update="none"),
        Behaviour(update="copy"),
        Behaviour(update="poison", vote="accept", frames=True),
        Behaviour(vote="accept", frames=True),
        Behaviour(vote="none"),
        Behaviour(vote="missing"),
        Behaviour(vote="reject"),
        Behaviour(serves=False),
    ],
)
def test_misbehaviour_costs(behaviour: Behaviour, honest: dict[int, Drilled]) -> None:
    assert drill(behaviour).attackers < honest[2].attackers


@pytest.mark.parametrize(
    "behaviour",
    [Behaviour(units=1_000), Behaviour(denies=True)],
)
def test_what_a_minority_says_of_others_or_of_itself_earns_nothing(
    behaviour: Behaviour, honest: dict[int, Drilled]
) -> None:
    assert drill(behaviour).attackers == honest[2].attackers


def test_silent_voters_that_void_rounds_lose_and_their_creator_gets_nothing_back(
    honest: dict[int, Drilled],
) -> None:
    found = drill(Behaviour(vote="none"), 4)
    assert Outcome.VOID in found.outcomes
    assert found.attackers < honest[4].attackers
    assert found.creator == honest[4].creator


def test_most_of_the_voters_can_deny_the_others_proposals() -> None:
    honest, denying = (
        Drill(behaviour, 10, rounds=ROUNDS).play()
        for behaviour in (Behaviour(), Behaviour(denies=True))
    )
    assert denying.attackers > honest.attackers
    assert (honest.weight < 1, denying.weight) == (True, 1)


def test_honest_members_share_all_of_the_pool(honest: dict[int, Drilled]) -> None:
    found = honest[2]
    assert found.attackers + found.others == 1_500 * FML
    assert 0 < found.attackers < 9 * QUANTITY


def test_slow_decay_stops_at_twice_the_tolerance() -> None:
    assert slowest_decay(Rational(1, 20), 40) == SCORE_MAX * 9 // 10
    assert slowest_decay(Rational(1, 20), 1) == SCORE_MAX * 19 // 20


def test_capture_is_as_rare_as_the_formula_says() -> None:
    expected, measured, error = capture_chance(draws=300)
    assert round(expected, 4) == 0.0741
    assert abs(measured - expected) <= error


def test_the_section_tells_what_fails() -> None:
    rows = [Row("case", 0, 2 * FML, "<= 0"), Row("other", FML, 0)]
    table = AttackTable(["F1", "F2"], rows, {"F5: weight": False})
    assert table.failures() == ["case", "F5: weight"]
    lines = list(render_rounds(table))
    assert "| F1 | case | 0.00 | 2.00 | **2.00** | ≤ 0 |" in lines
    assert "- **fails**: F5: weight" in lines
