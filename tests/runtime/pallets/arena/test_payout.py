"""Payments over several blocks: operators whose delegators do not fit into one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from runtime import frame
from runtime.constants import DEVNET
from runtime.economy.calendar import Calendar
from runtime.frame.origin import signed
from runtime.pallets.arena import events
from runtime.pallets.arena.payout import DIVIDE_STEPS, PART_STEPS
from runtime.pallets.arena.records import DayKey, PaymentKind
from runtime.pallets.arena.storage import pot_of
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.arena.test_verified_task import SAME
from tests.runtime.pallets.world import (
    MODELS,
    NODES,
    VALIDATORS,
    World,
    account,
    submit,
    terms,
    with_participants,
)

LONG = replace(DEVNET, calendar=Calendar(120, 8, 10, 14, 17, 18))
BACKERS = [f"d{index}" for index in range(12)]


def delegated() -> World:
    """Day 1 until its settlement; twelve delegate to the node that will be first."""
    world = World(preset=LONG)
    world.endow("creator", "idle", *NODES, *VALIDATORS, *BACKERS)
    world.next_block()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    for index, name in enumerate(BACKERS, 1):
        world.ledger.delegate(signed(account(name)), 0, account("n1"), index * FML)
    world.tasks.set_share_ratio(signed(account("n1")), 0, Rational(1, 2))
    submit(world, 1, 0, MODELS)
    world.go_to(1, 10)
    sheets = {name: sheet for name in VALIDATORS if (sheet := world.sheet(name, 0, SAME[name]))}
    for name, sheet in sheets.items():
        world.seal_sheet(name, 0, sheet)
    world.go_to(1, 14)
    for name, sheet in sheets.items():
        world.open_sheet(name, 0, sheet)
    world.go_to(1, 17)
    return world


def paid_to(world: World) -> list[tuple[str, int]]:
    """Who got what of the first node's reward, in the order of payments."""
    return [
        (world.name_of(event.who), event.amount)  # type: ignore[attr-defined]
        for event in world.events(events.Paid)
        if event.operator == account("n1") and event.kind is PaymentKind.REWARD_A  # type: ignore[attr-defined]
    ]


@pytest.mark.parametrize("receivers", [1, 5])
def test_an_operator_is_paid_receiver_by_receiver(receivers: int) -> None:
    whole, slow = delegated(), delegated()
    whole.go_to(2)
    assert len(paid_to(whole)) == 1 + len(BACKERS)
    steps = PART_STEPS * receivers + 3  # to read what is to be paid
    slow.arena.config = replace(slow.arena.config, steps_per_block=steps)
    while not slow.arena.unpaid.exists():
        slow.next_block()
    left, key = [], DayKey(0, 1)
    while slow.arena.unpaid.exists() and slow.arena.cursor.get().paid == 0:
        cursor, parts = slow.arena.cursor.get(), slow.arena.unpaid.get()
        payment = slow.arena.payments.get(key)[cursor.paid]
        assert payment.operator == account("n1")
        left.append(len(parts))
        owed = sum(part.amount for part in parts)
        assert owed + sum(amount for _, amount in paid_to(slow)) == payment.amount
        assert slow.balances.free(pot_of(0)) >= owed + slow.arena.vested.get(0)
        slow.next_block()  # every invariant is checked
    assert {before - after for before, after in pairwise(left)} <= {receivers}
    slow.go_to(2)
    assert paid_to(slow) == paid_to(whole)
    assert not slow.arena.unpaid.exists()
    names = (*NODES, *VALIDATORS, *BACKERS)
    assert [slow.owned(name) for name in names] == [whole.owned(name) for name in names]


def test_a_division_that_does_not_fit_waits_for_the_next_block() -> None:
    world = delegated()
    backers = 1 + len(BACKERS)
    assert world.ledger.backers_of(0, account("n1")) == backers
    world.arena.config = replace(world.arena.config, steps_per_block=DIVIDE_STEPS * backers - 1)
    while not world.arena.unpaid.exists():
        assert paid_to(world) == []
        world.next_block()
    assert len(world.arena.unpaid.get()) == backers  # the block's first piece, and its only one
