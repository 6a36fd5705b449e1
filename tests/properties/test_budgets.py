"""How many steps a block may take changes when something happens, and nothing of what happens."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

import pytest

from runtime import frame
from runtime.constants import DEVNET
from runtime.economy.calendar import Calendar
from runtime.economy.tasks import Role, TaskStatus
from runtime.frame.origin import signed
from runtime.pallets.arena.records import Fingerprinted, GivenScore, NoData, Score, Verdict
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.alias_world import (
    commit_alias,
    open_aliases,
    reveal_alias,
    set_ring_keys,
)
from tests.runtime.pallets.world import (
    KEY_B,
    NODES,
    VALIDATORS,
    World,
    account,
    content,
    terms,
)

UNLIMITED: Final = 2**32 - 1
BACKERS: Final = [f"d{index}" for index in range(9)]
PAYERS: Final = ("creator", "idle", *NODES, *VALIDATORS, *BACKERS)
DAYS: Final = 3  # of a task: the second is held if somebody hides, the third completes it
# Windows that leave a budget of one step the blocks that it takes.
ROOMY: Final = Calendar(440, 60, 62, 150, 155, 160)
# A settlement that must end in the block in which the next submit window does.
LATE: Final = Calendar(220, 60, 62, 150, 155, 218)


def run(calendar: Calendar, steps: int, seed: int) -> tuple[World, list[int]]:
    """Two tasks from creation to their end and until their records are dropped."""
    preset = replace(DEVNET, calendar=calendar, kept_days=2)
    world = World(preset=preset, checks=False)
    world.endow(*PAYERS)
    world.arena.config = replace(world.arena.config, steps_per_block=steps)
    world.next_block()
    for task, changes in enumerate(
        ({"duplicate_distance": 4}, {"seats": 0, "final_seats": 0, "duplicate_distance": None})
    ):
        made = terms(days=DAYS, **changes)
        if task:
            world.tasks.create_task(signed(account("creator")), made, 3_000 * FML + 2)
        else:
            world.tasks.create_verified_task(frame.ROOT, account("creator"), made)
        _join(world, task)
    set_ring_keys(world, NODES)
    used = _watched(world)
    prng = Random(seed)
    for day in range(1, DAYS + 1):
        _play(world, day, prng)
    world.go_to(DAYS + 4, calendar.submit_end)
    world.check()
    return world, used


def _watched(world: World) -> list[int]:
    """The steps of every block from now on, as they come."""
    used: list[int] = []
    on_block, calendar = world.arena.working.on_block, world.preset.calendar

    def watch(number: int) -> int:
        used.append(on_block(number))
        if calendar.position_of(number) == calendar.submit_end:
            cursor = world.arena.cursor.find()
            assert cursor is None, f"work of day {cursor.job.day} is late in block {number}"
        return used[-1]

    world.arena.working.on_block = watch  # type: ignore[method-assign]
    return used


def _join(world: World, task: int) -> None:
    world.tasks.add_bounty(signed(account("idle")), task, 7 * FML)
    for name in NODES:
        world.register(name, task, Role.TRAINING_NODE, 20 * FML)
    for index, name in enumerate(VALIDATORS):
        world.register(name, task, Role.TASK_VALIDATOR, 100 * (index + 1) * FML)
    for index, name in enumerate(BACKERS):
        behind = ("n1", "n2", "v3")[index % 3]
        world.ledger.delegate(signed(account(name)), task, account(behind), (index + 1) * FML)
    world.tasks.set_share_ratio(signed(account("n1")), task, Rational(1, 2))


def _play(world: World, day: int, prng: Random) -> None:
    calendar = world.preset.calendar
    hiding = [(task, name) for task in (0, 1) for name in NODES if prng.randrange(2)]
    silent = prng.choice(("", "v2", "v3"))
    if calendar == LATE:
        silent = ""  # a slash counts in the stakes from the day on after it was made
    world.go_to(day, calendar.submit_end - 1)
    if day < DAYS:
        for task in (0, 1):
            for name in NODES:
                world.commit(name, task, f"{name} {task} {day}")
        for task, name in hiding:
            commit_alias(world, name, task, f"{name} hides {task} {day}")
    world.go_to(day, calendar.submit_end)
    if day < DAYS:
        for task in (0, 1):
            for name in NODES:
                world.reveal(name, task, f"{name} {task} {day}")
        for task, name in hiding:
            reveal_alias(world, name, task, f"{name} hides {task} {day}")
    else:
        for task in (0, 1):
            world.tasks.reveal_key(signed(account("creator")), task, KEY_B)
    _score(world, day, silent, prng)
    world.go_to(day, calendar.score_reveal_end)
    opened = {DAYS: DAYS - 1}.get(day, day)
    if day != DAYS - 1:
        for task in (0, 1):
            for name in NODES:
                if _can_open(world, name, task, opened):
                    open_aliases(world, name, task, opened)


def _can_open(world: World, name: str, task: int, day: int) -> bool:
    """Whether the node hid something that day, and does not forget to open it."""
    found = world.arena.submissions.items_of(task)
    hidden = {content(f"{name} hides {task} {day}")}
    return name != "n3" and any(made.content in hidden for _, made in found)


def _score(world: World, day: int, silent: str, prng: Random) -> None:
    calendar = world.preset.calendar
    sheets = {}
    world.go_to(day, calendar.commit_end - 1)
    for task in (0, 1):
        compares = world.tasks.get_task(task).terms.duplicate_distance is not None
        for name in VALIDATORS:
            given = []
            for todo in world.arena.views.to_score(task, day, account(name)):
                quality = todo.content[0] * 3_000_000 + prng.randrange(10**6)
                verdict: Verdict = (
                    Fingerprinted(quality, todo.content[1] % 4) if compares else Score(quality)
                )
                given.append(
                    GivenScore(todo.submission, verdict if prng.randrange(9) else NoData())
                )
            if given:
                sheets[name, task] = given
                if silent != "v2" or name != "v2":
                    world.seal_sheet(name, task, given)
    world.go_to(day, calendar.commit_end)
    for (name, task), given in sheets.items():
        if name != silent:
            world.open_sheet(name, task, given)


def state_of(world: World) -> dict[bytes, bytes]:
    """All that is stored, but for the block in which a consensus model was recorded."""
    for task, model in list(world.models.models.items()):
        world.models.models.put(task, replace(model, block=0))
    top = {**world.state.top, **world.ext.changes()}
    return {key: value for key, value in top.items() if value is not None}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("calendar", [ROOMY, LATE], ids=["roomy", "late"])
def test_the_state_does_not_depend_on_the_budget_of_a_block(calendar: Calendar, seed: int) -> None:
    whole, _ = run(calendar, UNLIMITED, seed)
    assert whole.tasks.get_task(0).status is TaskStatus.COMPLETED
    assert whole.arena.submissions.find((0, 0)) is None  # the records are dropped
    expected = state_of(whole)
    for steps in (1, 7, 400):
        world, _ = run(calendar, steps, seed)
        assert state_of(world) == expected, steps


def test_no_block_takes_more_steps_than_it_may() -> None:
    for steps, piece in ((400, 0), (7, 64)):  # the largest piece is the end of a day's task
        _, used = run(ROOMY, steps, 1)
        reading = 4  # a roster
        assert steps <= max(used) <= max(steps, piece) + reading
