"""Days on which something goes wrong: silent validators, missing keys, copies, no scores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import frame
from runtime.economy.tasks import TaskStatus
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.arena import events
from runtime.pallets.arena.records import DayKey, NodeRecord, PaymentKind
from runtime.pallets.arena.storage import pot_of
from runtime.pallets.delegation import Slashed
from runtime.pallets.tasks import records
from runtime.pallets.tasks.storage import escrow_of
from runtime.pallets.treasury import TREASURY
from runtime.primitives.apportion import apportion
from runtime.primitives.types import FML
from tests.runtime.pallets.arena.test_verified_task import SAME, paid
from tests.runtime.pallets.world import (
    KEY_B,
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

WEIGHED = {"seats": 0, "final_seats": 0}  # no committees: everybody is drawn


def verified(**changes: object) -> World:
    """Day 0 with a verified task and its participants."""
    world = new_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(**changes))
    with_participants(world, 0)
    return world


def self_funded(budget: int, **changes: object) -> World:
    """Day 0 with a self-funded task and its participants."""
    world = new_world()
    world.tasks.create_task(signed(account("creator")), terms(**changes), budget)
    with_participants(world, 0)
    return world


def test_a_self_funded_task_pays_its_budget_and_mints_nothing() -> None:
    budget = 3_000 * FML + 2
    world = self_funded(budget)
    assert world.tasks.escrows.get(0) == world.balances.free(escrow_of(0)) == budget
    before = world.owned("creator")
    issuance = world.balances.issuance()
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    assert world.arena.day_results.get(DayKey(0, 1)).reward == 1_000 * FML + 1
    score(world, 2, 0, SAME)
    open_key(world, 3, 0)
    score(world, 3, 0, SAME)
    world.go_to(4, 1)
    assert world.emission.minted.get() == 0
    assert world.balances.issuance() == issuance
    rewards = sum(
        sum(paid(world, kind).values())
        for kind in (PaymentKind.REWARD_A, PaymentKind.REWARD_B, PaymentKind.VALIDATION)
    )
    assert rewards == budget
    assert world.owned("creator") == before  # its stake is free again, the budget is spent
    assert world.balances.free(escrow_of(0)) == world.balances.free(pot_of(0)) == 0


def test_what_nobody_can_get_returns_to_the_creator() -> None:
    world = self_funded(300 * FML)
    before = world.owned("creator")
    submit(world, 1, 0, MODELS)
    below = dict.fromkeys(SCORES, 100_000_000)
    score(world, 1, 0, dict.fromkeys(VALIDATORS, below))  # nobody beats the baseline
    assert sum(paid(world, PaymentKind.VALIDATION).values()) == 50 * FML
    open_key(world, 3, 0)
    world.go_to(4, 1)
    assert world.tasks.get_task(0).status is TaskStatus.COMPLETED
    assert world.models.model_of(0) is None
    assert world.owned("creator") == before + 250 * FML


def test_a_task_without_submissions_fails_and_mints_nothing() -> None:
    world = verified()
    world.go_to(3, 1)
    world.tasks.reveal_key(signed(account("creator")), 0, KEY_B)
    world.go_to(4, 1)
    assert world.tasks.get_task(0).status is TaskStatus.FAILED
    assert world.events(events.TaskFailed) == [events.TaskFailed(0)]
    assert world.emission.minted.get() == 0
    assert world.owned("creator") == 10_000 * FML


def test_silent_validators_lose_stake_to_the_honest() -> None:
    world = verified(**WEIGHED)
    submit(world, 1, 0, MODELS)
    world.go_to(1, 10)
    sheets = {name: world.sheet(name, 0, SCORES) for name in ("v1", "v2")}
    for name, sheet in sheets.items():
        world.seal_sheet(name, 0, sheet)
    world.go_to(1, 14)
    world.open_sheet("v1", 0, sheets["v1"])
    world.go_to(2)
    taken = {event.operator: event.amount for event in world.events(Slashed)}  # type: ignore[attr-defined]
    assert taken == {account("v2"): 2 * FML, account("v3"): 3 * FML // 2}
    assert paid(world, PaymentKind.SLASHED_STAKE) == {"v1": 7 * FML // 2}
    assert world.balances.held(HoldReason.STAKE, account("v2")) == 198 * FML
    # Less than half of the stake scored: nobody is ranked, the one validator is paid.
    assert world.arena.views.leaderboard(0, 1) == []
    assert set(paid(world, PaymentKind.VALIDATION)) == {"v1"}


def test_slashes_go_to_the_treasury_if_nobody_was_honest() -> None:
    world = verified(**WEIGHED)
    submit(world, 1, 0, MODELS)
    before = world.balances.free(TREASURY)
    world.go_to(2)
    assert world.balances.free(TREASURY) == before + 3 * FML  # 0.5 % of 600 FML
    assert world.emission.minted.get() == 0


def test_an_outlier_earns_nothing_and_counts_for_nothing() -> None:
    world = verified(**WEIGHED)
    submit(world, 1, 0, {"n1": "good"})
    liar = {"good": 50_000_000}
    score(world, 1, 0, {"v1": liar, "v2": {"good": 900_000_000}, "v3": {"good": 900_000_000}})
    ranking = world.arena.views.leaderboard(0, 1)
    assert ranking[0].numerator == 900_000_000 * ranking[0].denominator
    assert set(paid(world, PaymentKind.VALIDATION)) == {"v2", "v3"}
    assert paid(world, PaymentKind.SLASHED_STAKE) == {}


def test_half_without_data_leaves_a_submission_unscored() -> None:
    world = verified(**WEIGHED)
    submit(world, 1, 0, {"n1": "good", "n2": "fair"})
    withheld: dict[str, int | None] = {"good": None, "fair": 800_000_000}
    score(world, 1, 0, {"v1": SCORES, "v2": SCORES, "v3": withheld})
    assert [node.owner for node in world.arena.views.leaderboard(0, 1)] == [account("n2")]
    assert world.arena.views.scored_submission(0, 1, 0) is None
    assert world.arena.day_results.get(DayKey(0, 1)).scored == 1
    assert world.events(Slashed) == []


def test_only_the_earliest_of_equal_models_is_scored() -> None:
    world = verified()
    world.go_to(1, 0)
    world.commit("n1", 0, "good")
    world.commit("n2", 0, "good")
    world.go_to(1, 8)
    world.reveal("n2", 0, "good")  # the copy is opened first
    world.reveal("n1", 0, "good")
    world.go_to(1, 10)
    roster = world.arena.rosters.get(DayKey(0, 1))
    assert [entry.owner for entry in roster.entries] == [account("n1")]
    world.go_to(2)
    world.commit("n1", 0, "better")
    world.go_to(2, 8)
    world.reveal("n1", 0, "better")
    world.go_to(2, 10)
    # The original was replaced, and still nobody else is paid for it.
    roster = world.arena.rosters.get(DayKey(0, 2))
    assert [entry.content for entry in roster.entries] == [content("better")]


def test_without_the_key_the_creator_is_burned_and_b_goes_by_the_days_before() -> None:
    world = verified()
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    score(world, 2, 0, SAME)
    burned = world.balances.total_burned.get()
    world.go_to(3, 10)
    assert world.balances.total_burned.get() == burned + 100 * FML
    assert world.events(records.KeyMissing) == [records.KeyMissing(0, 100 * FML)]
    world.go_to(4, 1)
    shares = [2 * ((weight << 128) // 540) for weight in (200, 340)]
    expected = apportion(2 * 44_100 * FML, shares)
    assert paid(world, PaymentKind.REWARD_B) == dict(zip(("n1", "n2"), expected, strict=True))
    assert paid(world, PaymentKind.REWARD_A, 3) == {}
    assert world.emission.minted.get() == 200_000 * FML
    assert world.tasks.get_task(0).status is TaskStatus.COMPLETED


def test_a_node_that_left_and_was_reaped_is_paid_into_the_treasury() -> None:
    world = self_funded(3_000)  # so little that a reward is below the existential deposit
    submit(world, 1, 0, MODELS)
    world.go_to(1, 15)
    world.ledger.unbond(signed(account("n1")), 0, 10 * FML)
    world.go_to(3, 1)
    world.ledger.free_unbonded(signed(account("n1")), 0, account("n1"))
    world.balances.transfer(account("n1"), account("idle"), world.free("n1"), keep_alive=False)
    assert world.owned("n1") == 0
    world.arena.vested.put(0, 300)
    world.balances.transfer(account("idle"), pot_of(0), 300)
    world.arena.node_records.put((0, account("n1")), NodeRecord(1, 1))
    world.go_to(4, 1)
    lost = world.events(events.Undeliverable)
    assert lost == [events.Undeliverable(0, 3, account("n1"), 300)]


def test_cancelling_is_open_until_the_first_reveal() -> None:
    world = self_funded(300 * FML)
    with pytest.raises(records.NotTheCreator):
        world.tasks.cancel_task(signed(account("n1")), 0)
    before = world.owned("creator")
    world.tasks.cancel_task(signed(account("creator")), 0)
    world.go_to(1, 1)
    assert world.owned("creator") == before + 300 * FML
    assert world.balances.held(HoldReason.STAKE, account("v1")) == 0
    with pytest.raises(records.TaskNotLive):
        world.tasks.cancel_task(signed(account("creator")), 0)
    world = self_funded(300 * FML)
    submit(world, 1, 0, {"n1": "good"})
    with pytest.raises(records.TooLateToCancel):
        world.tasks.cancel_task(signed(account("creator")), 0)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_the_result_does_not_depend_on_the_budget_of_a_block(steps: int) -> None:
    outcomes = []
    for budget in (steps, 1_000):
        world = verified()
        submit(world, 1, 0, MODELS)
        world.go_to(1, 10)
        sheets = {name: world.sheet(name, 0, SCORES) for name in VALIDATORS}
        drawn = {name: sheet for name, sheet in sheets.items() if sheet}
        for name, sheet in drawn.items():
            world.seal_sheet(name, 0, sheet)
        world.go_to(1, 14)
        world.open_sheet(*next((name, 0, sheet) for name, sheet in drawn.items()))
        world.arena.config = replace(world.arena.config, steps_per_block=budget)
        world.go_to(2, 17)  # a small budget runs over into the next day
        outcomes.append(
            (
                world.arena.day_results.get(DayKey(0, 1)),
                world.arena.payments.get(DayKey(0, 1)),
                [world.owned(name) for name in (*NODES, *VALIDATORS)],
            )
        )
    assert outcomes[0] == outcomes[1]


def test_a_reaped_creators_rest_goes_to_the_treasury() -> None:
    world = self_funded(3_000)
    creator = account("creator")
    treasury = world.balances.free(TREASURY)
    world.go_to(3, 10)  # no key: S_c is burned
    world.balances.transfer(creator, account("idle"), world.free("creator"), keep_alive=False)
    world.go_to(4, 1)
    assert world.tasks.get_task(0).status is TaskStatus.FAILED
    assert world.balances.free(TREASURY) == treasury + 3_000


def test_what_vested_for_nobody_is_burned_or_returned() -> None:
    for world, is_verified in ((verified(), True), (self_funded(3_000), False)):
        world.go_to(3, 10)
        world.arena.vested.put(0, FML)
        if not is_verified:
            world.arena.vested_own.put(0, FML)
        world.balances.transfer(account("idle"), pot_of(0), FML)
        burned, owned = world.balances.total_burned.get(), world.owned("creator")
        world.go_to(4, 1)
        assert world.balances.total_burned.get() - burned == (FML if is_verified else 0)
        assert world.owned("creator") - owned == (0 if is_verified else FML + 3_000)


def test_records_are_dropped_after_the_kept_days() -> None:
    world = verified(days=2)
    world.arena.config = replace(world.arena.config, kept_days=2)
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    open_key(world, 2, 0)
    score(world, 2, 0, SAME)
    arena = world.arena
    world.go_to(4, 0)
    assert arena.views.day_report(0, 1) is None
    assert arena.views.day_report(0, 2) is not None
    assert arena.submissions.contains((0, 0))
    world.go_to(5, 0)
    for dropped in (
        arena.rosters,
        arena.drawn,
        arena.assignments,
        arena.score_seals,
        arena.ballots,
        arena.results,
        arena.behaviours,
        arena.day_results,
        arena.payments,
        arena.seals,
        arena.submissions,
        arena.first_seen,
        arena.standing,
        arena.node_records,
        arena.expiring,
        arena.vested,
    ):
        assert list(dropped.keys()) == [], dropped.name
