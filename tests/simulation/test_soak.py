"""Long runs: what a node holds does not grow, disks grow in a line, nothing is violated.

The long one prints its figures (`-s`); `flockchain simulate soak` plays any number of slots.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from flockchain.simulation.network.census import Census
from flockchain.simulation.network.plan import Fault, PlanError
from flockchain.simulation.network.soak import (
    HOUR_SLOTS,
    Sample,
    Soak,
    ensure_well,
    play_soak,
    soak_plan,
)
from flockchain.simulation.network.soak_figures import (
    DISK_PERCENT_MAX,
    GROWTH_PERCENT_MAX,
    soak_figures,
)
from flockchain.simulation.network.world import Outcome, World

pytestmark = pytest.mark.usefixtures("quietly")
LONG_SLOTS = 4 * HOUR_SLOTS
LEAK_PERCENT_MAX = 10.0


def sample_at(slot: int, node_bytes: int, disk_bytes: int, held: int) -> Sample:
    """A sample of one node, made up."""
    shared = Census(1_000, {"cache": held // 2})
    return Sample(slot, slot, (node_bytes,), {"votes": held}, shared, 1, disk_bytes, 5_000)


def soak_of(samples: list[Sample]) -> Soak:
    plan = soak_plan(1, 4, 100, ())
    return Soak(Outcome(plan, [], [], 99, "ab", 1, 1), tuple(samples))


def test_a_short_run_is_safe_and_its_samples_are_whole(tmp_path: Path) -> None:
    told: list[Sample] = []
    soak = play_soak(soak_plan(3, nodes=4, slots=28), tmp_path, 7, told.append)
    assert [*soak.outcome.safety, *soak.outcome.liveness] == []
    assert soak.samples == tuple(told)
    assert [sample.slot for sample in told] == [7, 14, 21, 28]
    for before, after in pairwise(told):
        assert after.final > before.final
        assert after.disk_bytes > before.disk_bytes
    last = told[-1]
    assert len(last.node_bytes) == 3, "only one of four may have died"
    assert all(size > 500_000 for size in last.node_bytes)
    for path in ("backend.tree._blocks", "pool._bans", "network._network._seen._until_ms"):
        assert any(name.startswith(path) for name in last.elements), path
    assert soak_figures(soak).slots == 28


def test_who_stands_still_in_calm_is_found() -> None:
    """Two of four are away in the first sample, and the plan says that all is well."""
    plan = soak_plan(3, nodes=4, slots=16, kinds=())
    away = tuple(Fault("restart", 1_000, 7_000, (place,)) for place in (0, 1))
    world = World(replace(plan, faults=away))
    world.run_until(6_000)
    ensure_well(world)
    assert world.checkers.violations == ["6000 ms: in calm heads are [3, 3], finality is at [0, 0]"]


def test_faults_come_each_hour_and_most_nodes_never_end() -> None:
    plan = soak_plan(5, nodes=7, slots=3 * HOUR_SLOTS + 100)
    hours = {fault.at_ms // (HOUR_SLOTS * 1_000) for fault in plan.faults}
    assert hours == {0, 1, 2}
    assert plan == soak_plan(5, nodes=7, slots=3 * HOUR_SLOTS + 100)
    many = soak_plan(5, nodes=7, slots=40 * HOUR_SLOTS)
    ended = {
        place
        for fault in many.faults
        if fault.kind in ("restart", "crash", "full-disk")
        for place in fault.nodes
    }
    assert ended == {5, 6}
    with pytest.raises(PlanError, match="no room for faults"):
        soak_plan(1, nodes=4, slots=12)


def test_flat_memory_meets_the_goals() -> None:
    samples = [sample_at(slot, 10_000, 500 + 7 * slot, 64) for slot in range(100, 900, 100)]
    figures = soak_figures(soak_of(samples))
    assert all(figures.goals().values())
    assert figures.grew == ()
    assert (figures.disk_bytes_a_slot, figures.disk_growth_percent) == (7.0, 0.0)


def test_a_leak_is_named() -> None:
    samples = [sample_at(slot, 10_000 + 2 * slot, slot * slot, slot) for slot in range(1, 9)]
    figures = soak_figures(soak_of(samples))
    assert [(one.path, one.before, one.after) for one in figures.grew] == [
        ("votes", 4, 8),
        ("cache", 2, 4),
    ]
    assert figures.disk_growth_percent > 50
    assert not all(figures.goals().values())
    flat = [replace(sample, node_bytes=(10_000,)) for sample in samples]
    assert soak_figures(soak_of(flat)).node_growth_percent == 0
    grown = [replace(one, node_bytes=(10_000 + 100 * one.slot,)) for one in samples]
    assert soak_figures(soak_of(grown)).node_growth_percent > GROWTH_PERCENT_MAX


@pytest.mark.long
def test_a_long_run_leaks_nothing(tmp_path: Path) -> None:
    """Bounded tables fill for 16,384 blocks; a leak of a state each minute would be seen."""
    figures = soak_figures(play_soak(soak_plan(1, nodes=7, slots=LONG_SLOTS), tmp_path, 150))
    print(f"\n{figures.as_document()}")
    assert figures.violations == ()
    assert figures.disk_growth_percent <= DISK_PERCENT_MAX
    assert figures.process_growth_percent <= LEAK_PERCENT_MAX
