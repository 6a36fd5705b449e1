"""What a plan came to is compared by what it violated."""

from __future__ import annotations

from flockchain.simulation.network.plan import Plan
from flockchain.simulation.network.world import Outcome


def outcome_of(safety: list[str], liveness: list[str]) -> Outcome:
    return Outcome(Plan(1), safety, liveness, finalized=0, trace="", events=0, writes=0)


def test_outcomes_fail_alike_if_both_are_unsafe_or_both_only_stand_still() -> None:
    good, stuck = outcome_of([], []), outcome_of([], ["no finality"])
    unsafe, both = outcome_of(["two chains"], []), outcome_of(["two chains"], ["no finality"])
    assert stuck.fails_like(outcome_of([], ["heads differ"]))
    assert both.fails_like(unsafe)
    assert unsafe.fails_like(both)
    assert not unsafe.fails_like(stuck)
    assert not stuck.fails_like(both)
    assert not good.fails_like(stuck)
