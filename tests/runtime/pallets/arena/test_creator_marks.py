"""What speaks for a task creator: rewards that training or validation paid, or the DAO's word."""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.frame.errors import BadOrigin
from runtime.frame.origin import signed
from runtime.pallets.tasks.records import CreatorAttested
from tests.runtime.pallets.arena.test_verified_task import play
from tests.runtime.pallets.world import account, new_world


def test_paid_nodes_and_validators_are_marked_and_nobody_else() -> None:
    world = play()
    marked = sorted(who.rstrip(b".").decode() for who, _ in world.tasks.rewarded.items())
    assert set(marked) >= {"n1", "n2"}
    assert set(marked) <= {"n1", "n2", "v1", "v2", "v3"}  # n3 was never above the baseline


def test_the_dao_attests_and_takes_it_back() -> None:
    world, who = new_world(), account("idle")
    with pytest.raises(BadOrigin):
        world.tasks.attest_creator(signed(who), who, True)
    world.tasks.attest_creator(frame.ROOT, who, True)
    assert world.tasks.attested.get(who)
    world.tasks.attest_creator(frame.ROOT, who, False)
    assert list(world.tasks.attested.keys()) == []
    assert world.events(CreatorAttested) == [
        CreatorAttested(who, True),
        CreatorAttested(who, False),
    ]
