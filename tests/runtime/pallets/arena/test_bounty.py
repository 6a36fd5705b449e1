"""A bounty at a task's completion: who gets which part of it, to the planck."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import frame
from runtime.economy.parameters import ArenaParameters
from runtime.economy.tasks import Hardware, Role
from runtime.frame.origin import signed
from runtime.pallets.arena.records import BountyResult, DayKey, PaymentKind
from runtime.pallets.arena.shares import floor_shares, keep_best
from runtime.pallets.arena.storage import pot_of
from runtime.pallets.tasks import records
from runtime.pallets.tasks.storage import bounty_pot_of
from runtime.primitives.apportion import apportion
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.arena.test_verified_task import SAME, paid
from tests.runtime.pallets.world import (
    MODELS,
    VALIDATORS,
    World,
    account,
    new_world,
    open_key,
    score,
    submit,
    terms,
    with_participants,
)

BOUNTY = 90 * FML + 1
TRAINING, VALIDATION = PaymentKind.BOUNTY_TRAINING, PaymentKind.BOUNTY_VALIDATION
BELOW = dict.fromkeys(VALIDATORS, dict.fromkeys(("good", "fair", "noise"), 100_000_000))


def started(**changes: object) -> World:
    """Day 1, everything revealed, with a bounty of two payers."""
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(**changes))
    with_participants(world, 0)
    world.tasks.add_bounty(signed(account("idle")), 0, 60 * FML)
    world.tasks.add_bounty(signed(account("v1")), 0, 30 * FML + 1)
    submit(world, 1, 0, MODELS)
    return world


def play(world: World) -> World:
    """Three days on which everybody agrees."""
    score(world, 1, 0, SAME)
    score(world, 2, 0, SAME)
    open_key(world, 3, 0)
    score(world, 3, 0, SAME)
    world.go_to(4, 2)
    return world


def test_nodes_share_like_reward_b_and_validators_by_all_days() -> None:
    world = play(started())
    nodes, validators = apportion(BOUNTY, [1, 1])
    weights = [20 * 10, 17 * 20]
    assert paid(world, TRAINING) == paid(world, TRAINING, 3)
    assert paid(world, TRAINING) == dict(zip(("n1", "n2"), apportion(nodes, weights), strict=True))
    sums = dict.fromkeys(VALIDATORS, 0)
    for day in (1, 2, 3):
        jurors = world.arena.day_results.get(DayKey(0, day)).jurors
        for juror, share in zip(jurors, floor_shares([j.share for j in jurors]), strict=True):
            sums[juror.account.rstrip(b".").decode()] += share
    parts = apportion(validators, list(sums.values()))
    assert paid(world, VALIDATION) == dict(zip(VALIDATORS, parts, strict=True))
    assert world.balances.free(bounty_pot_of(0)) == world.balances.free(pot_of(0)) == 0
    assert list(world.tasks.bounties.keys()) == [] == world.events(records.BountyReturned)
    result = world.arena.bounty_results.get(0)
    assert result == BountyResult(result.payers, 3 * 40 * FML, 3 * 600 * FML, nodes, validators)
    assert sum(each.amount for each in result.payers) == BOUNTY


def test_gamma_divides_by_the_stakes_of_all_days() -> None:
    world = new_world()
    world.tasks.set_parameters(frame.ROOT, ArenaParameters(gamma=Rational(0, 1)))
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(days=2))
    with_participants(world, 0)
    world.tasks.add_bounty(signed(account("idle")), 0, BOUNTY)
    submit(world, 1, 0, MODELS)
    world.ledger.bond_extra(signed(account("n1")), 0, 900 * FML)  # counts on the last day only
    score(world, 1, 0, SAME)
    open_key(world, 2, 0)
    score(world, 2, 0, SAME)
    nodes, validators = apportion(BOUNTY, [40 + 940, 600 + 600])
    assert sum(paid(world, TRAINING).values()) == nodes
    assert sum(paid(world, VALIDATION).values()) == validators


def test_only_the_best_validators_of_a_day_share() -> None:
    world = new_world()
    rules = ArenaParameters(paid_validators_max=1)
    world.tasks.set_parameters(frame.ROOT, rules)
    world.tasks.create_verified_task(
        frame.ROOT, account("creator"), terms(days=2, seats=0, final_seats=0)
    )
    with_participants(world, 0)
    world.tasks.add_bounty(signed(account("idle")), 0, BOUNTY)
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    open_key(world, 2, 0)
    score(world, 2, 0, SAME)
    assert paid(world, VALIDATION) == {"v3": apportion(BOUNTY, [1, 1])[1]}
    jurors = world.arena.day_results.get(DayKey(0, 2)).jurors
    assert sum(part > 0 for part in keep_best([juror.share for juror in jurors], 1)) == 1


def test_if_the_final_day_ranks_nobody_nodes_share_by_their_earlier_days() -> None:
    world = started()
    score(world, 1, 0, SAME)
    score(world, 2, 0, SAME)
    world.go_to(4, 2)  # no key
    weights = [20 * 10, 17 * 20]
    nodes = apportion(BOUNTY, [1, 1])[0]
    daily = floor_shares(weights)
    assert paid(world, TRAINING, 3) == dict(
        zip(("n1", "n2"), apportion(nodes, [2 * share for share in daily]), strict=True)
    )


def test_a_part_without_anybody_goes_back_pro_rata() -> None:
    world = started()
    owned = [world.owned("idle"), world.owned("n1"), world.owned("n2")]
    score(world, 1, 0, BELOW)  # nobody beats the baseline, the validators are paid
    world.go_to(4, 2)
    nodes, validators = apportion(BOUNTY, [1, 1])
    assert sum(paid(world, VALIDATION).values()) == validators
    assert paid(world, TRAINING) == {}
    back = apportion(nodes, [60 * FML, 30 * FML + 1])
    assert world.owned("idle") == owned[0] + back[0]
    assert [world.owned("n1"), world.owned("n2")] == owned[1:]
    assert [event.amount for event in world.events(records.BountyReturned)] == back  # type: ignore[attr-defined]


def test_delegators_share_by_the_stakes_of_all_days() -> None:
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(days=2))
    ratio = Rational(1, 2)
    for name, role, stake in (("n1", Role.TRAINING_NODE, 10), ("v1", Role.TASK_VALIDATOR, 400)):
        world.tasks.register(
            signed(account(name)), 0, role, stake * FML, ratio, Hardware(memory_gib=8)
        )
    world.set_sealing_key("v1")
    world.ledger.delegate(signed(account("idle")), 0, account("n1"), 10 * FML)
    world.ledger.delegate(signed(account("n3")), 0, account("v1"), 100 * FML)
    world.tasks.add_bounty(signed(account("n2")), 0, 40 * FML)
    submit(world, 1, 0, {"n1": "good"})
    world.ledger.delegate(signed(account("idle")), 0, account("n1"), 20 * FML)
    alone = {"v1": SAME["v1"]}
    score(world, 1, 0, alone)
    open_key(world, 2, 0)
    score(world, 2, 0, alone)
    # Sums of two days: n1 has 20 of 60, idle 10 + 30; v1 has 800 of 1,000, n3 200.
    assert paid(world, TRAINING) == {
        "idle": apportion(20 * FML, [4, 2])[1],
        "n1": apportion(20 * FML, [4, 2])[0],
    }
    assert paid(world, VALIDATION) == {"n3": 2 * FML, "v1": 18 * FML}


@pytest.mark.parametrize("steps", [1, 3])
def test_the_bounty_does_not_depend_on_the_budget_of_a_block(steps: int) -> None:
    outcomes = []
    for budget in (steps, 1_000):
        world = started()
        score(world, 1, 0, SAME)
        score(world, 2, 0, SAME)
        open_key(world, 3, 0)
        world.go_to(3, 10)
        sheets = {name: world.sheet(name, 0, SAME[name]) for name in VALIDATORS}
        for name, sheet in sheets.items():
            world.seal_sheet(name, 0, sheet)
        world.go_to(3, 14)
        for name, sheet in sheets.items():
            world.open_sheet(name, 0, sheet)
        world.arena.config = replace(world.arena.config, steps_per_block=budget)
        world.go_to(5)
        outcomes.append([world.owned(name) for name in ("idle", *MODELS, *VALIDATORS)])
    assert outcomes[0] == outcomes[1]


def test_records_are_dropped_with_the_days() -> None:
    world = started(days=2)
    world.arena.config = replace(world.arena.config, kept_days=2)
    score(world, 1, 0, SAME)
    open_key(world, 2, 0)
    score(world, 2, 0, SAME)
    assert world.arena.bounty_results.contains(0)
    assert len(list(world.arena.validator_records.items_of(0))) == 3
    world.go_to(5)
    assert list(world.arena.bounty_results.keys()) == []
    assert list(world.arena.validator_records.keys()) == []
