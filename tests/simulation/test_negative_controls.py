"""The checkers see what they are for: broken rules and too many liars are found, and who did it."""

from __future__ import annotations

import pytest

from flockchain.simulation.network.plan import Fault, Plan
from flockchain.simulation.network.world import Outcome, play

pytestmark = pytest.mark.usefixtures("seldom_collecting", "quietly")
ISLANDS = ((3, 4), (5, 6))
LIARS = {0, 1, 2}


def islands(seed: int, liars: int) -> Plan:
    """Honest nodes in two halves that hear of each other through liars only."""
    cuts = [
        Fault("one-way", 4_000, 30_000, pair)
        for here in ISLANDS[0]
        for there in ISLANDS[1]
        for pair in ((here, there), (there, here))
    ]
    return Plan(seed, 7, 50, ("echo-voter",) * liars, tuple(cuts), calm_slots=20)


def ensure_split_is_proved(outcome: Outcome) -> None:
    assert any("finalized another block" in found for found in outcome.safety)
    assert len(outcome.guilty) * 3 >= 7
    assert outcome.guilty <= LIARS


def test_three_liars_of_seven_split_finality_and_are_convicted() -> None:
    ensure_split_is_proved(play(islands(1, liars=3)))


@pytest.mark.long
def test_three_liars_of_seven_are_convicted_in_every_seed() -> None:
    for seed in range(2, 52):
        ensure_split_is_proved(play(islands(seed, liars=3)))


def test_two_liars_of_seven_cannot() -> None:
    outcome = play(islands(1, liars=2))
    assert outcome.safety == []
    assert outcome.guilty == frozenset()
