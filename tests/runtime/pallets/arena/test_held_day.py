"""The last day but one with aliases: its nodes wait, and get to the unit what they were to get."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import frame
from runtime.constants import DEVNET
from runtime.economy.parameters import ArenaParameters
from runtime.economy.tasks import TaskStatus
from runtime.frame.origin import signed
from runtime.pallets.arena import alias_events, events
from runtime.pallets.arena.cursor import Phase
from runtime.pallets.arena.records import DayKey, Fingerprinted, GivenScore, NodeRecord, PaymentKind
from runtime.pallets.arena.storage import pot_of
from runtime.pallets.treasury import TREASURY
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.alias_world import commit_alias, open_aliases, reveal_alias, submit_blind
from tests.runtime.pallets.arena.blind_task import owned, play, running
from tests.runtime.pallets.arena.test_verified_task import paid
from tests.runtime.pallets.world import (
    KEY_B,
    MODELS,
    NODES,
    SCORES,
    VALIDATORS,
    World,
    account,
    content,
    score,
    submit,
)

ONE = {"days": 2}  # the first day is the last but one


def leaders(world: World, day: int) -> list[str]:
    return [world.name_of(node.owner) for node in world.arena.views.leaderboard(0, day)]


def paid_at_once(world: World) -> dict[str, int]:
    return paid(world, PaymentKind.VALIDATION) | paid(world, PaymentKind.CREATION)


def ended(world: World, day: int) -> None:
    """A block after the task's end."""
    world.go_to(day, 1)
    assert world.tasks.get_task(0).status is TaskStatus.COMPLETED
    assert world.balances.free(pot_of(0)) == 0


@pytest.mark.parametrize("budget", [0, 3_000 * FML + 7])
@pytest.mark.parametrize("days", [2, 3])
def test_all_is_paid_as_under_names_once_all_is_opened(budget: int, days: int) -> None:
    named, blind = running(budget=budget, days=days), running(budget=budget, days=days)
    last = days - 1
    submit(named, last, 0, MODELS)
    submit_blind(blind, last, 0, MODELS)
    for world, opened in ((named, ()), (blind, NODES)):
        play(world, last)
        play(world, days, opened, of=last)
        ended(world, days + 1)
    assert leaders(blind, last) == leaders(named, last) == ["n1", "n2"]
    assert leaders(blind, days) == leaders(named, days) == ["n1", "n2"]
    assert owned(blind) == owned(named)
    assert blind.balances.issuance() == named.balances.issuance()
    assert blind.models.model_of(0) == named.models.model_of(0)
    for day in range(1, days + 1):
        key = DayKey(0, day)
        held, usual = (world.arena.day_results.get(key) for world in (blind, named))
        assert held == replace(usual, ranked_on=days if day == last else day)
        assert sorted(map(str, blind.arena.payments.get(key))) == sorted(
            map(str, named.arena.payments.get(key))
        )


def test_until_then_only_validators_and_creator_are_paid() -> None:
    creator_share = replace(DEVNET.arena, creator_share=Rational(1, 10))
    preset = replace(DEVNET, arena=creator_share)
    named, blind = running(preset, **ONE), running(preset, **ONE)
    submit(named, 1, 0, MODELS)
    submit_blind(blind, 1, 0, MODELS)
    for world in (named, blind):
        play(world, 1)
    for kind in (PaymentKind.VALIDATION, PaymentKind.CREATION):
        assert paid(blind, kind) == paid(named, kind) != {}
    assert paid(blind, PaymentKind.REWARD_A) == {}
    assert blind.events(alias_events.NodesHeld) == [alias_events.NodesHeld(0, 1)]
    assert blind.events(events.DayScored) == []
    assert len(blind.events(events.DaySettled)) == 1
    key = DayKey(0, 1)
    result = blind.arena.day_results.get(key)
    assert (result.ranked_on, result.ranking, result.for_nodes) == (None, [], 0)
    nodes = named.arena.day_results.get(key).for_nodes
    assert blind.emission.minted.get() + nodes == named.emission.minted.get()
    assert blind.emission.committed_before(2) == named.emission.committed_before(2)
    assert blind.arena.vested.get(0) == 0
    assert list(blind.arena.node_records.items()) == []
    play(blind, 2, NODES, of=1, until=18)
    assert blind.events(alias_events.HeldSettled) == [alias_events.HeldSettled(0, 1)]
    scored = blind.events(events.DayScored)
    assert [(event.day, event.ranked) for event in scored] == [(1, 2), (2, 2)]  # type: ignore[attr-defined]


def test_who_does_not_open_is_not_ranked_on_either_day() -> None:
    world = running(**ONE)
    submit_blind(world, 1, 0, MODELS)
    play(world, 1)
    play(world, 2, ("n2",), of=1)
    assert leaders(world, 1) == leaders(world, 2) == ["n2"]
    ended(world, 3)
    assert world.models.model_of(0).owner == account("n2")  # type: ignore[union-attr]


def test_if_nobody_opens_nothing_is_minted_for_nodes() -> None:
    world = running(**ONE)
    submit_blind(world, 1, 0, MODELS)
    play(world, 1)
    minted = world.emission.minted.get()
    assert minted == sum(paid_at_once(world).values())
    play(world, 2)
    ended(world, 3)
    assert leaders(world, 1) == leaders(world, 2) == []
    assert sum(paid_at_once(world).values()) == world.emission.minted.get()
    assert world.models.model_of(0) is None
    assert world.events(alias_events.HeldSettled) != []


def test_names_wait_with_the_aliases_of_their_day() -> None:
    world = running(**ONE)
    world.go_to(1)
    world.commit("n1", 0, "good")
    commit_alias(world, "n2", 0, "fair")
    world.go_to(1, 8)
    world.reveal("n1", 0, "good")
    reveal_alias(world, "n2", 0, "fair")
    play(world, 1)
    assert leaders(world, 1) == []
    play(world, 2, ("n2",), of=1)
    assert leaders(world, 1) == leaders(world, 2) == ["n1", "n2"]


def test_a_sealed_alias_alone_holds_nothing() -> None:
    world = running(**ONE)
    world.go_to(1)
    world.commit("n1", 0, "good")
    commit_alias(world, "n2", 0, "fair")
    world.go_to(1, 8)
    world.reveal("n1", 0, "good")
    play(world, 1)
    assert leaders(world, 1) == ["n1"]
    assert world.events(alias_events.NodesHeld) == []


def test_the_final_day_scores_aliases_again_and_deals_to_the_good_first() -> None:
    world = running()
    world.go_to(1)
    world.commit("n1", 0, "good")
    world.go_to(1, 8)
    world.reveal("n1", 0, "good")
    play(world, 1)
    submit_blind(world, 2, 0, {"n2": "fair", "n3": "noise"})
    play(world, 2)
    world.arena.node_records.put((0, account("n1")), NodeRecord(0, 0))
    play(world, 3, ("n2", "n3"), of=2)
    entries = world.arena.rosters.get(DayKey(0, 3)).entries
    # n2's alias counts as ranked every day, n1 for the day that is held, n3 was at the baseline.
    assert [world.name_of(entry.owner) for entry in entries if entry.owner] == ["n2", "n1", "n3"]
    assert all(entry.dealt == 3 for entry in entries)
    assert leaders(world, 3) == ["n1", "n2"]


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_the_result_does_not_depend_on_the_budget_of_a_block(steps: int) -> None:
    outcomes = []
    for budget in (steps, 1_000):
        world = running(**ONE)
        submit_blind(world, 1, 0, MODELS)
        play(world, 1)
        play(world, 2, NODES, of=1, until=17)
        world.ledger.delegate(signed(account("idle")), 0, account("n1"), 5 * FML)
        world.arena.config = replace(world.arena.config, steps_per_block=budget)
        phases = set()
        while world.number < 20 * 3 + 17:  # a small budget runs over into the day after the last
            world.next_block()
            cursor = world.arena.cursor.find()
            phases.add((cursor.phase, cursor.is_held) if cursor else None)
        outcomes.append(
            (
                [world.arena.day_results.get(DayKey(0, day)) for day in (1, 2)],
                [world.arena.payments.get(DayKey(0, day)) for day in (1, 2)],
                owned(world),
                world.owned("idle"),
            )
        )
        assert ((Phase.PAY, True) in phases) == (budget < 1_000)
    assert outcomes[0] == outcomes[1]


def test_the_held_day_keeps_its_stakes_delegations_ratios_and_rules() -> None:
    named, blind = running(**ONE), running(**ONE)
    worlds = (named, blind)
    for world in worlds:
        world.ledger.delegate(signed(account("idle")), 0, account("n1"), 10 * FML)
        world.tasks.set_share_ratio(signed(account("n1")), 0, Rational(1, 2))
    submit(named, 1, 0, MODELS)
    submit_blind(blind, 1, 0, MODELS)
    for world, opened in ((named, ()), (blind, NODES)):
        world.go_to(1, 9)
        world.ledger.delegate(signed(account("creator")), 0, account("n2"), 30 * FML)
        world.tasks.set_share_ratio(signed(account("n1")), 0, Rational(1, 1))
        play(world, 1)
        world.ledger.undelegate(signed(account("idle")), 0, account("n1"), 9 * FML)
        world.ledger.bond_extra(signed(account("n2")), 0, 11 * FML)
        rules = ArenaParameters(distance_lambda=Rational(3, 1))
        play(world, 2, opened, of=1, until=17)
        world.arena.config = replace(world.arena.config, steps_per_block=1)
        world.go_to(3, 2)
        world.ledger.delegate(signed(account("idle")), 0, account("n1"), 2 * FML)
        world.tasks.scheduled_parameters.remove()
        world.tasks.parameters.put(rules)  # what a decision of two days later leaves
        world.go_to(3, 15)
    first = DayKey(0, 1)
    assert blind.arena.day_results.get(first).ranking == named.arena.day_results.get(first).ranking
    assert blind.arena.day_results.get(first).parameters == DEVNET.arena

    def parts(world: World) -> list[tuple[bytes, int]]:
        return sorted(
            (event.who, event.amount)
            for event in world.events(events.Paid)
            if event.day == 1 and event.kind is PaymentKind.REWARD_A  # type: ignore[attr-defined]
        )

    assert parts(blind) == parts(named) != []
    assert account("idle") in dict(parts(blind))


def test_an_owner_that_left_and_was_reaped_is_paid_into_the_treasury() -> None:
    preset = replace(DEVNET, unbonding_days=1)
    world = running(preset, budget=3_000, **ONE)  # a reward is below the existential deposit
    submit_blind(world, 1, 0, {"n1": "good"})
    who = account("n1")
    world.ledger.unbond(signed(who), 0, 10 * FML)
    play(world, 1)
    play(world, 2, ("n1",), of=1, until=17)
    world.ledger.free_unbonded(signed(who), 0, who)
    world.balances.transfer(who, account("idle"), world.free("n1"), keep_alive=False)
    assert world.owned("n1") == 0
    world.go_to(3, 1)
    assert leaders(world, 1) == ["n1"]
    assert leaders(world, 2) == []  # it has no stake on the final day
    lost = world.events(events.Undeliverable)
    assert [(event.day, event.who) for event in lost] == [(1, who), (2, who)]  # type: ignore[attr-defined]
    assert world.balances.free(TREASURY) >= sum(event.amount for event in lost)  # type: ignore[attr-defined]


def test_slashes_of_the_held_day_go_to_its_honest_validators_at_once() -> None:
    world = running(seats=0, final_seats=0, **ONE)
    submit_blind(world, 1, 0, MODELS)
    score(world, 1, 0, {"v1": SCORES, "v2": SCORES})
    slashed = paid(world, PaymentKind.SLASHED_STAKE)
    assert set(slashed) == {"v1", "v2"}
    assert world.arena.day_results.get(DayKey(0, 1)).ranked_on is None
    world.go_to(2, 1)
    world.tasks.reveal_key(signed(account("creator")), 0, KEY_B)
    world.go_to(2, 17)
    for name in NODES:
        open_aliases(world, name, 0, 1)
    world.go_to(3, 1)
    assert leaders(world, 1) == ["n1", "n2"]


def test_a_task_whose_models_nobody_could_score_fails() -> None:
    world = running(**ONE)
    submit_blind(world, 1, 0, MODELS)
    nothing = dict.fromkeys(SCORES)
    score(world, 1, 0, dict.fromkeys(VALIDATORS, nothing))
    world.go_to(2, 1)
    world.tasks.reveal_key(signed(account("creator")), 0, KEY_B)
    score(world, 2, 0, dict.fromkeys(VALIDATORS, nothing))
    world.go_to(3, 1)
    assert world.tasks.get_task(0).status is TaskStatus.FAILED
    assert world.emission.minted.get() == 0


def test_a_verification_that_was_withdrawn_leaves_the_held_day_verified() -> None:
    world = running(**ONE)
    submit_blind(world, 1, 0, MODELS)
    world.tasks.unverify_task(frame.ROOT, 0)
    play(world, 1)
    minted = world.emission.minted.get()
    play(world, 2, NODES, of=1)
    held = world.arena.day_results.get(DayKey(0, 1))
    assert held.for_nodes > 0
    assert world.emission.minted.get() == minted + held.for_nodes
    assert world.arena.day_results.get(DayKey(0, 2)).reward == 0


def test_a_held_day_compares_behaviour_when_owners_are_known() -> None:
    world = running(duplicate_distance=4)
    submit(world, 1, 0, {"n1": "good", "n2": "fair"})
    prints = {"good": 0, "fair": 0xFF, "fairer": 0xFE, "better": 0b111}
    scores: dict[str, int | None] = {**SCORES, "fairer": 820_000_000, "better": 960_000_000}

    def play_compared(day: int, opened: tuple[str, ...] = ()) -> None:
        world.go_to(day, 10)
        numbers = {content(model): each for model, each in prints.items()}
        sheets = {}
        for name in VALIDATORS:
            todo = world.arena.views.to_score(0, day, account(name))
            sheets[name] = [
                GivenScore(
                    line.submission, Fingerprinted(given.verdict.value, numbers[line.content])
                )
                for line, given in zip(todo, world.sheet(name, 0, scores), strict=True)
                if isinstance(given.verdict, Fingerprinted)
            ]
        drawn = {name: sheet for name, sheet in sheets.items() if sheet}
        for name, sheet in drawn.items():
            world.seal_sheet(name, 0, sheet)
        world.go_to(day, 14)
        for name, sheet in drawn.items():
            world.open_sheet(name, 0, sheet)
        world.go_to(day, 17)
        for name in opened:
            open_aliases(world, name, 0, day - 1)
        world.go_to(day + 1)

    play_compared(1)
    submit_blind(world, 2, 0, {"n2": "fairer", "n3": "better"})
    play_compared(2)
    key = DayKey(0, 2)
    undecided = [each.copy_of for _, each in world.arena.behaviours.items_of(key)]
    assert undecided == [None] * 4
    world.go_to(3, 1)
    world.tasks.reveal_key(signed(account("creator")), 0, KEY_B)
    play_compared(3, ("n2", "n3"))
    # n2's new model is near its own former one, n3's is near n1's.
    copies = {number: each.copy_of for number, each in world.arena.behaviours.items_of(key)}
    assert copies == {0: None, 1: None, 2: None, 3: 0}
    assert leaders(world, 2) == leaders(world, 3) == ["n1", "n2"]
    assert [node.submission for node in world.arena.views.leaderboard(0, 2)] == [0, 2]
