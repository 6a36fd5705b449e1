"""Power fails in each write of a node in turn, with each of four states of the disk.

The node comes back from what is on its disk: nothing it acknowledged is lost, it signs nothing that
contradicts what it signed, and the network goes on. A line with the count is printed (`-s`).
"""

from __future__ import annotations

import json

import pytest

from flockchain.simulation.network.disk import CrashMode
from flockchain.simulation.network.plan import SLOT_MS, Fault, Plan
from flockchain.simulation.network.shared_checks import shared_checks
from flockchain.simulation.network.world import World, play

pytestmark = pytest.mark.usefixtures("seldom_collecting", "quietly")
VICTIM = 1
STORM_SLOTS, CALM_SLOTS = 14, 12
QUIET = Plan(seed=3, nodes=4, slots=STORM_SLOTS + CALM_SLOTS, calm_slots=CALM_SLOTS)
SAMPLE = range(23, 24)  # one write somewhere in the middle


def crashing(write: int, mode: CrashMode) -> Plan:
    """The scenario, with a crash in the victim's so manieth write."""
    fault = Fault("crash", 0, STORM_SLOTS * SLOT_MS, (VICTIM,), write, mode.value)
    return Plan(QUIET.seed, QUIET.nodes, QUIET.slots, (), (fault,), CALM_SLOTS)


def count_writes() -> int:
    """How often the victim writes before it would be started again."""
    with shared_checks():
        world = World(QUIET)
        before = world.seats[VICTIM].disk.writes
        world.run_until((STORM_SLOTS - 1) * SLOT_MS)
        return world.seats[VICTIM].disk.writes - before


def crash_in_each(writes: range) -> int:
    """Crash in each of these writes, in each mode; how many crashes that were."""
    calm, crashes = play(QUIET), 0
    assert calm.is_good
    for write in writes:
        for mode in CrashMode:
            plan = crashing(write, mode)
            outcome = play(plan)
            found = [*outcome.safety, *outcome.liveness]
            assert found == [], json.dumps(plan.as_document())
            assert outcome.trace != calm.trace, f"there was no write {write}"
            crashes += 1
    return crashes


def test_a_crash_in_some_writes_is_survived() -> None:
    assert crash_in_each(SAMPLE) == len(CrashMode)


@pytest.mark.long
def test_a_crash_in_any_write_is_survived() -> None:
    crashes = crash_in_each(range(1, count_writes() + 1))
    print(f"\n{crashes} crashes: each of {crashes // len(CrashMode)} writes in each mode")
    assert crashes > 100
