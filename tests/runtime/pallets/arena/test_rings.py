"""Ring keys and rolls: who may use aliases from when on, and in which rings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import frame
from runtime.economy.tasks import Role
from runtime.frame.origin import signed
from runtime.pallets.arena import alias_events
from runtime.pallets.arena.alias_messages import ring_key_context, ring_randomness, roll_order
from runtime.pallets.arena.key_records import RING_KEYS_MAX, RingKey, RingPlace, RollMember
from runtime.pallets.arena.records import DayKey
from runtime.pallets.arena.rings import ring_count, ring_of
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.ring_signature import KeyProof, prove_key, public_key
from runtime.primitives.types import FML, Hash
from tests.runtime.pallets.alias_world import ENTROPY, secret_of, set_ring_key, set_ring_keys
from tests.runtime.pallets.world import (
    GENESIS,
    NODES,
    World,
    account,
    new_world,
    terms,
    with_participants,
)

OTHER = secret_of("another")


def key_of(name: str) -> bytes:
    return public_key(secret_of(name))


def running(*names: str, **changes: object) -> World:
    """Day 0 of a task, these accounts with ring keys."""
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(**changes))
    with_participants(world, 0)
    set_ring_keys(world, names)
    return world


def acting(world: World, name: str, *days: int) -> list[bytes | None]:
    return [world.arena.rings.acting_key(account(name), day) for day in days]


# -- keys


@pytest.mark.parametrize(("position", "first_day"), [(0, 2), (7, 2), (8, 3), (19, 3)])
def test_a_key_acts_from_the_day_whose_rings_it_cannot_have_chosen(
    position: int, first_day: int
) -> None:
    world = running(days=5)
    world.go_to(1, position)
    set_ring_key(world, "n1")
    assert acting(world, "n1", first_day - 1, first_day, 9) == [None, key_of("n1"), key_of("n1")]
    told = alias_events.RingKeySet(account("n1"), key_of("n1"), first_day)
    assert world.events(alias_events.RingKeySet) == [told]
    world.go_to(first_day, 0)
    assert [member.key for member in world.arena.rolls.get(DayKey(0, first_day))] == [key_of("n1")]
    assert world.arena.rolls.get(DayKey(0, first_day - 1)) == []


def test_a_key_acts_until_another_does() -> None:
    world = running("n1")
    world.go_to(1, 9)
    set_ring_key(world, "n1", OTHER)
    first, second = key_of("n1"), public_key(OTHER)
    assert acting(world, "n1", 0, 1, 2, 3) == [None, first, first, second]
    assert world.arena.ring_owned.get(first)
    world.go_to(3, 9)
    set_ring_key(world, "n1")
    assert acting(world, "n1", 1, 2, 3, 4, 5) == [first, first, second, second, first]
    world.check()


def test_a_key_that_acts_no_more_is_free_again() -> None:
    world = running("n1", days=9)
    world.go_to(2)
    set_ring_key(world, "n1", OTHER)
    with pytest.raises(alias_events.RingKeyTaken):
        set_ring_key(world, "n2", secret_of("n1"))
    world.go_to(6)
    set_ring_key(world, "n1", secret_of("a third"))
    assert not world.arena.ring_owned.get(key_of("n1"))
    set_ring_key(world, "n2", secret_of("n1"))
    world.check()


def test_nobody_takes_anothers_key_and_all_prove_theirs() -> None:
    world = running("n1")
    with pytest.raises(alias_events.RingKeyTaken):
        set_ring_key(world, "n2", secret_of("n1"))
    key, who = key_of("n2"), signed(account("n2"))
    for_another = prove_key(secret_of("n2"), ring_key_context(GENESIS, account("n3")), ENTROPY)
    elsewhere = ring_key_context(Hash(bytes(32)), account("n2"))
    for proof in (
        for_another,
        prove_key(secret_of("n2"), elsewhere, ENTROPY),
        KeyProof(bytes(32), bytes(32)),
    ):
        with pytest.raises(alias_events.BadRingKey):
            world.arena.set_ring_key(who, key, proof)
    good = prove_key(secret_of("n2"), ring_key_context(GENESIS, account("n2")), ENTROPY)
    for nothing in (bytes(32), b"\1" + bytes(31), b"\xff" * 32):
        with pytest.raises(alias_events.BadRingKey):
            world.arena.set_ring_key(who, nothing, good)
    world.arena.set_ring_key(who, key, good)
    set_ring_key(world, "n2")  # again: nothing changes
    assert world.arena.ring_keys.get(account("n2")) == [RingKey(1, key)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 3)), max_size=12))
def test_keys_are_bounded_and_owned_by_one(steps: list[tuple[int, bool, int]]) -> None:
    world = World(checks=False)
    world.endow("n1")
    world.next_block()
    day, naive = 0, dict[int, bytes]()
    for gap, is_late, which in steps:
        day += gap
        position = max(9 if is_late else 0, world.number - 20 * day)
        world.number = 20 * day + position
        world.system.number.put(world.number)
        first = day + (1 if position < 8 else 2)
        naive = {other: key for other, key in naive.items() if other < first}
        set_ring_key(world, "n1", secret_of(str(which)))
        naive[first] = key_of(str(which))
        assert len(world.arena.ring_keys.get(account("n1"))) <= RING_KEYS_MAX
        for asked in range(max(day - 2, 0), day + 4):
            known = [other for other in naive if other <= asked]
            expected = naive[max(known)] if known else None
            assert world.arena.rings.acting_key(account("n1"), asked) == expected
        world.arena.try_state()


# -- rolls


def test_the_roll_has_nodes_with_stake_and_key_in_the_beacons_order() -> None:
    world = running("n1", "n2", "v1", "idle")
    world.go_to(1)
    world.register("idle", 0, Role.TRAINING_NODE, 10 * FML)  # its stake counts from tomorrow
    outputs = [blake2b_256(b"vrf" + number.to_bytes(4, "little")) * 2 for number in (8, 9)]
    randomness = ring_randomness(GENESIS, 0, 1, blake2b_256(b"".join(outputs)))
    assert randomness == blake2b_256(
        b"ring" + GENESIS + bytes(4) + b"\1\0\0\0" + blake2b_256(b"".join(outputs))
    )
    order = sorted(("n1", "n2"), key=lambda name: roll_order(randomness, account(name)))
    assert roll_order(randomness, account("n1")) == blake2b_256(
        b"ring" + randomness + account("n1")
    )
    expected = [RollMember(key_of(name), 2) for name in order]
    assert world.arena.rolls.get(DayKey(0, 1)) == expected
    assert world.events(alias_events.RingsDealt) == [alias_events.RingsDealt(0, 1, 2)]
    world.ledger.unbond(signed(account("n2")), 0, 20 * FML)
    world.go_to(2)
    assert {member.key for member in world.arena.rolls.get(DayKey(0, 2))} == {
        key_of("n1"),
        key_of("idle"),
    }
    world.go_to(3)
    assert not world.arena.rolls.contains(DayKey(0, 3))  # the final day takes no submissions


def test_rings_do_not_depend_on_the_order_of_registration() -> None:
    rolls = []
    for names in (NODES, NODES[::-1]):
        world = running()
        for name in names:
            set_ring_key(world, name)
        world.go_to(1)
        rolls.append(world.arena.rolls.get(DayKey(0, 1)))
    assert rolls[0] == rolls[1]
    assert len(rolls[0]) == 3


def test_tasks_and_days_have_rings_of_their_own() -> None:
    orders = {
        tuple(sorted(NODES, key=lambda name: roll_order(randomness, account(name))))
        for task in range(4)
        for day in range(4)
        for randomness in [ring_randomness(GENESIS, task, day, Hash(bytes(32)))]
    }
    assert len(orders) > 3


def test_what_is_not_made_in_the_submit_window_never_is() -> None:
    world = running(*NODES)
    world.arena.config = replace(world.arena.config, steps_per_block=30)
    for _ in range(20):
        world.tasks.create_verified_task(frame.ROOT, account("idle"), terms())
    world.go_to(1, 3)
    dealt = len(list(world.arena.rolls.keys()))
    assert 0 < dealt < 21
    work = world.arena.roll_work.find()
    assert work is not None
    assert (work.day, len(work.tasks)) == (1, 21 - dealt)
    world.go_to(1, 8)
    assert world.arena.roll_work.find() is None
    assert len(list(world.arena.rolls.keys())) < 21


def test_a_task_without_committees_has_few_enough_aliases() -> None:
    world = running(*NODES, seats=0, final_seats=0)
    world.go_to(1)
    assert [member.quota for member in world.arena.rolls.get(DayKey(0, 1))] == [2, 2, 2]
    rings, task = world.arena.rings, world.tasks.get_task(0)
    # Standing submissions and aliases of n nodes fit on a sheet of 1,024 lines.
    for nodes, quota in ((341, 2), (342, 1), (512, 1), (513, 0), (1_000, 0)):
        assert rings._quota(task, 10 * FML, nodes) == quota
        assert nodes * (1 + quota) <= 1_024
    assert rings._quota(task, FML, 3) == 0


# -- rings of a roll


def roll_of(*quotas: int) -> list[RollMember]:
    return [RollMember(n.to_bytes(32, "little"), quota) for n, quota in enumerate(quotas)]


@given(st.lists(st.integers(0, 4), max_size=150), st.integers(0, 4))
def test_rings_are_nearly_equal_parts_of_those_with_quota(quotas: list[int], index: int) -> None:
    roll = roll_of(*quotas)
    members = [member.key for member in roll if member.quota > index]
    count = ring_count(len(members))
    rings = [ring_of(roll, index, ring) for ring in range(count)]
    assert [key for ring in rings for key in ring] == members
    sizes = {len(ring) for ring in rings}
    assert max(sizes, default=1) <= 32
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    assert count == (len(members) + 31) // 32
    assert ring_of(roll, index, count) == ring_of(roll, 5, 0) == []


def test_an_account_finds_its_rings() -> None:
    world = running(*NODES)
    world.go_to(1)
    places = world.arena.rings.places_of(DayKey(0, 1), account("n2"))
    assert places == [RingPlace(0, 0, 3), RingPlace(1, 0, 3)]
    assert key_of("n2") in world.arena.rings.ring_of(DayKey(0, 1), 1, 0)
    for name, day in (("v1", 1), ("n2", 2), ("idle", 1)):
        assert world.arena.rings.places_of(DayKey(0, day), account(name)) == []
    # Of 80 members with two aliases and 20 with one.
    many = roll_of(*([2, 2, 2, 2, 1] * 20))
    world.arena.rolls.put(DayKey(0, 1), [RollMember(key_of("n2"), 2), *many])
    places = world.arena.rings.places_of(DayKey(0, 1), account("n2"))
    assert [(place.index, place.ring) for place in places] == [(0, 0), (1, 0)]
    assert [place.size for place in places] == [25, 27]
