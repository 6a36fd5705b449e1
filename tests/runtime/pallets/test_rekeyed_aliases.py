"""A swap of keys among aliases: nobody can tell whose they are, and nothing of them is lost."""

from __future__ import annotations

from runtime import frame
from runtime.frame.origin import signed
from runtime.primitives.ring_signature import public_key
from tests.runtime.pallets.alias_world import (
    commit_alias,
    open_aliases,
    reveal_alias,
    secret_of,
    set_ring_keys,
    submit_blind,
)
from tests.runtime.pallets.test_rekeying import ONE, TWO, state_of, swap
from tests.runtime.pallets.world import (
    KEY_B,
    MODELS,
    NODES,
    SCORES,
    VALIDATORS,
    World,
    account,
    new_world,
    score,
    terms,
    with_participants,
)

BOTH: dict[str, int | None] = {**SCORES, "better": 960_000_000, "best": 970_000_000}
SAME = dict.fromkeys(VALIDATORS, BOTH)


def blind_world() -> World:
    """Day 1 of a task was played under aliases, and opened."""
    world = new_world(checks=False)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    set_ring_keys(world, NODES)
    submit_blind(world, 1, 0, MODELS)
    return world


def test_swapping_there_and_back_restores_every_byte() -> None:
    world = blind_world()
    score(world, 1, 0, SAME)
    world.go_to(2)
    commit_alias(world, "n1", 0, "better")
    swap(world, account("n1"), ONE)
    first = state_of(world)
    swap(world, ONE.account, TWO)
    assert state_of(world) != first
    swap(world, TWO.account, ONE)
    assert state_of(world) == first
    world.check()


def test_a_node_swaps_though_it_may_have_sealed_an_alias() -> None:
    world = blind_world()
    score(world, 1, 0, SAME)
    world.go_to(2, 1)
    commit_alias(world, "n1", 0, "better")
    commit_alias(world, "n2", 0, "best")
    swap(world, account("n1"), ONE)
    world.check()
    assert world.arena.ring_keys.get(account("n1")) == []
    assert world.arena.rings.acting_key(ONE.account, 2) == public_key(secret_of("n1"))
    world.go_to(2, 8)
    reveal_alias(world, "n1", 0, "better")
    reveal_alias(world, "n2", 0, "best")
    score(world, 2, 0, SAME)
    swap(world, account("n2"), TWO)  # the day is held: it is ranked under the new key
    world.tasks.reveal_key(signed(account("creator")), 0, KEY_B)
    world.go_to(3, 10)
    sheets = {name: sheet for name in VALIDATORS if (sheet := world.sheet(name, 0, BOTH))}
    for name, sheet in sheets.items():
        world.seal_sheet(name, 0, sheet)
    world.go_to(3, 14)
    for name, sheet in sheets.items():
        world.open_sheet(name, 0, sheet)
    world.go_to(3, 17)
    open_aliases(world, "n1", 0, 2, who=ONE.account)
    open_aliases(world, "n2", 0, 2, who=TWO.account)
    world.go_to(4, 1)
    for day in (2, 3):
        ranking = world.arena.views.leaderboard(0, day)
        assert [node.owner for node in ranking] == [TWO.account, ONE.account]
    assert world.models.model_of(0).owner == TWO.account  # type: ignore[union-attr]
    world.check()


def test_a_named_node_of_a_held_day_is_ranked_under_its_new_key() -> None:
    world = new_world(checks=False)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(days=2))
    with_participants(world, 0)
    set_ring_keys(world, NODES)
    world.go_to(1)
    world.commit("n1", 0, "good")
    commit_alias(world, "n2", 0, "fair")
    world.go_to(1, 8)
    world.reveal("n1", 0, "good")
    reveal_alias(world, "n2", 0, "fair")
    score(world, 1, 0, SAME)
    owned = world.owned("n1")
    swap(world, account("n1"), ONE)
    world.go_to(3, 1)
    assert [node.owner for node in world.arena.views.leaderboard(0, 1)] == [ONE.account]
    assert world.balances.free(ONE.account) > owned
    assert world.arena.views.leaderboard(0, 2) == []  # the key of set B did not come
    world.check()
