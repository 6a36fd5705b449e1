"""A verified task from creation to completion, block by block: who is paid what, exactly."""

from __future__ import annotations

from runtime import frame
from runtime.economy.parameters import ArenaParameters
from runtime.economy.tasks import TaskStatus
from runtime.frame.traits import HoldReason
from runtime.pallets.arena import events
from runtime.pallets.arena.records import DayKey, PaymentKind
from runtime.pallets.arena.storage import pot_of
from runtime.primitives.apportion import apportion
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.world import (
    MODELS,
    NODES,
    SCORES,
    VALIDATORS,
    World,
    account,
    content,
    new_world,
    open_key,
    score,
    submit,
    terms,
    with_participants,
)

SAME = dict.fromkeys(VALIDATORS, SCORES)


def paid(world: World, kind: PaymentKind, day: int | None = None) -> dict[str, int]:
    """Planck by receiver."""
    sums: dict[str, int] = {}
    for event in world.events(events.Paid):
        assert isinstance(event, events.Paid)
        if event.kind is kind and day in (None, event.day):
            name = event.who.rstrip(b".").decode()
            sums[name] = sums.get(name, 0) + event.amount
    return sums


def play() -> World:
    """Day 0: creation; days 1 to 3: the task."""
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    score(world, 2, 0, SAME)
    open_key(world, 3, 0)
    score(world, 3, 0, SAME)
    world.go_to(4, 1)
    world.check()
    return world


def test_three_days_pay_exactly() -> None:
    world = play()
    # 100,000 FML a day; the creator's 2 %; the rest half to nodes, half to validators.
    reward = 100_000 * FML
    creator, nodes, validators = apportion(reward, [2, 49, 49])
    now, vested = apportion(nodes, [1, 9])
    # Ranks 1 and 2 with stakes 10 and 20; the third is at the baseline and not ranked.
    weights = [20 * 10 * FML, 17 * 20 * FML]
    daily = dict(zip(("n1", "n2"), apportion(now, weights), strict=True))
    assert [paid(world, PaymentKind.REWARD_A, day) for day in (1, 2, 3)] == [daily] * 3
    final = dict(zip(("n1", "n2"), apportion(3 * vested, weights), strict=True))
    assert paid(world, PaymentKind.REWARD_B) == paid(world, PaymentKind.REWARD_B, 3) == final
    assert paid(world, PaymentKind.CREATION) == {"creator": 3 * creator}
    assert sum(paid(world, PaymentKind.VALIDATION).values()) == 3 * validators
    assert world.emission.minted.get() == 3 * reward
    assert world.balances.free(pot_of(0)) == 0
    assert "n3" not in paid(world, PaymentKind.REWARD_A)


def test_what_validators_get_is_their_part_of_the_seats() -> None:
    world = play()
    key = DayKey(0, 1)
    shares = dict.fromkeys(VALIDATORS, 0)
    for number in range(3):
        weights = {
            name: world.arena.scoring.weights_of(key, account(name)).get(number, 0)
            for name in VALIDATORS
        }
        assert sum(weights.values()) == 3
        for name, weight in weights.items():
            shares[name] += (weight << 128) // 3
    expected = apportion(49_000 * FML, [shares[name] for name in VALIDATORS])
    assert paid(world, PaymentKind.VALIDATION, 1) == {
        name: part for name, part in zip(VALIDATORS, expected, strict=True) if part
    }


def test_the_end_frees_every_stake_and_records_the_model() -> None:
    world = play()
    assert world.tasks.get_task(0).status is TaskStatus.COMPLETED
    for name in ("creator", *NODES, *VALIDATORS):
        for reason in (HoldReason.STAKE, HoldReason.TASK_CREATION):
            assert world.balances.held(reason, account(name)) == 0
    model = world.models.model_of(0)
    assert model is not None
    assert (model.content, model.owner) == (content("good"), account("n1"))
    assert model.score_numerator == SCORES["good"] * model.score_denominator
    assert world.events(events.TaskCompleted) == [events.TaskCompleted(0, content("good"))]
    assert list(world.ledger.operators.keys()) == []


def test_what_a_payout_was_made_from_is_kept() -> None:
    world = play()
    report = world.arena.views.day_report(0, 2)
    assert report is not None
    result = report.result
    assert result.parameters == ArenaParameters()
    assert (result.node_stake, result.validator_stake) == (40 * FML, 600 * FML)
    assert (result.reward, result.scored) == (100_000 * FML, 3)
    assert [node.owner for node in result.ranking] == [account("n1"), account("n2")]
    assert world.arena.views.leaderboard(0, 2) == result.ranking
    for number in range(3):
        scored = world.arena.views.scored_submission(0, 2, number)
        assert scored is not None
        assert sum(ballot.weight for ballot in scored.ballots) == 3
    total = sum(payment.amount for payment in report.payments)
    assert total + result.vested == result.reward


def test_a_task_can_run_without_committees() -> None:
    world = new_world()
    world.tasks.create_verified_task(
        frame.ROOT, account("creator"), terms(seats=0, final_seats=0, days=2)
    )
    with_participants(world, 0)
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    stakes = [100, 200, 300]
    shares = [3 * ((stake << 128) // 600) for stake in stakes]
    expected = apportion(49_000 * FML, shares)
    assert paid(world, PaymentKind.VALIDATION) == dict(zip(VALIDATORS, expected, strict=True))


def test_the_ranking_of_dataset_b_decides_reward_b() -> None:
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    score(world, 2, 0, SAME)
    open_key(world, 3, 0)
    reversed_ = {"good": 300_000_000, "fair": 700_000_000, "noise": 900_000_000}
    score(world, 3, 0, dict.fromkeys(VALIDATORS, reversed_))
    weights = [400 * 10, 340 * 20, 289 * 10]
    vested = 3 * 44_100 * FML
    expected = dict(zip(("n3", "n2", "n1"), apportion(vested, weights), strict=True))
    assert paid(world, PaymentKind.REWARD_B) == expected
    assert world.models.models.get(0).content == content("noise")


def test_late_stake_does_not_buy_reward_b() -> None:
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    world.ledger.bond_extra(frame.Origin(account("n1")), 0, 90 * FML)  # counts on day 3 only
    day_two = world.arena.today()
    assert day_two == 2
    score(world, 2, 0, SAME)
    open_key(world, 3, 0)
    score(world, 3, 0, SAME)
    sums = [(10 + 10 + 100) * FML, 3 * 20 * FML]
    vested = 3 * 44_100 * FML
    expected = apportion(vested, [20 * sums[0], 17 * sums[1]])
    assert paid(world, PaymentKind.REWARD_B) == dict(zip(("n1", "n2"), expected, strict=True))
    assert paid(world, PaymentKind.REWARD_A, 3) == dict(
        zip(("n1", "n2"), apportion(4_900 * FML, [20 * 100, 17 * 20]), strict=True)
    )


def test_parameters_act_from_the_next_day_and_vesting_keeps_its_own() -> None:
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    world.tasks.set_parameters(frame.ROOT, ArenaParameters(gamma=Rational(1, 4)))
    assert world.tasks.parameters_on(0).gamma == Rational(1, 2)
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    result = world.arena.day_results.get(DayKey(0, 1))
    # gamma = 1/4 with T = 40, S = 600: nodes 1/4 + 1/2 * 40/640
    assert result.for_nodes == apportion(100_000 * FML, [2 * 32, 98 * 9, 98 * 23])[1]


def test_a_days_emission_is_divided_as_it_begins() -> None:
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    assert world.emission.reward_of(0, 0) == 0
    world.go_to(1)
    assert world.emission.reward_of(1, 0) == 100_000 * FML
    world.tasks.unverify_task(frame.ROOT, 0)
    world.go_to(2)
    assert world.emission.reward_of(2, 0) == 0
