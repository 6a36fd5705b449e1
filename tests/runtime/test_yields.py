"""Yields against days computed by hand, and against what delegators were really paid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import frame, yields
from runtime.economy.tasks import Role
from runtime.frame.externalities import DictState
from runtime.frame.origin import signed
from runtime.pallets.arena.records import DayKey, PaymentKind
from runtime.pallets.delegation.position import Position
from runtime.pallets.delegation.ratio import RatioFrom
from runtime.primitives.apportion import apportion
from runtime.primitives.rational import Rational
from runtime.primitives.scale import codec_of
from runtime.primitives.types import FML, ZERO_HASH
from runtime.runtime_apis import call_runtime
from runtime.yields import YIELD_UNIT, OperatorYield, SlashedOn, TaskYields, Yield
from tests.flockchain.economics.delegated_task import PlayedTask, play_delegated
from tests.runtime.pallets.alias_world import set_ring_keys, submit_blind
from tests.runtime.pallets.world import (
    MODELS,
    SCORES,
    World,
    account,
    new_world,
    score,
    submit,
    terms,
    with_participants,
)
from tests.runtime.played_state import SAME, play, top_of

REWARD = 100_000 * FML
CREATOR, NODES, VALIDATORS = apportion(REWARD, [2, 49, 49])
NOW, VESTED = apportion(NODES, [1, 9])
HALF, SHARE = Rational(1, 2), Rational(3, 5)


def ask(state: DictState, days: int = 30, task: int = 0) -> TaskYields | None:
    data = task.to_bytes(4, "little") + days.to_bytes(2, "little")
    raw = call_runtime(state, ZERO_HASH, 0, "YieldApi_task_yields", data)
    answer: TaskYields | None = codec_of(TaskYields | None).decode_all(raw)
    return answer


def asked(world: World, days: int = 30) -> TaskYields:
    answer = ask(DictState(top_of(world)), days)
    assert answer is not None
    return answer


def of(answer: TaskYields, name: str) -> OperatorYield:
    return next(each for each in answer.operators if each.operator == account(name))


@pytest.fixture(scope="module")
def two_days() -> World:
    return play(days=2)


def test_two_days_without_delegations(two_days: World) -> None:
    answer = asked(two_days)
    assert (answer.today, answer.final_day) == (3, 3)
    assert (answer.days, answer.first_day, answer.last_day, answer.ranked_days) == (2, 1, 2, 2)
    assert (answer.vested, answer.slashed) == (2 * VESTED, 0)
    # Ranks 1 and 2 with stakes 10 and 20: f = 200/540 and 340/540; the third is never ranked.
    first, second = apportion(NOW, [200, 340])
    n1, n2, n3 = (of(answer, name) for name in ("n1", "n2", "n3"))
    assert (n1.role, n1.own, n1.delegated, n1.minimum) == (Role.TRAINING_NODE, 10 * FML, 0, n3.own)
    assert (n1.days, n1.paid_days, n1.paid, n1.from_slashes) == (2, 2, 2 * first, 0)
    assert n1.slots_left == two_days.ledger.config.delegators_max
    assert (n1.ratio, n1.announced, n1.slashes) == (Rational(0, 1), [], [])
    # What vested in two days, by the mean f_i, over 2 days of 10 and of 20 FML.
    parts = [share * 2 * VESTED // (2**128) for share in (2**128 * 200 // 540, 2**128 * 340 // 540)]
    assert abs(n1.vesting - parts[0]) <= 1
    assert abs(n2.vesting - parts[1]) <= 1
    assert n1.staked == Yield(
        first * YIELD_UNIT // (10 * FML), 2, n1.vesting * YIELD_UNIT // (20 * FML)
    )
    assert n2.staked == Yield(
        second * YIELD_UNIT // (20 * FML), 2, n2.vesting * YIELD_UNIT // (40 * FML)
    )
    # Nobody shares: all is the operator's own, and a delegator would get nothing.
    assert (n1.own_stake, n1.delegation) == (n1.staked, Yield(0, 2, 0))
    assert (n3.paid_days, n3.staked) == (0, Yield(0, 2, 0))
    assert of(answer, "creator").staked == Yield(CREATOR * YIELD_UNIT // (100 * FML), 2, 0)


def test_the_task_as_a_whole(two_days: World) -> None:
    answer = asked(two_days)
    assert [answer.nodes.operators, answer.validators.operators] == [3, 3]
    assert (answer.nodes.own, answer.nodes.delegated) == (40 * FML, 0)
    assert (answer.nodes.paid, answer.validators.paid) == (2 * NOW, 2 * VALIDATORS)
    assert answer.nodes.staked.paid == NOW * YIELD_UNIT // (40 * FML)
    assert answer.validators.staked == Yield(VALIDATORS * YIELD_UNIT // (600 * FML), 2, 0)
    assert answer.whole.staked.paid == (NOW + VALIDATORS) * YIELD_UNIT // (640 * FML)
    vesting = sum(of(answer, name).vesting for name in ("n1", "n2", "n3"))
    assert 0 <= answer.vested - vesting <= 2  # each part is floored
    assert answer.nodes.staked.expected == vesting * YIELD_UNIT // (80 * FML)
    # Of own stake: every node's own yield by its own stake.
    nodes = [of(answer, name) for name in ("n1", "n2", "n3")]
    mean = sum(each.own_stake.paid * each.own for each in nodes) // (40 * FML)
    assert answer.nodes.own_stake.paid == mean
    assert answer.nodes.delegation == Yield(0, 0, 0)  # nobody has delegated anything


def test_the_window_is_the_last_settled_days(two_days: World) -> None:
    answer = asked(two_days, days=1)
    assert (answer.days, answer.first_day, answer.last_day) == (1, 2, 2)
    assert of(answer, "n1").paid == apportion(NOW, [200, 340])[0]
    assert asked(two_days, days=0) == answer  # at least one day is looked at
    assert asked(two_days, days=65_535) == asked(two_days)


def test_what_is_expected_is_paid_if_the_ranking_stays() -> None:
    expected = of(asked(play(days=2)), "n1").staked.expected
    ended = play(days=3)
    paid = next(
        payment.amount
        for payment in ended.arena.payments.get(DayKey(0, 3))
        if payment.kind is PaymentKind.REWARD_B and payment.operator == account("n1")
    )
    stake_days = 3 * 10 * FML
    assert 0 <= paid - expected * stake_days // YIELD_UNIT <= stake_days // YIELD_UNIT + 2


@pytest.fixture(scope="module")
def delegated() -> PlayedTask:
    return play_delegated()


def after(played: PlayedTask, day: int) -> TaskYields:
    state = played.settled[day][-1].state
    assert isinstance(state, DictState)
    answer = ask(state)
    assert answer is not None
    return answer


def test_a_delegators_yield_is_what_it_was_paid(delegated: PlayedTask) -> None:
    answer = after(delegated, 2)
    stakes = {("n1", "d2"): 3, ("v3", "d1"): 11, ("v3", "d3"): 50, ("creator", "d2"): 5}
    for (operator, name), stake in stakes.items():
        row = of(answer, operator)
        assert (row.ratio, row.delegation.days) == (HALF if operator == "creator" else SHARE, 2)
        paid = sum(
            event.amount
            for day in (1, 2)
            for event in delegated.paid[day]
            if (event.who, event.operator) == (account(name), account(operator))
            and event.kind is not PaymentKind.SLASHED_STAKE
        )
        found = row.delegation.paid * 2 * stake
        assert found
        assert abs(paid - found) <= 2 * (2 * stake + 1), (operator, name)


def test_an_operators_own_yield_is_what_it_was_paid(delegated: PlayedTask) -> None:
    answer = after(delegated, 2)
    for name, stake in {"n1": 10, "n2": 20, "v1": 100, "v3": 300}.items():
        row = of(answer, name)
        paid = sum(
            event.amount
            for day in (1, 2)
            for event in delegated.paid[day]
            if event.who == event.operator == account(name)
            and event.kind is not PaymentKind.SLASHED_STAKE
        )
        assert abs(paid - row.own_stake.paid * 2 * stake) <= 2 * (2 * stake + 1), name


def test_a_silent_validator_is_named_with_its_rate(delegated: PlayedTask) -> None:
    answer = after(delegated, 2)
    rules = delegated.world.tasks.parameters_on(2)
    assert of(answer, "v2").slashes == [SlashedOn(2, rules.no_commit_slash)]
    assert answer.slashed == rules.no_commit_slash.mul_floor(200 * FML)
    assert [of(answer, name).slashes for name in ("v1", "v3", "n1")] == [[], [], []]
    others = sum(of(answer, name).from_slashes for name in ("v1", "v3"))
    assert others == answer.slashed
    assert after(delegated, 1).slashed == 0


def test_announced_changes_and_stakes_of_now() -> None:
    world = play(days=1)
    world.go_to(2, 3)
    world.tasks.set_share_ratio(signed(account("n1")), 0, SHARE)
    world.ledger.delegate(signed(account("idle")), 0, account("n1"), 4 * FML)
    answer = asked(world)
    row = of(answer, "n1")
    assert (row.ratio, row.announced) == (Rational(0, 1), [RatioFrom(3, SHARE)])
    assert (row.own, row.delegated) == (10 * FML, 4 * FML)
    assert row.slots_left == world.ledger.config.delegators_max - 1
    # The new delegation counts from tomorrow: yesterday's yield is that of the own stake alone.
    assert row.staked.paid == apportion(NOW, [200, 340])[0] * YIELD_UNIT // (10 * FML)


def backed() -> World:
    """Three days with a delegation of 4 FML to node 1 from the start; it is day 4."""
    world = new_world(checks=False)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(days=5))
    with_participants(world, 0)
    world.ledger.delegate(signed(account("idle")), 0, account("n1"), 4 * FML)
    submit(world, 1, 0, MODELS)
    for day in (1, 2, 3):
        score(world, day, 0, SAME)
    return world


def change(world: World, name: str, **changes: object) -> None:
    """Overwrite members of an operator's record."""
    found = world.ledger.operators.get((0, account(name)))
    world.ledger.operators.put((0, account(name)), replace(found, **changes))  # type: ignore[arg-type]


def touched(position: Position) -> Position:
    """A position that has changed today, by nothing."""
    return position.changed(4, 1).changed(4, -1)


def known_days(position: Position) -> int:
    """How many of the three days the position still knows."""
    return sum(yields.find_at(position, day) is not None for day in (1, 2, 3))


def test_days_that_the_ledger_has_forgotten_do_not_count() -> None:
    world = backed()
    before = of(asked(world), "n1")
    assert [before.staked.days, before.own_stake.days, before.delegation.days] == [3, 3, 3]
    for name in ("n1", "n3", "creator"):
        found = world.ledger.operators.get((0, account(name)))
        change(world, name, own=touched(found.own))
    # The total of a ranked node is in the day's records, its delegations are known still.
    assert of(asked(world), "n1") == before
    # A creator's total is in no record: only the last days are known.
    known = known_days(world.ledger.operators.get((0, account("creator"))).own)
    assert 0 < known < 3
    assert of(asked(world), "creator").staked.days == known
    assert of(asked(world), "creator").own_stake.days == known
    found = world.ledger.operators.get((0, account("n1")))
    change(world, "n1", delegated=touched(found.delegated))
    row = of(asked(world), "n1")
    assert [row.staked.days, row.own_stake.days, row.delegation.days] == [3, known, 3]
    assert row.staked == before.staked
    assert row.own_stake.paid == before.own_stake.paid  # all days paid the same


def test_a_share_ratio_that_is_forgotten_leaves_its_days_out() -> None:
    world = backed()
    found = world.ledger.operators.get((0, account("n1")))
    change(world, "n1", ratio=replace(found.ratio, entries=[RatioFrom(2, SHARE)]))
    row = of(asked(world), "n1")
    assert [row.staked.days, row.own_stake.days, row.delegation.days] == [3, 2, 2]
    assert row.delegation.paid == row.staked.paid * 3 // 5


def test_an_operator_that_came_later_counts_from_its_first_day() -> None:
    world = play(days=1)
    world.go_to(2, 3)
    world.register("idle", 0, Role.TASK_VALIDATOR, 50 * FML)
    row = of(asked(world), "idle")
    assert (row.days, row.staked, row.own_stake) == (0, Yield(0, 0, 0), Yield(0, 0, 0))


def test_a_day_whose_nodes_wait_is_not_looked_at_before_they_are_paid() -> None:
    world = new_world(checks=False)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    set_ring_keys(world, ["n2"])
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    submit_blind(world, 2, 0, {"n2": "novel"})
    sheet = {**SCORES, "novel": 900_000_000}
    score(world, 2, 0, dict.fromkeys(SAME, sheet))
    assert world.arena.day_results.get(DayKey(0, 2)).ranked_on is None
    answer = asked(world)
    assert (answer.today, answer.days, answer.last_day) == (3, 1, 1)
    n1 = of(answer, "n1")
    # The pool is that of the first day, the stake-days are known through yesterday.
    assert (n1.days, n1.stake_days) == (1, 2 * 10 * FML)
    assert n1.staked.paid == apportion(NOW, [200, 340])[0] * YIELD_UNIT // (10 * FML)


def test_a_task_that_is_not_live_has_no_yields() -> None:
    state = DictState(top_of(play()))
    assert ask(state) is None
    assert ask(state, task=7) is None
    raw = call_runtime(state, ZERO_HASH, 0, "YieldApi_live_task_numbers", b"")
    assert raw == b"\0"
