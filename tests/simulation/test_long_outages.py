"""Finality stands still for up to 600 slots, and goes on when enough voters are back.

Either over a third of the voters is away, or two halves hear nothing of each other and each makes
blocks that the other lacks. A line with the figures is printed (`-s`).
"""

from __future__ import annotations

from random import Random
from statistics import median

import pytest

from flockchain.simulation.network.plan import SLOT_MS, Fault, Plan
from flockchain.simulation.network.shared_checks import shared_checks
from flockchain.simulation.network.world import World, play

pytestmark = pytest.mark.usefixtures("seldom_collecting", "quietly")
FIRST_SLOT, CALM_SLOTS = 5, 25
HEAD_SLOTS_MAX, HEAD_SLOTS_MEDIAN = 10, 4
FINAL_SLOTS_MAX = 20


def outage(seed: int, nodes: int, away: int, slots: int) -> Plan:
    """The first nodes are gone for so many slots, and come back together."""
    until_ms = (FIRST_SLOT + slots) * SLOT_MS
    faults = tuple(
        Fault("restart", FIRST_SLOT * SLOT_MS, until_ms, (place,)) for place in range(away)
    )
    return Plan(seed, nodes, FIRST_SLOT + slots + CALM_SLOTS, (), faults, CALM_SLOTS)


def halves(seed: int, nodes: int, slots: int) -> Plan:
    """Two halves hear nothing of each other for so many slots."""
    until_ms = (FIRST_SLOT + slots) * SLOT_MS
    cut = Fault("split", FIRST_SLOT * SLOT_MS, until_ms, tuple(range(nodes // 2)))
    return Plan(seed, nodes, FIRST_SLOT + slots + CALM_SLOTS, (), (cut,), CALM_SLOTS)


def slots_to_one_chain(plan: Plan) -> tuple[int, int]:
    """Slots until all have one head, and until the half of it that won is final.

    It may be the shorter half: what counts is how many slots had their first author.
    """
    with shared_checks():
        world = World(plan)
        world.run_until(plan.heal_ms)
        heads, one_head = set(world.heads()), None
        assert len(heads) > 1, "nothing was cut"
        final_numbers: list[int] = []
        for slots in range(1, CALM_SLOTS + 1):
            world.run_until(plan.heal_ms + slots * SLOT_MS - SLOT_MS // 2)
            if one_head is None and len(set(world.heads())) == 1:
                one_head = slots
            final_numbers.append(min(world.final_numbers()))
        assert world.checkers.violations == []
        assert one_head is not None
        node = world.seats[0].node
        assert node is not None
        won = [head for head in heads if node.backend.blocks.hash_at(head.number) == head.hash]
        (goal,) = (head.number for head in won)
        return one_head, 1 + sum(number < goal for number in final_numbers)


def ensure_one_chain(plans: list[Plan]) -> None:
    """Each plan within its bounds, and half of them quicker."""
    found = [slots_to_one_chain(plan) for plan in plans]
    heads, finals = zip(*found, strict=True)
    print(
        f"\n{len(plans)} partitions: one head after {median(heads)} slots ({max(heads)} at most), "
        f"final after {median(finals)} ({max(finals)})"
    )
    assert max(heads) <= HEAD_SLOTS_MAX
    assert median(heads) <= HEAD_SLOTS_MEDIAN
    assert max(finals) <= FINAL_SLOTS_MAX


@pytest.mark.parametrize("seed", range(1, 4))
def test_finality_comes_back_with_the_voters(seed: int) -> None:
    assert play(outage(seed, nodes=4, away=2, slots=60)).is_good


def test_two_halves_become_one_chain() -> None:
    short = [halves(seed, nodes, slots=60) for seed, nodes in ((2, 4), (4, 4), (5, 6), (6, 8))]
    ensure_one_chain([*short, halves(3, nodes=2, slots=400)])


def test_the_better_half_is_heard_of_though_it_makes_no_block() -> None:
    """Announcements of new blocks alone left two chains until one of its authors won a slot."""
    plan = halves(2, nodes=4, slots=60)
    with shared_checks():
        world = World(plan)
        world.run_until(plan.heal_ms)
        nodes = [seat.node for seat in world.seats if seat.node is not None]
        winner = max(nodes, key=lambda node: node.backend.tree.best().order())
        better = winner.backend.best.hash
        assert len(set(world.heads())) == 2
        for node in nodes:
            if node.backend.best.hash == better:
                node.author = None
        world.run_until(plan.heal_ms + 4 * SLOT_MS)
        assert all(better in node.backend.tree for node in nodes)
        assert len(set(world.heads())) == 1


@pytest.mark.long
@pytest.mark.parametrize("seed", range(50))
def test_finality_comes_back_after_600_slots(seed: int) -> None:
    outcome = play(outage(seed, nodes=7, away=3 + seed % 2, slots=600))
    assert [*outcome.safety, *outcome.liveness] == []


@pytest.mark.long
def test_many_partitions_become_one_chain() -> None:
    prng = Random("partitions")
    sizes = [(prng.choice((4, 6, 8)), prng.randint(60, 600)) for _ in range(100)]
    ensure_one_chain(
        [halves(seed, nodes, slots) for seed, (nodes, slots) in enumerate(sizes, start=100)]
    )
