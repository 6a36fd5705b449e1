"""The draw: proportional, bounded by the quota, dealt round by round, the same on every node."""

from __future__ import annotations

from dataclasses import replace

from runtime import frame
from runtime.economy.quota import rate_limit
from runtime.economy.tasks import Hardware, HardwareClass, Role
from runtime.frame.origin import signed
from runtime.pallets.arena.cursor import Phase
from runtime.pallets.arena.records import DayKey, NodeRecord
from runtime.pallets.arena.seals import dealing_order, draw_randomness, seat_number
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import FML
from tests.runtime.pallets.arena.counting import reached
from tests.runtime.pallets.world import (
    GENESIS,
    MODELS,
    NO_SHARE,
    NODES,
    VALIDATORS,
    World,
    account,
    new_world,
    submit,
    terms,
    with_participants,
)

KEY = DayKey(0, 1)


def drawn(**changes: object) -> World:
    """A task's first day after the draw."""
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(**changes))
    with_participants(world, 0)
    submit(world, 1, 0, MODELS)
    world.go_to(1, 10)
    return world


def test_the_beacon_is_every_vrf_output_of_the_reveal_window() -> None:
    world = drawn()
    outputs = [blake2b_256(b"vrf" + number.to_bytes(4, "little")) * 2 for number in (28, 29)]
    assert world.arena.rosters.get(KEY).randomness == draw_randomness(GENESIS, 0, 1, outputs)
    fixed = b"draw" + GENESIS + bytes(4) + b"\1\0\0\0"
    assert draw_randomness(GENESIS, 0, 1, outputs) == blake2b_256(fixed + outputs[0] + outputs[1])


def test_instant_seal_draws_from_parents() -> None:
    world = new_world()
    world.randomness.is_instant = True
    world.go_to(1, 10)
    kept = [world.arena.vrf_outputs.get(position) for position in (8, 9)]
    parents = [blake2b_256(number.to_bytes(4, "little")) for number in (28, 29)]
    assert kept == [
        blake2b_256(parent + number.to_bytes(4, "little"))
        for parent, number in zip(parents, (28, 29), strict=True)
    ]


def test_seats_are_the_numbers_modulo_the_stake() -> None:
    world = drawn()
    roster = world.arena.rosters.get(KEY)
    stakes = {name: stake * FML for name, stake in zip(VALIDATORS, (100, 200, 300), strict=True)}
    left = {name: rate_limit(stake, 30 * FML, 4, 100) for name, stake in stakes.items()}
    dealt: dict[tuple[str, int], int] = {}
    order = sorted(range(3), key=lambda number: dealing_order(roster.randomness, number))
    assert [entry.submission for entry in roster.entries] == order
    for seat in range(3):
        for number in order:
            again, target = divmod(
                seat_number(roster.randomness, number, seat), sum(stakes.values())
            )
            name = reached(stakes.items(), target)
            if not left[name]:
                open_ = {name: stakes[name] for name in VALIDATORS if left[name]}
                name = reached(open_.items(), again % sum(open_.values()))
            left[name] -= 1
            dealt[name, number] = dealt.get((name, number), 0) + 1
    for name in VALIDATORS:
        weights = world.arena.scoring.weights_of(KEY, account(name))
        assert weights == {n: dealt[name, n] for n in range(3) if (name, n) in dealt}


def test_quota_bounds_the_seats_of_a_day() -> None:
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(seats=20))
    for name in NODES:
        world.register(name, 0, Role.TRAINING_NODE, 10 * FML)
    for name in VALIDATORS:
        world.register(name, 0, Role.TASK_VALIDATOR, 30 * FML)
    submit(world, 1, 0, MODELS)
    world.go_to(1, 10)
    roster = world.arena.rosters.get(KEY)
    assert roster.is_drawn
    for name in VALIDATORS:
        assert sum(world.arena.scoring.weights_of(KEY, account(name)).values()) == 4
    assert [entry.dealt for entry in roster.entries] == [4, 4, 4]  # round by round


def test_only_fitting_hardware_is_drawn() -> None:
    world = new_world()
    need = Hardware(HardwareClass.GPU, 16)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(hardware=need))
    world.register("n1", 0, Role.TRAINING_NODE, 10 * FML)
    world.register("v1", 0, Role.TASK_VALIDATOR, 900 * FML)
    world.tasks.register(signed(account("v2")), 0, Role.TASK_VALIDATOR, 30 * FML, NO_SHARE, need)
    world.set_sealing_key("v2")
    submit(world, 1, 0, {"n1": "good"})
    world.go_to(1, 10)
    assert [juror.account for juror in world.arena.rosters.get(KEY).jurors] == [account("v2")]


def test_on_the_final_day_the_most_often_ranked_come_first() -> None:
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(days=2))
    with_participants(world, 0)
    submit(world, 1, 0, MODELS)
    for days, name in enumerate(NODES):
        world.arena.node_records.put((0, account(name)), NodeRecord(days, 0))
    world.go_to(2, 1)
    world.tasks.reveal_key(signed(account("creator")), 0, b"B" * 32)
    world.go_to(2, 10)
    roster = world.arena.rosters.get(DayKey(0, 2))
    assert [entry.owner for entry in roster.entries] == [account(n) for n in ("n3", "n2", "n1")]


def test_a_draw_over_several_blocks_is_the_same() -> None:
    whole = drawn()
    slow = new_world()
    slow.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(slow, 0)
    submit(slow, 1, 0, MODELS)
    slow.arena.config = replace(slow.arena.config, steps_per_block=3)
    slow.go_to(1, 10)
    seen = set()
    while (cursor := slow.arena.cursor.find()) is not None:
        seen.add((cursor.phase, slow.arena.gathering.exists(), slow.arena.rosters.contains(KEY)))
        assert slow.arena.scoring.weights_of(KEY, account("v3")) == {}
        slow.next_block()
    made = {(Phase.GATHER, True, False), (Phase.DEAL, False, True)}
    assert seen == {(Phase.START, False, False), *made}
    assert slow.arena.rosters.get(KEY) == whole.arena.rosters.get(KEY)
    assert list(slow.arena.assignments.items()) == list(whole.arena.assignments.items())
