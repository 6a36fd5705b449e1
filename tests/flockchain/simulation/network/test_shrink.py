"""A failing plan becomes the smallest one that fails alike."""

from __future__ import annotations

from flockchain.simulation.network.plan import Fault, Plan
from flockchain.simulation.network.shrink import shrink


def test_only_what_is_needed_to_fail_is_left() -> None:
    faults = tuple(Fault("pause", 1_000 * at, 40_000, (at % 3,)) for at in range(2, 12))
    plan = Plan(1, nodes=7, slots=120, byzantine=("mute", "censor"), faults=faults)
    culprit = faults[6]

    def fails(candidate: Plan) -> bool:
        return any(one.at_ms == culprit.at_ms for one in candidate.faults) and (
            "censor" in candidate.byzantine
        )

    found = shrink(plan, fails)
    assert fails(found)
    assert found.byzantine == ("censor",)
    assert found.nodes == 4
    [fault] = found.faults
    assert fault.until_ms - fault.at_ms <= 2_000
    assert found.slots < 120


def test_attempts_are_bounded() -> None:
    played: list[Plan] = []

    def fails(candidate: Plan) -> bool:
        played.append(candidate)
        return True

    shrink(Plan(1, byzantine=("mute",)), fails, attempts_max=3)
    assert len(played) == 3
