"""Contributed data: recorded once, and used by tasks that follow the model and train on it."""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.frame.errors import ModuleError
from runtime.frame.origin import signed
from runtime.pallets.marketplace import events, records
from runtime.primitives.types import FML
from tests.runtime.pallets.world import World, account, content, new_world, terms

DATASET, MODEL = content("samples"), content("model")


def with_model() -> World:
    """A model that won."""
    world = new_world()
    world.models.record_model(90, MODEL, 0, account("n1"), (1, 2), [])
    return world


def follow(world: World) -> None:
    """A block later: task 0, which follows the model and trains on a contributed set."""
    world.next_block()
    follow_up = terms(training=[content("train"), DATASET], parents=[MODEL])
    world.tasks.create_verified_task(frame.ROOT, account("creator"), follow_up)


def contribute(world: World, name: str, dataset: bytes = DATASET, model: bytes = MODEL) -> None:
    world.market.contribute(signed(account(name)), dataset, model)


def use(world: World, dataset: bytes = DATASET, task: int = 0) -> None:
    world.market.use_contribution(signed(account("n2")), dataset, task)


def test_a_contribution_is_its_owners_and_a_task_uses_it() -> None:
    world = with_model()
    free = world.free("idle")
    contribute(world, "idle")
    assert free - world.free("idle") == FML // 1_000
    follow(world)
    use(world)
    found = world.market.contributions.get(DATASET)
    assert (found.owner, found.model, found.task, found.impact) == (
        *(account("idle"), MODEL, 0, None),
    )
    assert world.market.data_of.get(0) == [DATASET]
    world.next_block()


def test_a_set_is_contributed_once() -> None:
    world = with_model()
    contribute(world, "idle")
    with pytest.raises(events.AlreadyContributed):
        contribute(world, "n1")
    with pytest.raises(events.UnknownModel):
        contribute(world, "n1", content("more"), content("no model"))
    most = [content(f"set {n}") for n in range(records.CONTRIBUTIONS_MAX)]
    world.market.contributed.put(account("n3"), most)
    with pytest.raises(events.TooManyContributions):
        contribute(world, "n3", content("more"))
    world.market.contributed.remove(account("n3"))


def test_only_a_follow_up_that_trains_on_it_uses_a_set() -> None:
    world = with_model()
    with pytest.raises(events.UnknownContribution):
        use(world)
    contribute(world, "idle")
    follow(world)
    with pytest.raises(ModuleError):
        use(world, task=7)
    contribute(world, "idle", content("unused"))
    with pytest.raises(events.NotInUse):
        use(world, content("unused"))
    other = content("other model")
    world.models.record_model(91, other, 0, account("n1"), (1, 2), [])
    contribute(world, "idle", content("train"), other)
    with pytest.raises(events.NotInUse):
        use(world, content("train"))
    use(world)
    with pytest.raises(events.AlreadyUsed):
        use(world)


def test_what_a_task_named_before_is_nobodys_contribution() -> None:
    world = with_model()
    follow(world)
    contribute(world, "idle")
    with pytest.raises(events.ContributedLate):
        use(world)


def test_what_no_task_uses_is_not_measured() -> None:
    world = with_model()
    for _ in range(2):
        with pytest.raises(events.NotInUse):
            world.market.measure_contribution(signed(account("n1")), DATASET, MODEL)
        if not world.market.contributions.contains(DATASET):
            contribute(world, "idle")
