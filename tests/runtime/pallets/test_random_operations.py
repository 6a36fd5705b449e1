"""Random calls and blocks over the economic pallets: every invariant after every block and call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import frame
from runtime.economy.tasks import Role
from runtime.frame.origin import signed
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import DayKey
from runtime.primitives.rational import Rational
from runtime.primitives.ring_signature import public_key
from runtime.primitives.types import FML
from tests.runtime.pallets.alias_world import (
    commitment,
    open_aliases,
    reveal_alias,
    secret_of,
    set_ring_key,
    set_ring_keys,
    share_as_alias,
    unsigned,
)
from tests.runtime.pallets.market_moves import act_market, add_models, serve_honestly
from tests.runtime.pallets.world import (
    KEY_B,
    NODES,
    SCORES,
    VALIDATORS,
    World,
    account,
    new_world,
    terms,
    with_participants,
)
from tests.runtime.pallets.world import (
    MODELS as MODEL_OF,
)

NAMES = ("creator", "idle", *NODES, *VALIDATORS)
MODELS = sorted(SCORES)
AMOUNTS = (0, 1, FML, 7 * FML + 3, 30 * FML, 100 * FML, 9_000 * FML)

LAST_BLOCK = 100  # the tasks' four days and one
LONG_PARTS, PART_OPERATIONS = 100, 10_000
WORLD_OPERATIONS = 200  # two for each block; every invariant after each of them
MARKET_KINDS = 6
KINDS = 22 + MARKET_KINDS
Operation = tuple[int, int, int, int]
operations = st.lists(
    st.tuples(st.integers(0, KINDS - 1), st.integers(0, 7), st.integers(0, 7), st.integers(0, 6)),
    min_size=10,
    max_size=40,
)


def act(world: World, operation: Operation) -> None:
    """One call, with whatever arguments; it may be refused."""
    kind, first, second, third = operation
    name, other, amount = NAMES[first], NAMES[second], AMOUNTS[third]
    task, who, peer = third % 3, signed(account(name)), account(other)
    model = MODELS[second % 3]
    match kind:
        case 0 | 1:
            world.commit(name, task, model)
        case 2 | 3:
            world.reveal(name, task, model)
        case 4 | 5:
            scores: dict[str, int | None] = {**SCORES, model: None if third == 1 else third * 10**8}
            seal_or_open(world, name, task, scores)
        case 6:
            role = (Role.TRAINING_NODE, Role.TASK_VALIDATOR, Role.CREATOR)[second % 3]
            world.register(name, task, role, amount)
        case 7:
            world.ledger.bond_extra(who, second % 3, amount)
        case 8:
            world.ledger.unbond(who, second % 3, amount)
        case 9:
            world.ledger.free_unbonded(who, task, peer)
        case 10:
            world.ledger.delegate(who, third % 2, peer, amount)
        case 11:
            world.ledger.undelegate(who, third % 2, peer, amount)
        case 12:
            world.tasks.reveal_key(signed(account("creator")), task, KEY_B)
        case 14:
            world.tasks.set_share_ratio(who, task, Rational.reduced(second, 7))
        case 15:
            change = world.tasks.verify_task if second % 2 else world.tasks.unverify_task
            change(frame.ROOT, task)
        case 17 | 18 | 19 | 20 | 21:
            act_blind(world, operation)
        case _ if kind >= KINDS - MARKET_KINDS:
            act_market(world, KINDS - 1 - kind, (name, other), third)
        case 16:
            world.tasks.add_bounty(who, task, amount)
        case _:
            if third:
                world.balances.transfer(account(name), peer, amount)
            else:
                world.tasks.cancel_task(who, second % 3)


def act_blind(world: World, operation: Operation) -> None:
    """A call of aliases or keys."""
    kind, first, second, third = operation
    name, model, task = NAMES[first], MODELS[second % 3], third % 3
    match kind:
        case 17:
            commit_as_alias(world, name, task, model, third % 2)
        case 18:
            reveal_alias(world, name, task, model)
        case 19 if third % 2:
            world.share(name, task, second)
        case 19:
            share_as_alias(world, name, task, model, second)
        case 20:
            day = max(world.arena.today() - second % 2, 0)
            open_aliases(world, name, task, day, count=2 - (third == 6))
        case _:
            set_ring_key(world, name, secret_of(NAMES[second]))


def commit_as_alias(world: World, name: str, task: int, model: str, index: int) -> None:
    key = DayKey(task, world.arena.today())
    if len(world.arena.rings.places_of(key, account(name))) > index:
        acting = world.arena.rings.acting_key(account(name), key.day)
        secret = next(s for s in map(secret_of, NAMES) if public_key(s) == acting)
        made = commitment(world, name, task, model, index, secret)
        unsigned(world, Arena.commit_alias, *made.arguments())


def seal_or_open(world: World, name: str, task: int, scores: dict[str, int | None]) -> None:
    hidden = {f"hidden {task} {day}": 800_000_000 + day for day in range(8)}
    sheet = world.sheet(name, task, {**hidden, **scores})
    if world.number % 20 < 14:
        world.seal_sheet(name, task, sheet)
    else:
        world.open_sheet(name, task, sheet)


def play_honestly(world: World) -> None:
    """What participants would do in this block, as far as the disturbances let them."""
    position = world.number % 20
    for task in (0, 1):
        for name, model in MODEL_OF.items():
            if position in (0, 8):
                attempt(
                    world,
                    lambda n=name, m=model, t=task: (
                        world.commit(n, t, m) if position == 0 else world.reveal(n, t, m)
                    ),
                )
        play_as_alias(world, task, position)
        for name in VALIDATORS:
            if position in (13, 14):
                attempt(world, lambda n=name, t=task: seal_or_open(world, n, t, SCORES))
    attempt(world, lambda: serve_honestly(world))
    if position == 1:
        creator = signed(account("creator"))
        for task in (0, 1):
            attempt(world, lambda t=task: world.tasks.reveal_key(creator, t, KEY_B))


def play_as_alias(world: World, task: int, position: int) -> None:
    """n3 submits once more under an alias, hands its key out, and opens it."""
    today, name, model = world.arena.today(), "n3", f"hidden {task} {world.arena.today()}"
    for when, call in (
        (3, lambda: commit_as_alias(world, name, task, model, 0)),
        (9, lambda: reveal_alias(world, name, task, model)),
        (12, lambda: world.share("n1", task, 0)),
        (17, lambda: open_aliases(world, name, task, today)),
        (17, lambda: open_aliases(world, name, task, max(today - 1, 0))),
    ):
        if position == when:
            attempt(world, call)


def attempt(world: World, call: Callable[[], None]) -> bool:
    """As the executive does: a refused call leaves nothing behind. Whether it was taken."""
    try:
        with world.ext.transaction():
            call()
    except (frame.DispatchError, frame.InvalidTransaction):
        return False
    return True


def busy_world(steps: int) -> World:
    """Two tasks with participants; a block settles so many steps, squared."""
    world = new_world(checks=False)
    world.arena.config = replace(world.arena.config, steps_per_block=steps * steps)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    world.tasks.create_task(
        signed(account("creator")),
        terms(seats=0, final_seats=0, days=2, duplicate_distance=16),
        77 * FML + 1,
    )
    with_participants(world, 0)
    with_participants(world, 1)
    set_ring_keys(world, NODES)
    add_models(world)
    return world


def go_on(world: World, blocks: int) -> None:
    """So many blocks more, as far as the tasks last."""
    for _ in range(min(blocks, LAST_BLOCK - world.number)):
        world.next_block()
        play_honestly(world)


@settings(max_examples=12, deadline=None)
@given(operations, st.integers(1, 12))
def test_invariants_hold_whatever_is_called(sequence: list[Operation], steps: int) -> None:
    world = busy_world(steps)
    for operation in sequence:
        attempt(world, lambda one=operation: act(world, one))
        go_on(world, operation[3])
        world.check()
    ensure_ended(world)


@pytest.mark.long
@pytest.mark.parametrize("part", range(LONG_PARTS))
def test_invariants_hold_over_a_million_operations(part: int) -> None:
    """A million operations; `-k` chooses as many parts as there is time for."""
    prng = Random(part)
    for _ in range(PART_OPERATIONS // WORLD_OPERATIONS):
        world = busy_world(prng.randint(1, 12))
        for index in range(WORLD_OPERATIONS):
            one = prng.randrange(KINDS), prng.randrange(8), prng.randrange(8), prng.randrange(7)
            before = world.ext.changes()
            if attempt(world, lambda one=one, world=world: act(world, one)):
                world.check()
            else:
                assert world.ext.changes() == before
            if index % 2:
                go_on(world, 1)
                world.check()
        ensure_ended(world)


def ensure_ended(world: World) -> None:
    """Once the tasks' days are over nothing is owed, and every unit is accounted for."""
    while world.number < LAST_BLOCK + 19:
        world.next_block()
        play_honestly(world)
    world.check()
    assert world.tasks.live.get() == world.tasks.returning.get() == []
    assert list(world.tasks.bounties.keys()) == []
    minted, burned = world.balances.total_minted.get(), world.balances.total_burned.get()
    assert minted == world.emission.minted.get()
    assert world.balances.issuance() == 8 * 10_000 * FML + minted - burned
