"""Bounties as tasks keep them: who may pay when, and how a bounty goes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import frame
from runtime.economy.bounty import PAYERS_MAX, Contribution
from runtime.economy.tasks import TaskStatus
from runtime.frame.origin import signed
from runtime.pallets.tasks import records
from runtime.pallets.tasks.storage import bounty_pot_of
from runtime.pallets.treasury import TREASURY
from runtime.primitives.apportion import apportion
from runtime.primitives.types import FML
from tests.runtime.pallets.world import World, account, new_world, terms

CREATOR = account("creator")


@pytest.fixture
def world() -> World:
    """Block 1 with a verified task of days 1 to 3."""
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, CREATOR, terms())
    return world


def pay(world: World, name: str, amount: int, task: int = 0) -> None:
    world.tasks.add_bounty(signed(account(name)), task, amount)


def test_anybody_pays_more_than_once(world: World) -> None:
    pay(world, "idle", 3 * FML)
    pay(world, "n1", 5 * FML)
    pay(world, "idle", FML)
    assert world.free("idle") == 9_996 * FML
    assert world.balances.free(bounty_pot_of(0)) == 9 * FML
    expected = [Contribution(account("idle"), 4 * FML), Contribution(account("n1"), 5 * FML)]
    assert world.tasks.contributions_of(0) == expected
    info = world.arena.views.task_info(0)
    assert info is not None
    assert info.bounty == 9 * FML
    assert world.events(records.BountyAdded) == [
        records.BountyAdded(0, account("idle"), 3 * FML, 3 * FML),
        records.BountyAdded(0, account("n1"), 5 * FML, 8 * FML),
        records.BountyAdded(0, account("idle"), FML, 9 * FML),
    ]


def test_what_is_refused(world: World) -> None:
    with pytest.raises(records.BountyTooSmall):
        pay(world, "idle", FML - 1)
    with pytest.raises(records.InsufficientFunds):
        pay(world, "idle", 10_000 * FML)
    with pytest.raises(records.UnknownTask):
        pay(world, "idle", FML, task=1)
    pay(world, "idle", 9_999 * FML)
    world.tasks.cancel_task(signed(CREATOR), 0)
    with pytest.raises(records.TaskNotLive):
        pay(world, "n1", FML)


def test_payers_are_bounded(world: World) -> None:
    for index in range(PAYERS_MAX):
        name = f"payer {index}"
        world.balances.transfer(account("idle"), account(name), 3 * FML)
        pay(world, name, FML)
    with pytest.raises(records.TooManyPayers):
        pay(world, "n1", FML)
    pay(world, "payer 7", FML)
    assert sum(each.amount for each in world.tasks.contributions_of(0)) == 65 * FML


def test_a_bounty_is_taken_until_the_final_draw(world: World) -> None:
    world.go_to(3, 9)
    pay(world, "idle", FML)
    world.next_block()
    with pytest.raises(records.BountyTooLate):
        pay(world, "idle", FML)


@pytest.mark.parametrize("a_block", [1, 2, 32])
def test_a_cancelled_tasks_bounty_goes_back_some_payers_a_block(world: World, a_block: int) -> None:
    world.tasks.config = replace(world.tasks.config, returns_per_block=a_block)
    names = ("idle", "n1", "n2")
    for name, amount in zip(names, (3 * FML, FML, 2 * FML + 1), strict=True):
        pay(world, name, amount)
    world.tasks.cancel_task(signed(CREATOR), 0)
    world.check()
    blocks = 0
    while world.tasks.returning.get():
        world.next_block()
        blocks += 1
    assert blocks == -(-3 // a_block)
    assert [world.free(name) for name in names] == [10_000 * FML] * 3
    assert list(world.tasks.bounties.keys()) == []
    assert world.balances.free(bounty_pot_of(0)) == 0
    assert world.events(records.BountyReturned)[2] == records.BountyReturned(
        0, account("n2"), account("n2"), 2 * FML + 1
    )


def test_tasks_are_returned_in_the_order_of_their_ends(world: World) -> None:
    world.tasks.config = replace(world.tasks.config, returns_per_block=2)
    world.tasks.create_verified_task(frame.ROOT, CREATOR, terms())
    for task in (0, 1):
        pay(world, "idle", FML, task)
        pay(world, "n1", FML, task)
        pay(world, "n2", FML, task)
    for task in (1, 0):
        world.tasks.cancel_task(signed(CREATOR), task)
    order = []
    for _ in range(3):
        world.next_block()
        order.append([(e.task, e.payer[:2]) for e in world.events(records.BountyReturned)])  # type: ignore[attr-defined]
    assert order[0] == [(1, b"id"), (1, b"n1")]
    assert order[1][2:] == [(1, b"n2"), (0, b"id")]
    assert order[2][4:] == [(0, b"n1"), (0, b"n2")]


def test_a_failed_tasks_bounty_goes_back(world: World) -> None:
    pay(world, "idle", 7 * FML)
    world.go_to(4, 1)
    assert world.tasks.get_task(0).status is TaskStatus.FAILED
    assert world.free("idle") == 10_000 * FML
    assert world.arena.bounty_results.get(0).for_nodes == 0


def test_a_reaped_payers_part_is_the_treasurys(world: World) -> None:
    minimum = world.balances.config.existential_deposit
    pay(world, "idle", FML)
    pay(world, "n1", 10 * FML)
    # As if nearly all had been paid out: the rest is below what an account may hold.
    bounty = world.tasks.bounties.get(0)
    world.tasks.bounties.put(0, replace(bounty, left=2 * minimum))
    world.balances.transfer(bounty_pot_of(0), account("n2"), 11 * FML - 2 * minimum)
    world.balances.transfer(account("idle"), account("n2"), world.free("idle"), keep_alive=False)
    world.tasks.cancel_task(signed(CREATOR), 0)
    world.next_block()
    small, large = apportion(2 * minimum, [1, 10])
    assert world.balances.free(TREASURY) == small
    assert world.free("n1") == 9_990 * FML + large
    assert world.events(records.BountyReturned) == [
        records.BountyReturned(0, account("idle"), TREASURY, small),
        records.BountyReturned(0, account("n1"), account("n1"), large),
    ]
