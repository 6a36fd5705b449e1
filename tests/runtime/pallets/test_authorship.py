"""Authorship: who is silent for long is chilled, unless it is the network that is silent."""

from __future__ import annotations

from runtime.pallets.authorship import SomeOffline
from tests.runtime.pallets.staking.stake_world import STAKE, VALIDATORS, StakeWorld, account


def until(world: StakeWorld, number: int, authors: list[str]) -> None:
    while world.number < number:
        world.block(authors[world.number % len(authors)])


def test_a_silent_member_is_chilled_and_keeps_its_stake() -> None:
    world = StakeWorld()
    until(world, 20, [*VALIDATORS])
    until(world, 170, ["v1", "v2", "v3"])
    assert world.events(SomeOffline) == []
    until(world, 250, ["v1", "v2", "v3"])
    assert world.events(SomeOffline) == [SomeOffline([account("v4")])]
    assert world.bonded("v4") == STAKE
    assert world.acting() == ["v1", "v2", "v3"]
    assert not world.authorship.last_block.contains(account("v4"))


def test_when_most_are_silent_nobody_is_chilled() -> None:
    world = StakeWorld()
    until(world, 20, [*VALIDATORS])
    until(world, 400, ["v1", "v2"])
    assert world.events(SomeOffline) == []
    assert world.acting() == [*VALIDATORS]


def test_when_all_were_down_nobody_is_chilled_or_slashed() -> None:
    world = StakeWorld()
    until(world, 20, [*VALIDATORS])
    world.block("v1", slot=world.slot + 10_000)
    until(world, 60, [*VALIDATORS])
    assert world.events(SomeOffline) == []
    assert [world.bonded(name) for name in VALIDATORS] == [STAKE] * 4


def test_who_comes_is_awaited_from_then_on() -> None:
    world = StakeWorld()
    world.block()
    world.become_candidate("c1", 2 * STAKE)
    until(world, 165, ["v1", "v2", "v3"])
    assert "c1" in world.acting()
    assert account("c1") not in [who for e in world.events(SomeOffline) for who in e.offline]  # type: ignore[attr-defined]
    assert world.authorship.author() is not None
    assert world.authorship.fee_receiver() == world.staking.fee_receiver(account("v1"))
