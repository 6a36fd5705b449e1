"""Random calls over FL Alliance tasks: every invariant holds, and every planck is accounted for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import frame
from runtime.frame.origin import signed
from runtime.pallets.fl_alliance.records import Ballot
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.storage import pot_of
from runtime.pallets.fl_alliance.terms import AllianceParameters
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.fl_alliance.alliance_world import (
    Alliance,
    create,
    finish_arena_task,
    no,
    no_data,
    yes,
)
from tests.runtime.pallets.world import World, account

MEMBERS = tuple("abcdefgh")
NAMES = ("creator", "idle", *MEMBERS)
BALLOTS: tuple[Ballot, ...] = (yes(), no(), yes("other"), no_data(1), no(marks=1))
CHOICES = (0, 0, 0, 0, 1, 1, 1, 2, 3, 4)
LAST_BLOCK = 260
Operation = tuple[int, int, int]
operations = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 7), st.integers(0, 7)), min_size=10, max_size=30
)


def attempt(world: World, call: Callable[[], None]) -> None:
    """As the executive does: a refused call leaves nothing behind."""
    try:
        with world.ext.transaction():
            call()
    except frame.DispatchError:
        return


def disturb(made: Alliance, operation: Operation) -> None:
    """One call, with whatever arguments; it may be refused."""
    kind, first, second = operation
    name, pallet = MEMBERS[first], made.pallet
    who, last = signed(account(name)), max(pallet.runs.get(made.task).opened - 1, 0)
    match kind:
        case 0:
            made.join(name, 1 + second * 100)
        case 1:
            pallet.pause(who, made.task)
        case 2:
            pallet.resume(who, made.task)
        case 3:
            pallet.leave(who, made.task)
        case 4 | 5:
            pallet.claim(who, made.task)
        case 6:
            change = pallet.verify_task if second % 2 else pallet.unverify_task
            change(frame.ROOT, made.task)
        case 7:
            pallet.set_parameters(frame.ROOT, AllianceParameters(Rational(1, 1 + second)))
        case 8:
            receiver = account(NAMES[second])
            amount = made.world.balances.spendable(account(name))
            made.world.balances.transfer(account(name), receiver, amount)
        case 9 if not second:
            pallet.cancel_task(signed(account("creator")), made.task)
        case 10:
            pallet.report(who, made.task, last, second)
        case _:
            pallet.commit_vote(who, made.task, last, account(name))


def act(made: Alliance, prng: Random, diligence: int) -> None:
    """What members would do in this block, each with a chance of `diligence` in 10."""
    progress = made.pallet.progress.find(made.task)
    if progress is None:
        return
    for name in MEMBERS:
        if prng.randrange(10) >= diligence:
            continue
        update = f"{name} {made.pallet.runs.get(made.task).opened}"
        ballot = BALLOTS[CHOICES[Random(update).randrange(len(CHOICES))]]
        calls: dict[Stage, Callable[[], None]] = {
            Stage.CHECK_IN: lambda n=name: made.check_in(n),
            Stage.PROPOSE: lambda n=name, u=update: made.commit_proposal(n, u),
            Stage.DISCLOSE: lambda n=name, u=update: made.reveal_proposal(n, u),
            Stage.REPORT: lambda n=name: made.report(n, progress.mask),
            Stage.VOTE: lambda n=name, b=ballot: made.commit_vote(n, b),
            Stage.OPEN: lambda n=name, b=ballot: made.reveal_vote(n, b),
        }
        if progress.stage in calls:
            attempt(made.world, calls[progress.stage])


def busy_alliances(steps: int) -> list[Alliance]:
    """A self-funded task and a verified one, which all may join; few steps a block."""
    world = World(checks=False)
    world.endow(*NAMES, amount=20_000 * FML)
    world.next_block()
    finish_arena_task(world)
    world.alliance.config = replace(
        world.alliance.config, steps_per_block=steps, kept_rounds=2, kept_days=2
    )
    create(world, 1_000 * FML + 7, rounds=20, days=10, slash=Rational(1, 3), voters_min=1)
    create(world, None, rounds=8, days=8, attributes=True, participation=Rational(2, 3))
    made = [Alliance(world, 1), Alliance(world, 2)]
    for each in made:
        for name in MEMBERS[:6]:
            each.join(name)
    return made


def ensure_ended(made: list[Alliance]) -> None:
    """Once the tasks are over and all is claimed, the pots are empty; nothing was lost."""
    world = made[0].world
    while world.number < LAST_BLOCK:
        world.next_block()
    for each in made:
        assert each.pallet.get_task(each.task).ended is not None
        for name in MEMBERS:
            attempt(world, lambda one=each, n=name: one.pallet.claim(signed(account(n)), one.task))
    world.check()
    assert list(world.alliance.memberships.keys()) == []
    assert list(world.alliance.purses.keys()) == []
    assert [world.balances.free(pot_of(task)) for task in (1, 2)] == [0, 0]
    minted, burned = world.balances.total_minted.get(), world.balances.total_burned.get()
    assert minted == world.emission.minted.get()
    assert world.balances.issuance() == len(NAMES) * 20_000 * FML + minted - burned


def run(sequence: list[Operation], seed: int, steps: int, diligence: int) -> None:
    made, prng = busy_alliances(steps), Random(seed)
    world = made[0].world
    for operation in sequence:
        one = made[operation[2] % 2]
        attempt(world, lambda o=operation, one=one: disturb(one, o))
        for _ in range(operation[1]):
            world.next_block()
            for each in made:
                act(each, prng, diligence)
        world.check()
    ensure_ended(made)


@settings(max_examples=8, deadline=None)
@given(operations, st.integers(0, 2**32), st.integers(1, 60), st.integers(5, 10))
def test_invariants_hold_whatever_is_called(
    sequence: list[Operation], seed: int, steps: int, diligence: int
) -> None:
    run(sequence, seed, steps, diligence)


@pytest.mark.long
@pytest.mark.parametrize("part", range(100))
def test_invariants_hold_over_many_operations(part: int) -> None:
    prng = Random(part)
    for _ in range(10):
        sequence = [(prng.randrange(12), prng.randrange(8), prng.randrange(8)) for _ in range(60)]
        run(sequence, prng.randrange(2**32), prng.randint(1, 60), prng.randint(4, 10))
